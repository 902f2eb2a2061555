import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import type { RowSink } from './rows.js'

/** The sink as a stage sees it whose every row is `factor` rows; the last `missing` rows of all never arrive. */
export function multiplied(region: Region, sink: RowSink, factor: number, missing = 0): RowSink {
  const size = sink.channels * 4
  const held = region.alloc(missing * sink.channels)
  let waiting = 0
  let at: Pointer = 0
  const copy = (to: Pointer, from: Pointer, rows: number) =>
    region.heap.bytes(to, rows * size).set(region.heap.bytes(from, rows * size))
  return {
    channels: sink.channels * factor,
    reserve(rows) {
      at = sink.reserve(waiting + rows * factor)
      return at + waiting * size
    },
    commit(rows) {
      const count = waiting + rows * factor - missing
      if (waiting) copy(at, held, waiting)
      if (missing) copy(held, at + count * size, missing)
      waiting = missing
      sink.commit(count)
    },
    drain: () => sink.drain(),
    end: () => sink.end(),
    keep(state) {
      waiting = state.number(waiting) && missing
      state.memory(held, missing * sink.channels)
      sink.keep(state)
    },
  }
}
