import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { ConfigError } from '../errors.js'
import { Codebook, Projected } from './codebook.js'
import { FiniteScalar } from './fsq.js'
import { MultiCodebook } from './mvq.js'
import type { QuantizerSpec } from './spec.js'
import { BLOCK, type Stage } from './stage.js'

/** Builds a stage, its weights and scratch space in `region`. Throws ConfigError where parts do not fit together. */
export function buildStage(region: Region, spec: QuantizerSpec, path = 'quantizer'): Stage {
  switch (spec.kind) {
    case 'codebook':
      return new Codebook(region, spec, path)
    case 'projected': {
      const inner = buildStage(region, spec.quantizer, `${path}.quantizer`)
      return new Projected(region, inner, spec.input, spec.output, path)
    }
    case 'fsq':
      return new FiniteScalar(region, spec, path)
    case 'mvq':
      return new MultiCodebook(region, spec, path)
  }
  const parts = spec.quantizers.map((each, i) => buildStage(region, each, `${path}.quantizers.${i}`))
  if (parts.length === 0)
    throw new ConfigError(`${path} is '${spec.kind}' of no quantizers; give one at least`)
  if (spec.kind === 'grouped') return new Grouped(region, parts)
  checkColumns(parts, spec.kind, path)
  return spec.kind === 'residual' ? new Residual(region, parts) : new Parallel(region, parts)
}

function checkColumns(parts: readonly Stage[], kind: 'residual' | 'parallel', path: string): void {
  const [{ inputs, outputs }] = parts
  parts.forEach((part, i) => {
    const wanted = kind === 'residual' ? inputs : outputs
    if (part.inputs !== inputs || part.outputs !== wanted)
      throw new ConfigError(
        `${path}.quantizers.${i} maps ${part.inputs} columns to ${part.outputs}; expected ${inputs} to ${wanted}, as in its siblings`,
      )
  })
}

/** Calls `use` for every part that has codebooks among the first `books`, with their place in `codes`. */
function eachPart(
  parts: readonly Stage[],
  codes: Pointer,
  books: number,
  use: (part: Stage, codes: Pointer, books: number, index: number) => void,
): void {
  let used = 0
  for (const [index, part] of parts.entries()) {
    if (used >= books) return
    use(part, codes + 4 * used * BLOCK, Math.min(part.sizes.length, books - used), index)
    used += part.sizes.length
  }
}

function copy(region: Region, to: Pointer, from: Pointer, length: number): void {
  region.heap.bytes(to, 4 * length).set(region.heap.bytes(from, 4 * length))
}

/** Parts whose decoded rows add up. */
abstract class Sum implements Stage {
  readonly inputs: number
  readonly outputs: number
  readonly sizes: readonly number[]
  protected readonly region: Region
  protected readonly parts: readonly Stage[]
  protected readonly quantized: Pointer

  constructor(region: Region, parts: readonly Stage[]) {
    this.region = region
    this.parts = parts
    this.inputs = parts[0].inputs
    this.outputs = parts[0].outputs
    this.sizes = parts.flatMap(part => part.sizes)
    this.quantized = region.alloc(BLOCK * this.outputs)
  }

  abstract encode(codes: Pointer, input: Pointer, rows: number, books: number, out: Pointer): void

  decode(out: Pointer, codes: Pointer, rows: number, books: number): void {
    eachPart(this.parts, codes, books, (part, at, count, index) => {
      part.decode(index === 0 ? out : this.quantized, at, rows, count)
      if (index > 0) this.addTo(out, rows)
    })
  }

  /** out += quantized */
  protected addTo(out: Pointer, rows: number): void {
    this.region.kernels.addF32(out, this.quantized, rows * this.outputs)
  }
}

class Residual extends Sum {
  readonly #residual: Pointer

  constructor(region: Region, parts: readonly Stage[]) {
    super(region, parts)
    this.#residual = region.alloc(BLOCK * this.inputs)
  }

  encode(codes: Pointer, input: Pointer, rows: number, books: number, out: Pointer): void {
    const length = rows * this.inputs
    copy(this.region, this.#residual, input, length)
    let left = books
    eachPart(this.parts, codes, books, (part, at, count, index) => {
      left -= count
      const needed = left > 0 || out !== 0
      part.encode(at, this.#residual, rows, count, needed ? this.quantized : 0)
      if (out && index === 0) copy(this.region, out, this.quantized, length)
      else if (out) this.addTo(out, rows)
      if (left === 0) return
      this.region.kernels.affineF32(this.quantized, this.quantized, length, -1, 0)
      this.region.kernels.addF32(this.#residual, this.quantized, length)
    })
  }
}

class Parallel extends Sum {
  encode(codes: Pointer, input: Pointer, rows: number, books: number, out: Pointer): void {
    eachPart(this.parts, codes, books, (part, at, count, index) => {
      part.encode(at, input, rows, count, out && (index === 0 ? out : this.quantized))
      if (out && index > 0) this.addTo(out, rows)
    })
  }
}

/** Groups of columns; groups whose codes are left out decode to zeros. */
class Grouped implements Stage {
  readonly inputs: number
  readonly outputs: number
  readonly sizes: readonly number[]
  readonly #region: Region
  readonly #parts: readonly Stage[]
  readonly #group: Pointer
  readonly #quantized: Pointer

  constructor(region: Region, parts: readonly Stage[]) {
    this.#region = region
    this.#parts = parts
    this.inputs = parts.reduce((sum, part) => sum + part.inputs, 0)
    this.outputs = parts.reduce((sum, part) => sum + part.outputs, 0)
    this.sizes = parts.flatMap(part => part.sizes)
    this.#group = region.alloc(BLOCK * Math.max(...parts.map(part => part.inputs)))
    this.#quantized = region.alloc(BLOCK * Math.max(...parts.map(part => part.outputs)))
  }

  encode(codes: Pointer, input: Pointer, rows: number, books: number, out: Pointer): void {
    if (out) this.#clear(out, rows)
    let column = 0
    let outColumn = 0
    eachPart(this.#parts, codes, books, (part, at, count) => {
      this.#copyColumns(this.#group, part.inputs, 0, input, this.inputs, column, part.inputs, rows)
      part.encode(at, this.#group, rows, count, out && this.#quantized)
      if (out)
        this.#copyColumns(out, this.outputs, outColumn, this.#quantized, part.outputs, 0, part.outputs, rows)
      column += part.inputs
      outColumn += part.outputs
    })
  }

  decode(out: Pointer, codes: Pointer, rows: number, books: number): void {
    this.#clear(out, rows)
    let column = 0
    eachPart(this.#parts, codes, books, (part, at, count) => {
      part.decode(this.#quantized, at, rows, count)
      this.#copyColumns(out, this.outputs, column, this.#quantized, part.outputs, 0, part.outputs, rows)
      column += part.outputs
    })
  }

  #clear(out: Pointer, rows: number): void {
    this.#region.heap.f32(out, rows * this.outputs).fill(0)
  }

  #copyColumns(
    to: Pointer,
    toPitch: number,
    toColumn: number,
    from: Pointer,
    fromPitch: number,
    fromColumn: number,
    columns: number,
    rows: number,
  ): void {
    const target = this.#region.heap.f32(to, rows * toPitch)
    const source = this.#region.heap.f32(from, rows * fromPitch)
    for (let row = 0; row < rows; row++) {
      const start = row * fromPitch + fromColumn
      target.set(source.subarray(start, start + columns), row * toPitch + toColumn)
    }
  }
}
