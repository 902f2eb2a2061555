import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import type { ResidualQuantizer } from './residual_quantizer.js'
import { type Layer, pointwise, type RowSink, windowed } from './rows.js'

/** The first codebooks each see one of as many parts of the channels, whose borders are rounded down. */
const MASKED = 3

// Scores of 32 rows against 1024 entries are 128 KiB.
const ROWS = 32

/**
 * Language-Codec's search (Ji et al., 2024, section 3.2: masked channel residual vector quantization): the first three codebooks
 * quantize the frame with all but a third of its channels set to zero, the others, one after the other, what is left of the whole frame.
 */
export function maskedSearch(quantizer: ResidualQuantizer): Layer {
  return { open: (region, sink) => openSearch(quantizer, region, sink) }
}

function openSearch(quantizer: ResidualQuantizer, region: Region, sink: RowSink): RowSink {
  const { dim } = quantizer
  const codebooks = sink.channels
  const borders = Array.from({ length: MASKED + 1 }, (_, part) => Math.floor((part * dim) / MASKED))
  const masked = region.alloc(ROWS * dim)
  const searches = Array.from({ length: Math.min(codebooks, MASKED) }, (_, stage) =>
    quantizer.searcher(region, 1, ROWS, stage),
  )
  const rest = quantizer.searcher(region, Math.max(0, codebooks - MASKED), ROWS, MASKED)
  return windowed(region, pointwise(dim), ROWS, sink, (codes, frames, rows) => {
    for (const [stage, search] of searches.entries()) {
      copyPart(region, masked, frames, rows, dim, borders[stage], borders[stage + 1])
      search(codes + 4 * stage, codebooks, masked, rows)
    }
    for (const stage of searches.keys())
      quantizer.add(region, frames, stage, codes + 4 * stage, codebooks, rows, -1)
    rest(codes + 4 * MASKED, codebooks, frames, rows)
  })
}

/** Channels [from, to) of each row, zeros beside them. */
function copyPart(
  { heap }: Region,
  out: Pointer,
  rows: Pointer,
  count: number,
  dim: number,
  from: number,
  to: number,
): void {
  const [target, source] = [heap.f32(out, count * dim), heap.f32(rows, count * dim)]
  target.fill(0)
  for (let row = 0; row < count * dim; row += dim)
    target.set(source.subarray(row + from, row + to), row + from)
}
