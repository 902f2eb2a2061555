// Multi-codebook vector quantization as in Povey's `quantization` package, which makes the training targets of SPEAR: codewords of all
// codebooks add up, and their indices are refined jointly.
import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { ConfigError } from '../errors.js'
import { type PackedWeights, packLinear, product } from '../nn/linear.js'
import { PairSearch } from './mvq_search.js'
import { checkMatrix, type MultiCodebookSpec } from './spec.js'
import { BLOCK, MAX_SIZE, packed, type Stage } from './stage.js'

/** Sum of one codeword of each codebook. */
export class MultiCodebook implements Stage {
  readonly inputs: number
  readonly outputs: number
  readonly sizes: readonly number[]
  readonly #region: Region
  readonly #codebooks: number
  readonly #size: number
  readonly #refinements: number
  readonly #centers: Pointer // [codebooks * size][dim], scaled
  readonly #products: PackedWeights // with all centres
  readonly #logits: PackedWeights
  readonly #logitsScale: number
  readonly #search: PairSearch
  readonly #scores: Pointer // [BLOCK][codebooks * size]
  readonly #rows: Pointer // [BLOCK][dim]
  readonly #errors: Pointer // [BLOCK][dim]

  constructor(region: Region, spec: MultiCodebookSpec, path: string) {
    const { centers, toLogits, codebooks, refinements = 5 } = spec
    checkMatrix(centers, `${path}.centers`)
    const { rows, columns: dim } = centers
    const size = rows / codebooks
    if (!isPowerOfTwo(codebooks) || !isPowerOfTwo(size) || size > MAX_SIZE)
      throw new ConfigError(
        `${path} has ${rows} centres in ${codebooks} codebooks; the codebooks and their size must be powers of two`,
      )
    this.#logits = packed(region, toLogits, `${path}.toLogits`)
    if (this.#logits.outputs !== rows || this.#logits.inputs !== dim)
      throw new ConfigError(
        `${path}.toLogits is [${this.#logits.outputs}, ${this.#logits.inputs}]; expected [${rows}, ${dim}], as its centres`,
      )
    this.inputs = this.outputs = dim
    this.sizes = Array.from({ length: codebooks }, () => size)
    this.#region = region
    this.#codebooks = codebooks
    this.#size = size
    this.#refinements = refinements
    this.#logitsScale = tenfoldExp(region, spec.logitsScale)
    this.#centers = region.copy(centers.data)
    const scale = tenfoldExp(region, spec.centersScale)
    region.kernels.affineF32(this.#centers, this.#centers, rows * dim, scale, 0)
    const scaled = region.heap.f32(this.#centers, rows * dim).slice()
    this.#products = packLinear(region, scaled, undefined, rows, dim)
    this.#search = new PairSearch(region, this.#centers, scaled, codebooks, size, dim)
    this.#scores = region.alloc(BLOCK * rows)
    this.#rows = region.alloc(BLOCK * dim)
    this.#errors = region.alloc(BLOCK * dim)
  }

  encode(codes: Pointer, input: Pointer, rows: number, books: number, out: Pointer): void {
    const { kernels } = this.#region
    const size = this.#size
    kernels.affineF32(this.#rows, input, rows * this.inputs, this.#logitsScale, 0)
    product(this.#region, this.#scores, this.#rows, this.#logits, rows)
    const all = this.#region.alloc(this.#codebooks * BLOCK)
    for (let n = 0; n < this.#codebooks; n++) {
      const scores = this.#scores + 4 * n * size
      kernels.argmaxRowsF32(all + 4 * n * BLOCK, scores, this.#codebooks * size, rows, size)
    }
    for (let pass = 0; pass < this.#refinements; pass++) this.#refine(all, input, rows)
    const bytes = 4 * books * BLOCK
    this.#region.heap.bytes(codes, bytes).set(this.#region.heap.bytes(all, bytes))
    this.#region.release(all)
    if (out) this.decode(out, codes, rows, books)
  }

  decode(out: Pointer, codes: Pointer, rows: number, books: number): void {
    const { kernels } = this.#region
    const bytes = 4 * this.#size * this.outputs
    kernels.gatherRowsF32(out, this.#centers, codes, rows, this.outputs)
    for (let n = 1; n < books; n++) {
      kernels.gatherRowsF32(this.#rows, this.#centers + n * bytes, codes + 4 * n * BLOCK, rows, this.outputs)
      kernels.addF32(out, this.#rows, rows * this.outputs)
    }
  }

  /** The error of the present codes, its products with all codewords, then a search row by row. */
  #refine(codes: Pointer, input: Pointer, rows: number): void {
    const { heap, kernels } = this.#region
    const dim = this.inputs
    const total = this.#codebooks * this.#size
    this.decode(this.#errors, codes, rows, this.#codebooks)
    kernels.affineF32(this.#rows, input, rows * dim, -1, 0)
    kernels.addF32(this.#errors, this.#rows, rows * dim)
    product(this.#region, this.#scores, this.#errors, this.#products, rows)
    const present = new Uint16Array(this.#codebooks)
    for (let row = 0; row < rows; row++) {
      const view = heap.i32(codes, this.#codebooks * BLOCK)
      for (let n = 0; n < this.#codebooks; n++) present[n] = view[n * BLOCK + row]
      const scores = heap.f32(this.#scores + 4 * row * total, total)
      const error = squares(heap.f32(this.#errors + 4 * row * dim, dim))
      const found = this.#search.better(present, scores, error)
      for (let n = 0; n < this.#codebooks; n++) view[n * BLOCK + row] = found[n]
    }
  }
}

function squares(values: Float32Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i]
  return sum
}

function isPowerOfTwo(x: number): boolean {
  return x >= 1 && Number.isInteger(Math.log2(x))
}

/** exp(10 scale), by the kernel: the same on every engine. */
function tenfoldExp(region: Region, scale: number): number {
  const at = region.copy([10 * scale])
  region.kernels.expF32(at, at, 1)
  const [value] = region.heap.f32(at, 1)
  region.release(at)
  return value
}
