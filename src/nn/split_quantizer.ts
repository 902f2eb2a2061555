import type { Region } from '../../bindings/memory.js'
import { type PackedWeights, product } from './linear.js'
import type { ResidualQuantizer } from './residual_quantizer.js'
import { type Layer, pointwise, type RowSink, windowed } from './rows.js'

// Scores of 32 rows against 2048 entries are 256 KiB.
const ROWS = 32

/** Codebooks behind a projection into their space, and one back. What is not loaded is absent. */
export interface ProjectedQuantizer {
  input?: PackedWeights
  output?: PackedWeights
  codebooks: ResidualQuantizer
}

/**
 * Two quantizers that see the same rows: one codebook for what is said, a chain of residual ones for how it sounds. A row's
 * reconstruction is the sum of both. (Moshi paper, section 3.3.3: split RVQ)
 */
export class SplitQuantizer {
  private readonly semantic: ProjectedQuantizer
  private readonly acoustic: ProjectedQuantizer

  constructor(semantic: ProjectedQuantizer, acoustic: ProjectedQuantizer) {
    this.semantic = semantic
    this.acoustic = acoustic
  }

  /** Rows [n, channels] f32 in, as many codes as `sink` has channels out: [n, codebooks] i32. */
  readonly search: Layer = { open: (region, sink) => this.openSearch(region, sink) }

  /** The inverse: rows [n, codebooks] i32 in, [n, channels] f32 out. */
  lookup(codebooks: number): Layer {
    return { open: (region, sink) => this.openLookup(region, sink, codebooks) }
  }

  private openSearch(region: Region, sink: RowSink): RowSink {
    const { semantic, acoustic } = this
    const codebooks = sink.channels
    const projected = region.alloc(ROWS * semantic.codebooks.dim)
    const first = semantic.codebooks.searcher(region, 1, ROWS)
    const rest = acoustic.codebooks.searcher(region, codebooks - 1, ROWS)
    return windowed(region, pointwise(semantic.input!.inputs), ROWS, sink, (out, input, rows) => {
      product(region, projected, input, semantic.input!, rows)
      first(out, codebooks, projected, rows)
      if (codebooks === 1) return
      product(region, projected, input, acoustic.input!, rows)
      rest(out + 4, codebooks, projected, rows)
    })
  }

  private openLookup(region: Region, sink: RowSink, codebooks: number): RowSink {
    const { semantic, acoustic } = this
    const sum = region.alloc(ROWS * semantic.codebooks.dim)
    return windowed(region, pointwise(codebooks), ROWS, sink, (out, codes, rows) => {
      semantic.codebooks.sum(region, sum, codes, codebooks, rows, 1)
      product(region, out, sum, semantic.output!, rows)
      if (codebooks === 1) return
      acoustic.codebooks.sum(region, sum, codes + 4, codebooks, rows, codebooks - 1)
      product(region, out, sum, acoustic.output!, rows, { residual: out })
    })
  }
}
