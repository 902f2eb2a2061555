import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import type { RowSink } from '../nn/rows.js'

// Codes pushed at a time: the grain of progress and abort.
const TILE = 64

/** Pushes [frames][codebooks] i32 codes through a streaming decoder and ends it; yields the share done. */
export function* pushCodes(
  region: Region,
  codes: Pointer,
  frames: number,
  codebooks: number,
  stage: RowSink,
): Generator<number> {
  for (let frame = 0; frame < frames; frame += TILE) {
    const count = Math.min(TILE, frames - frame)
    const length = count * codebooks
    const target = stage.reserve(count)
    region.heap.i32(target, length).set(region.heap.i32(codes + 4 * frame * codebooks, length))
    stage.commit(count)
    yield (frame + count) / frames
  }
  stage.end()
}
