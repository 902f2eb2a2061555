import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { type PackedWeights, packLinear, product } from './linear.js'
import { type Layer, pointwise, windowed } from './rows.js'

// Scores of 32 rows against 2048 entries are 256 KiB.
const ROWS = 32

/** Codebooks of which each quantizes what those before it left (EnCodec, section 3.2). Entries are kept once, as columns of panels. */
export class ResidualQuantizer {
  readonly dim: number
  private readonly size: number
  private readonly books: readonly PackedWeights[]

  /** codebooks: each [size][dim]. */
  constructor(region: Region, codebooks: readonly Float32Array[], size: number, dim: number) {
    this.dim = dim
    this.size = size
    this.books = codebooks.map(codebook => {
      const packed = packLinear(region, codebook, undefined, size, dim)
      const rows = region.copy(codebook)
      // argmin |x - e|^2 = argmax (x . e - |e|^2 / 2): the half norms are the product's bias
      region.kernels.halfNormsF32(packed.bias, rows, size, dim)
      region.release(rows)
      return packed
    })
  }

  /** Rows [n, dim] f32 in, as many codes as `sink` has channels out: [n, codebooks] i32. */
  readonly search: Layer = {
    open: (region, sink) => {
      const search = this.searcher(region, sink.channels, ROWS)
      return windowed(region, pointwise(this.dim), ROWS, sink, (out, input, rows) =>
        search(out, sink.channels, input, rows),
      )
    },
  }

  /** The inverse: rows [n, codebooks] i32 in, [n, dim] f32 out. `width`: of a row that has more behind its codes. */
  lookup(codebooks: number, width = codebooks): Layer {
    return {
      open: (region, sink) =>
        windowed(region, pointwise(width), ROWS, sink, (out, codes, rows) =>
          this.sum(region, out, codes, width, rows, codebooks),
        ),
    }
  }

  /**
   * A function that writes the nearest entries of `count` codebooks from `first` on, ties to the lowest index, into `codes` (rows
   * `pitch` elements apart) and leaves in `x` [rows][dim], at most `most` rows, what they do not express.
   */
  searcher(region: Region, count: number, most: number, first = 0) {
    const { dim, size, books } = this
    const { heap, kernels } = region
    const scores = region.alloc(most * size)
    const nearest = region.alloc(most)
    return (codes: Pointer, pitch: number, x: Pointer, rows: number) => {
      for (let stage = 0; stage < count; stage++) {
        const book = books[first + stage]
        product(region, scores, x, book, rows)
        kernels.argmaxRowsF32(nearest, scores, size, rows, size)
        kernels.addColumnsF32(x, book.weights, nearest, 1, rows, dim, -1)
        const [from, to] = [heap.i32(nearest, rows), heap.i32(codes + 4 * stage, (rows - 1) * pitch + 1)]
        for (let row = 0; row < rows; row++) to[row * pitch] = from[row]
      }
    }
  }

  /** out[rows][dim] = the sum of the entries that the first `count` codes of each row name. */
  sum(region: Region, out: Pointer, codes: Pointer, pitch: number, rows: number, count: number): void {
    region.heap.f32(out, rows * this.dim).fill(0)
    for (let stage = 0; stage < count; stage++)
      this.add(region, out, stage, codes + 4 * stage, pitch, rows, 1)
  }

  /** out[rows][dim] += sign * the entry of codebook `stage` that the code of each row names. */
  add(
    region: Region,
    out: Pointer,
    stage: number,
    codes: Pointer,
    pitch: number,
    rows: number,
    sign: 1 | -1,
  ): void {
    const { weights } = this.books[stage]
    region.kernels.addColumnsF32(out, weights, codes, pitch, rows, this.dim, sign)
  }
}
