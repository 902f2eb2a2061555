import { Activation, type Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { type PackedWeights, packLinear, product } from './linear.js'
import { blockRows, type Layer, type RowSink, type Window, windowed } from './rows.js'

/** Hyper-parameters of a causal transposed convolution; `kernel` is a multiple of `stride`. */
export interface ConvTranspose1dShape {
  inputs: number
  outputs: number
  kernel: number
  stride: number
}

/**
 * Causal transposed convolution: each input row gives `stride` output rows, which see it and the kernel / stride - 1 before it; the
 * kernel - stride rows behind the last are dropped. One matrix product over overlapping rows, whose output row is `stride` rows.
 */
export class ConvTranspose1d implements Layer {
  private readonly stride: number
  private readonly window: Window
  private readonly packed: PackedWeights

  /** weight: [inputs][outputs][kernel] as in PyTorch; bias: [outputs]. */
  constructor(region: Region, weight: Float32Array, bias: Float32Array, shape: ConvTranspose1dShape) {
    const { inputs, outputs, kernel, stride } = shape
    const taps = kernel / stride
    this.stride = stride
    this.window = causalWindow(inputs, taps)
    const matrix = new Float32Array(weight.length) // [stride][outputs][taps][inputs]
    for (let input = 0, at = 0; input < inputs; input++)
      for (let output = 0; output < outputs; output++)
        for (let k = 0; k < kernel; k++, at++) {
          const [phase, tap] = [k % stride, taps - 1 - Math.floor(k / stride)]
          matrix[((phase * outputs + output) * taps + tap) * inputs + input] = weight[at]
        }
    const biases = Float32Array.from({ length: stride * outputs }, (_, i) => bias[i % outputs])
    this.packed = packLinear(region, matrix, biases, stride * outputs, taps * inputs)
  }

  open(region: Region, sink: RowSink): RowSink {
    const { packed, window } = this
    const block = blockRows(Math.max(window.channels, packed.outputs))
    return windowed(region, window, block, multiplied(sink, this.stride), (out, input, rows) =>
      product(region, out, input, packed, rows, { inputPitch: window.channels, activation: Activation.none }),
    )
  }
}

/** As ConvTranspose1d, each channel on its own and without bias. */
export class DepthwiseTranspose1d implements Layer {
  private readonly stride: number
  private readonly window: Window
  private readonly phases: readonly Pointer[] // [stride] of [kernel / stride][channels]
  private readonly zeros: Pointer // [channels]

  /** weight: [channels][1][kernel] as in PyTorch. */
  constructor(region: Region, weight: Float32Array, channels: number, stride: number) {
    const kernel = weight.length / channels
    const taps = kernel / stride
    this.stride = stride
    this.window = causalWindow(channels, taps)
    this.zeros = region.copy(new Float32Array(channels))
    this.phases = Array.from({ length: stride }, (_, phase) =>
      region.copy(
        Float32Array.from({ length: taps * channels }, (_, i) => {
          const tap = taps - 1 - Math.floor(i / channels)
          return weight[(i % channels) * kernel + tap * stride + phase]
        }),
      ),
    )
  }

  open(region: Region, sink: RowSink): RowSink {
    const { phases, stride, window, zeros } = this
    const { channels, span } = window
    const size = channels * 4
    return windowed(region, window, blockRows(channels), multiplied(sink, stride), (out, input, rows) => {
      for (let row = 0; row < rows; row++)
        phases.forEach((taps, phase) => {
          const to = out + (row * stride + phase) * size
          region.kernels.depthwiseF32(to, input + row * size, taps, zeros, 1, channels, span, 1)
        })
    })
  }
}

function causalWindow(channels: number, span: number): Window {
  return { channels, span, stride: 1, padding: { left: span - 1, right: 0, mode: 'zero' } }
}

/** The sink as a stage sees it whose every row is `factor` rows. */
function multiplied(sink: RowSink, factor: number): RowSink {
  return {
    channels: sink.channels * factor,
    reserve: rows => sink.reserve(rows * factor),
    commit: rows => sink.commit(rows * factor),
    drain: () => sink.drain(),
    end: () => sink.end(),
    keep: state => sink.keep(state),
  }
}
