import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import type { Conv1d } from './conv1d.js'
import { blockRows, type Layer, pointwise, type RowSink, type Window, windowed } from './rows.js'

// What DAC adds to alpha, so that an alpha of 0 is no division by 0.
const LEAST = 1e-9
// A unit holds four blocks, and a codec has 24 units: DAC at 44.1 kHz encodes in 21.5 MiB beyond its weights, in 30.5 with blocks twice as
// large, and as fast within 2 %.
const KIBIBYTES = 128

/** x + sin(alpha x)^2 / alpha, with an alpha per channel. (Ziyin et al., 2020, equation 3; DAC, section 3.1) */
export class Snake implements Layer {
  readonly channels: number
  private readonly alpha: Pointer // [channels]
  private readonly inverse: Pointer // [channels]

  constructor(region: Region, alpha: Float32Array) {
    this.channels = alpha.length
    this.alpha = region.copy(alpha)
    this.inverse = region.copy(alpha.map(value => 1 / Math.fround(value + LEAST)))
  }

  compute(region: Region, out: Pointer, input: Pointer, rows: number): void {
    region.kernels.snakeF32(out, input, this.alpha, this.inverse, rows, this.channels)
  }

  open(region: Region, sink: RowSink): RowSink {
    const { channels } = this
    return windowed(region, pointwise(channels), blockRows(channels), sink, (out, input, rows) =>
      this.compute(region, out, input, rows),
    )
  }
}

/** A convolution whose rows can be computed from their windows. */
interface Windowed {
  readonly window: Window
  readonly outputs: number
  compute(region: Region, out: Pointer, input: Pointer, rows: number): void
}

/** x + pointwise(snake(conv(snake(x)))). (DAC, ResidualUnit; in SNAC the convolution is depthwise) */
export class SnakeUnit implements Layer {
  private readonly before: Snake
  private readonly conv: Windowed
  private readonly between: Snake
  private readonly pointwise: Conv1d

  constructor(before: Snake, conv: Windowed, between: Snake, pointwise: Conv1d) {
    this.before = before
    this.conv = conv
    this.between = between
    this.pointwise = pointwise
  }

  open(region: Region, sink: RowSink): RowSink {
    const { channels, span, padding } = this.conv.window
    const block = Math.max(blockRows(channels, KIBIBYTES), span)
    const activated = region.alloc((block + span) * channels)
    const hidden = region.alloc(block * this.conv.outputs)
    return windowed(region, this.conv.window, block, sink, (out, input, rows) => {
      this.before.compute(region, activated, input, rows + span - 1)
      this.conv.compute(region, hidden, activated, rows)
      this.between.compute(region, hidden, hidden, rows)
      this.pointwise.compute(region, out, hidden, rows, input + padding.left * channels * 4)
    })
  }
}
