import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { ConfigError } from '../errors.js'
import { type PackedWeights, packLinear, product } from '../nn/linear.js'
import { type CodebookSpec, checkMatrix, type Distance, type Projection } from './spec.js'
import { BLOCK, MAX_SIZE, packed, type Stage } from './stage.js'

const DISTANCES: readonly Distance[] = ['euclidean', 'cosine', 'unit']

/** Nearest row of one codebook, ties to the lowest index. */
export class Codebook implements Stage {
  readonly inputs: number
  readonly outputs: number
  readonly sizes: readonly number[]
  readonly #region: Region
  readonly #table: Pointer
  readonly #packed: PackedWeights
  readonly #scores: Pointer
  readonly #unit: Pointer

  constructor(region: Region, { codebook, distance = 'euclidean' }: CodebookSpec, path: string) {
    checkMatrix(codebook, `${path}.codebook`)
    const { data, rows, columns } = codebook
    if (rows > MAX_SIZE)
      throw new ConfigError(
        `${path}.codebook has ${rows} rows; codes are stored in 16 bits: at most ${MAX_SIZE}`,
      )
    if (!DISTANCES.includes(distance))
      throw new ConfigError(`${path}.distance is '${distance}'; expected ${DISTANCES.join(', ')}`)
    this.inputs = this.outputs = columns
    this.sizes = [rows]
    this.#region = region
    this.#table = region.copy(data)
    this.#scores = region.alloc(BLOCK * rows)
    this.#unit = distance === 'euclidean' ? 0 : region.alloc(BLOCK * columns)
    const { kernels, heap } = region
    if (distance === 'cosine') {
      const rowsAt = region.copy(data)
      kernels.normalizeRowsF32(rowsAt, rowsAt, rows, columns)
      this.#packed = packLinear(region, heap.f32(rowsAt, data.length).slice(), undefined, rows, columns)
      region.release(rowsAt)
    } else {
      this.#packed = packLinear(region, data, undefined, rows, columns)
      // argmin |x - e|^2 = argmax (x . e - |e|^2 / 2): the half norms are the product's bias
      kernels.halfNormsF32(this.#packed.bias, this.#table, rows, columns)
    }
  }

  encode(codes: Pointer, input: Pointer, rows: number, _books: number, out: Pointer): void {
    const { kernels } = this.#region
    const [size] = this.sizes
    if (this.#unit) kernels.normalizeRowsF32(this.#unit, input, rows, this.inputs)
    product(this.#region, this.#scores, this.#unit || input, this.#packed, rows)
    kernels.argmaxRowsF32(codes, this.#scores, size, rows, size)
    if (out) this.decode(out, codes, rows)
  }

  decode(out: Pointer, codes: Pointer, rows: number): void {
    this.#region.kernels.gatherRowsF32(out, this.#table, codes, rows, this.outputs)
  }
}

/** A quantizer between linear maps. */
export class Projected implements Stage {
  readonly inputs: number
  readonly outputs: number
  readonly sizes: readonly number[]
  readonly #region: Region
  readonly #inner: Stage
  readonly #input: PackedWeights | undefined
  readonly #output: PackedWeights | undefined
  readonly #inside: Pointer
  readonly #quantized: Pointer

  constructor(
    region: Region,
    inner: Stage,
    input: Projection | undefined,
    output: Projection | undefined,
    path: string,
  ) {
    this.#region = region
    this.#inner = inner
    this.#input = input && packed(region, input, `${path}.input`)
    this.#output = output && packed(region, output, `${path}.output`)
    if ((this.#input?.outputs ?? inner.inputs) !== inner.inputs)
      throw new ConfigError(
        `${path}.input gives ${this.#input?.outputs} columns; the quantizer behind it takes ${inner.inputs}`,
      )
    if ((this.#output?.inputs ?? inner.outputs) !== inner.outputs)
      throw new ConfigError(
        `${path}.output takes ${this.#output?.inputs} columns; the quantizer before it gives ${inner.outputs}`,
      )
    this.inputs = this.#input?.inputs ?? inner.inputs
    this.outputs = this.#output?.outputs ?? inner.outputs
    this.sizes = inner.sizes
    this.#inside = region.alloc(BLOCK * inner.inputs)
    this.#quantized = region.alloc(BLOCK * inner.outputs)
  }

  encode(codes: Pointer, input: Pointer, rows: number, books: number, out: Pointer): void {
    if (this.#input) product(this.#region, this.#inside, input, this.#input, rows)
    const quantized = out && this.#output ? this.#quantized : out
    this.#inner.encode(codes, this.#input ? this.#inside : input, rows, books, quantized)
    if (out && this.#output) product(this.#region, out, quantized, this.#output, rows)
  }

  decode(out: Pointer, codes: Pointer, rows: number, books: number): void {
    this.#inner.decode(this.#output ? this.#quantized : out, codes, rows, books)
    if (this.#output) product(this.#region, out, this.#quantized, this.#output, rows)
  }
}
