import type { Layer } from './rows.js'

/** Hands rows through and, at the end, completes the last frame of `length` rows with zeros. */
export function wholeFrames(length: number): Layer {
  return {
    open(region, sink) {
      let arrived = 0
      return {
        channels: sink.channels,
        reserve: rows => sink.reserve(rows),
        commit(rows) {
          arrived += rows
          sink.commit(rows)
        },
        drain: () => sink.drain(),
        end() {
          const missing = (length - (arrived % length)) % length
          if (missing) {
            region.heap.f32(sink.reserve(missing), missing * sink.channels).fill(0)
            sink.commit(missing)
          }
          return sink.end()
        },
        keep(state) {
          arrived = state.number(arrived)
          sink.keep(state)
        },
      }
    },
  }
}
