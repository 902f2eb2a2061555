import type { Activation, Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import type { Clip } from './clip.js'
import { blockRows, type Layer, pointwise, type RowSink, windowed } from './rows.js'

/** Layer norm over the channels of each row, with affine scale and shift. */
export class LayerNorm implements Layer {
  readonly channels: number
  private readonly scale: Pointer // [channels]
  private readonly shift: Pointer // [channels]
  private readonly eps: number

  constructor(region: Region, scale: Float32Array, shift: Float32Array, eps: number) {
    this.channels = scale.length
    this.scale = region.copy(scale)
    this.shift = region.copy(shift)
    this.eps = eps
  }

  compute(region: Region, out: Pointer, input: Pointer, rows: number): void {
    region.kernels.layerNormF32(out, input, this.scale, this.shift, rows, this.channels, this.eps)
  }

  open(region: Region, sink: RowSink): RowSink {
    return windowed(region, pointwise(this.channels), blockRows(this.channels), sink, (out, input, rows) =>
      this.compute(region, out, input, rows),
    )
  }
}

/** Group norm whose statistics run over all rows of a clip (torch.nn.GroupNorm on [B, C, T]). */
export class GroupNorm {
  readonly channels: number
  private readonly scale: Pointer // [channels]
  private readonly shift: Pointer // [channels]
  private readonly groups: number
  private readonly eps: number

  constructor(region: Region, scale: Float32Array, shift: Float32Array, groups: number, eps: number) {
    this.channels = scale.length
    this.scale = region.copy(scale)
    this.shift = region.copy(shift)
    this.groups = groups
    this.eps = eps
  }

  /** Reads the whole clip once for its statistics; the result normalises any rows of it. */
  measure(
    region: Region,
    clip: Pick<Clip, 'pointer' | 'rows'>,
  ): (out: Pointer, input: Pointer, rows: number, activation: Activation) => void {
    const { channels, groups, eps, scale, shift } = this
    const factors = region.alloc(4 * channels)
    region.kernels.groupNormMeasure(factors, clip.pointer, scale, shift, clip.rows, channels, groups, eps)
    return (out, input, rows, activation) =>
      region.kernels.groupNormApply(out, input, factors, rows, channels, activation)
  }
}
