import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { type PackedWeights, packLinear, product } from './linear.js'
import { type Layer, pointwise, type RowSink, windowed } from './rows.js'

// Scores of 32 rows against 4096 codewords are 512 KiB.
const ROWS = 32

/** Nearest codeword by Euclidean distance, ties to the lowest index: rows [n, dim] f32 -> rows [n, 1] i32. */
export class VectorQuantizer implements Layer {
  readonly size: number
  readonly dim: number
  readonly codebook: Pointer // [size][dim]
  private readonly packed: PackedWeights | undefined

  /** codebook: [size][dim]. `searches`: false where only `lookup` is used, which needs half the memory. */
  constructor(region: Region, codebook: Float32Array, size: number, dim: number, searches = true) {
    this.size = size
    this.dim = dim
    this.codebook = region.copy(codebook)
    if (!searches) return
    this.packed = packLinear(region, codebook, undefined, size, dim)
    // argmin |x - e|^2 = argmax (x . e - |e|^2 / 2): the half norms are the product's bias
    region.kernels.halfNormsF32(this.packed.bias, this.codebook, size, dim)
  }

  open(region: Region, sink: RowSink): RowSink {
    const { packed } = this
    if (!packed) throw new Error('wavtok: this codebook was loaded for lookups alone')
    const scores = region.alloc(ROWS * this.size)
    return windowed(region, pointwise(this.dim), ROWS, sink, (out, input, rows) => {
      product(region, scores, input, packed, rows)
      region.kernels.argmaxRowsF32(out, scores, this.size, rows, this.size)
    })
  }

  /** The inverse layer: rows [n, 1] i32 -> rows [n, dim] f32. */
  get lookup(): Layer {
    return {
      open: (region, sink) =>
        windowed(region, pointwise(1), 256, sink, (out, input, rows) =>
          region.kernels.gatherRowsF32(out, this.codebook, input, rows, this.dim),
        ),
    }
  }
}
