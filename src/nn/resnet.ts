import { Activation } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { Clip } from './clip.js'
import type { GroupNorm } from './norm.js'
import { blockRows, type Layer, type RowSink } from './rows.js'

/** x + conv2(SiLU(norm2(conv1(SiLU(norm1(x)))))), normalised over the whole clip (WavTokenizer's ResnetBlock in pos_net). */
export class ClipResnetBlock {
  private readonly norm1: GroupNorm
  private readonly conv1: Layer
  private readonly norm2: GroupNorm
  private readonly conv2: Layer

  constructor(norm1: GroupNorm, conv1: Layer, norm2: GroupNorm, conv2: Layer) {
    this.norm1 = norm1
    this.conv1 = conv1
    this.norm2 = norm2
    this.conv2 = conv2
  }

  /** Updates the clip in place; yields after each block of rows, with the share done. */
  *apply(region: Region, clip: Clip): Generator<number> {
    const local = region.child()
    const hidden = new Clip(local, clip.rows, clip.channels)
    const first = this.conv1.open(local, hidden.writer())
    for (const share of normalisedInto(local, this.norm1, clip, Activation.silu, first)) yield share / 2
    const second = this.conv2.open(local, clip.adder(local, blockRows(clip.channels)))
    for (const share of normalisedInto(local, this.norm2, hidden, Activation.silu, second))
      yield 0.5 + share / 2
    local.free()
  }
}

/** Pushes the normalised, activated clip into `sink`; yields after each block, with the share done. */
export function* normalisedInto(
  region: Region,
  norm: GroupNorm,
  clip: Clip,
  activation: Activation,
  sink: RowSink,
): Generator<number> {
  const normalise = norm.measure(region, clip)
  const block = blockRows(clip.channels)
  for (let row = 0; row < clip.rows; row += block) {
    const count = Math.min(block, clip.rows - row)
    normalise(sink.reserve(count), clip.at(row), count, activation)
    sink.commit(count)
    yield (row + count) / clip.rows
  }
  sink.end()
}
