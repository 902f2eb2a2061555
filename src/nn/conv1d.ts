import { Activation, type Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { type PackedWeights, packWeights, product } from './linear.js'
import { blockRows, type Layer, type Padding, type RowSink, type Window, windowed } from './rows.js'

// Below this the product waits for its weights: 4096 x 512 at 32 rows 43 GFLOP/s, at 96 54.
const LEAST_ROWS = 96

/** Hyper-parameters of a convolution over time. */
export interface Conv1dShape {
  inputs: number
  outputs: number
  kernel: number
  stride?: number
  dilation?: number
  padding: Padding
}

/**
 * EnCodec's padding of a convolution (SConv1d): kernel - stride rows in all; non-causal: the odd one on the left; causal: all left.
 */
export function seanetPadding(kernel: number, stride: number, dilation = 1, causal = false): Padding {
  const total = (kernel - 1) * dilation + 1 - stride
  const right = causal ? 0 : Math.floor(total / 2)
  return { left: total - right, right, mode: 'reflect' }
}

/** Zero padding that keeps the length, or, with `lookahead`, one that sees only that many rows of the future. */
export function zeroPadding(kernel: number, lookahead = (kernel - 1) >> 1): Padding {
  return { left: kernel - 1 - lookahead, right: lookahead, mode: 'zero' }
}

/** A convolution as matrix products: with dilation 1 its windows are overlapping rows; with dilation, one product per tap. */
export class Conv1d implements Layer {
  readonly window: Window
  readonly outputs: number
  private readonly taps: readonly PackedWeights[]
  private readonly dilation: number
  private readonly activation: Activation

  /** weight: [outputs][inputs][kernel] as in PyTorch; bias: [outputs]. */
  constructor(
    region: Region,
    weight: Float32Array,
    bias: Float32Array | undefined,
    shape: Conv1dShape,
    activation: Activation = Activation.none,
  ) {
    const { inputs, outputs, kernel, stride = 1, dilation = 1, padding } = shape
    this.window = { channels: inputs, span: (kernel - 1) * dilation + 1, stride, padding }
    this.outputs = outputs
    this.dilation = dilation
    this.activation = activation
    const strides = [inputs * kernel, 1, kernel] as const
    this.taps =
      dilation === 1
        ? [packWeights(region, weight, bias, { outputs, taps: kernel, channels: inputs, strides })]
        : Array.from({ length: kernel }, (_, tap) =>
            packWeights(region, weight.subarray(tap), tap === 0 ? bias : undefined, {
              outputs,
              taps: 1,
              channels: inputs,
              strides,
            }),
          )
  }

  /** Computes `rows` output rows from their windows, which start at `input`. */
  compute(region: Region, out: Pointer, input: Pointer, rows: number, residual: Pointer = 0): void {
    const { channels, stride } = this.window
    const last = this.taps.length - 1
    this.taps.forEach((tap, index) => {
      product(region, out, input + index * this.dilation * channels * 4, tap, rows, {
        inputPitch: stride * channels,
        residual: index === 0 ? residual : out,
        activation: index === last ? this.activation : Activation.none,
      })
    })
  }

  open(region: Region, sink: RowSink): RowSink {
    const widest = Math.max(this.window.channels * this.window.stride, this.outputs)
    const block = Math.max(LEAST_ROWS, blockRows(widest))
    return windowed(region, this.window, block, sink, (out, input, rows) =>
      this.compute(region, out, input, rows),
    )
  }
}
