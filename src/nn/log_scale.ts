import type { Region } from '../../bindings/memory.js'
import { blockRows, type Layer, pointwise, type RowSink, windowed } from './rows.js'

/** y = ln(max(x, floor)) * scale + shift. */
export class LogScale implements Layer {
  private readonly channels: number
  private readonly floor: number
  private readonly scale: number
  private readonly shift: number

  constructor(channels: number, floor: number, scale = 1, shift = 0) {
    this.channels = channels
    this.floor = floor
    this.scale = scale
    this.shift = shift
  }

  open(region: Region, sink: RowSink): RowSink {
    const { channels, floor, scale, shift } = this
    return windowed(region, pointwise(channels), blockRows(channels), sink, (out, input, rows) => {
      region.kernels.logF32(out, input, rows * channels, floor)
      region.kernels.affineF32(out, out, rows * channels, scale, shift)
    })
  }
}
