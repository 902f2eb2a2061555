import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { ConfigError } from '../errors.js'
import type { FiniteScalarSpec } from './spec.js'
import { MAX_SIZE, type Stage } from './stage.js'

/** Keeps the outermost levels reachable (the paper's code). */
const EPSILON = 1e-3

/**
 * Finite scalar quantization. tanh is monotonic, so that rounding its value is comparing with a few borders, which are computed once,
 * with + - * / alone: the same codes on every engine.
 */
export class FiniteScalar implements Stage {
  readonly inputs: number
  readonly outputs: number
  readonly sizes: readonly number[]
  readonly #region: Region
  readonly #levels: readonly number[]
  readonly #borders: readonly Float64Array[]

  constructor(region: Region, { levels = [] }: FiniteScalarSpec, path: string) {
    const size = levels.reduce((product, count) => product * count, 1)
    const sound = levels.length > 0 && levels.every(count => Number.isInteger(count) && count >= 2)
    if (!sound || size > MAX_SIZE)
      throw new ConfigError(
        `${path} has levels ${levels.join(', ')}; expected whole numbers of 2 or more whose product is at most ${MAX_SIZE}`,
      )
    this.#region = region
    this.#levels = levels
    this.#borders = levels.map(bordersOf)
    this.inputs = this.outputs = levels.length
    this.sizes = [size]
  }

  encode(codes: Pointer, input: Pointer, rows: number, _books: number, out: Pointer): void {
    const values = this.#region.heap.f32(input, rows * this.inputs)
    const indices = this.#region.heap.i32(codes, rows)
    for (let row = 0; row < rows; row++) {
      let code = 0
      for (let column = this.inputs - 1; column >= 0; column--)
        code =
          code * this.#levels[column] + levelOf(values[row * this.inputs + column], this.#borders[column])
      indices[row] = code
    }
    if (out) this.decode(out, codes, rows)
  }

  decode(out: Pointer, codes: Pointer, rows: number): void {
    const values = this.#region.heap.f32(out, rows * this.outputs)
    const indices = this.#region.heap.i32(codes, rows)
    for (let row = 0; row < rows; row++) {
      let rest = indices[row]
      this.#levels.forEach((levels, column) => {
        const half = Math.floor(levels / 2)
        values[row * this.outputs + column] = ((rest % levels) - half) / half
        rest = Math.floor(rest / levels)
      })
    }
  }
}

function levelOf(value: number, borders: Float64Array): number {
  let level = 0
  while (level < borders.length && value > borders[level]) level++
  return level
}

/** x where tanh(x + shift) * half - offset crosses from one rounded value to the next: half = (levels - 1) (1 + EPSILON) / 2. */
function bordersOf(levels: number): Float64Array {
  const half = ((levels - 1) * (1 + EPSILON)) / 2
  const offset = levels % 2 === 0 ? 0.5 : 0
  const shift = atanh(offset / half)
  return Float64Array.from(
    { length: levels - 1 },
    (_, i) => atanh((i + 0.5 - Math.floor(levels / 2) + offset) / half) - shift,
  )
}

/** atanh(x) = ln((1 + x) / (1 - x)) / 2 from + - * /: Math.atanh differs between JavaScript engines in the last bits. */
function atanh(x: number): number {
  let ratio = (1 + x) / (1 - x)
  let halvings = 0
  for (; ratio > Math.SQRT2; ratio /= 2) halvings++
  for (; ratio < Math.SQRT1_2; ratio *= 2) halvings--
  return (halvings * Math.LN2) / 2 + atanhSeries((ratio - 1) / (ratio + 1))
}

/** x + x^3 / 3 + x^5 / 5 ... for |x| < 0.172: terms shrink by 34. */
function atanhSeries(x: number): number {
  let sum = 0
  for (let n = 25; n >= 1; n -= 2) sum = sum * x * x + 1 / n
  return sum * x
}
