import { Activation, type Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import type { Conv1d } from './conv1d.js'
import { blockRows, type Layer, type RowSink, windowed } from './rows.js'

/**
 * SEANet's residual block followed by the ELU that always stands behind it:
 * y = ELU(shortcut(x) + pointwise(ELU(conv(ELU(x))))). (SEANet paper, section 2; EnCodec modules/seanet.py)
 */
export class SeanetResBlock implements Layer {
  private readonly conv: Conv1d // C -> C/2, padded; its epilogue is the inner ELU
  private readonly pointwise: Conv1d // C/2 -> C; its epilogue is the ELU behind the block
  private readonly shortcut: Conv1d | undefined // C -> C on the raw input; absent: identity

  constructor(conv: Conv1d, pointwise: Conv1d, shortcut?: Conv1d) {
    this.conv = conv
    this.pointwise = pointwise
    this.shortcut = shortcut
  }

  open(region: Region, sink: RowSink): RowSink {
    const { channels, span, padding } = this.conv.window
    const block = blockRows(channels)
    const activated = region.alloc((block + span) * channels)
    const hidden = region.alloc(block * this.conv.outputs)
    const { kernels } = region
    return windowed(region, this.conv.window, block, sink, (out, input, rows) => {
      const count = (rows + span - 1) * channels
      kernels.activationF32(activated, input, count, Activation.elu)
      this.conv.compute(region, hidden, activated, rows)
      const centre: Pointer = input + padding.left * channels * 4
      if (this.shortcut) this.shortcut.compute(region, out, centre, rows)
      this.pointwise.compute(region, out, hidden, rows, this.shortcut ? out : centre)
    })
  }
}
