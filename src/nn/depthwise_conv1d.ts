import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { blockRows, type Layer, type Padding, type RowSink, type Window, windowed } from './rows.js'

/** A convolution over time of each channel on its own (torch.nn.Conv1d with as many groups as channels). */
export class DepthwiseConv1d implements Layer {
  readonly window: Window
  readonly outputs: number
  private readonly taps: Pointer // [K][C]
  private readonly bias: Pointer // [C]
  private readonly count: number
  private readonly dilation: number

  /** weight: [channels][1][kernel] as in PyTorch; bias: [channels]. */
  constructor(region: Region, weight: Float32Array, bias: Float32Array, padding: Padding, dilation = 1) {
    const channels = bias.length
    this.count = weight.length / channels
    this.dilation = dilation
    this.outputs = channels
    this.window = { channels, span: (this.count - 1) * dilation + 1, stride: 1, padding }
    this.taps = region.copy(transposed(weight, channels, this.count))
    this.bias = region.copy(bias)
  }

  /** Computes `rows` output rows from their windows, which start at `input`. */
  compute(region: Region, out: Pointer, input: Pointer, rows: number): void {
    const { taps, bias, count, dilation, outputs } = this
    region.kernels.depthwiseF32(out, input, taps, bias, rows, outputs, count, dilation)
  }

  open(region: Region, sink: RowSink): RowSink {
    return windowed(region, this.window, blockRows(this.outputs), sink, (out, input, rows) =>
      this.compute(region, out, input, rows),
    )
  }
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = matrix[row * columns + column]
  return result
}
