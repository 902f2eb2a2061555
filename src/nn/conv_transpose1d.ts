import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { type PackedWeights, packLinear, product } from './linear.js'
import { multiplied } from './multiplied.js'
import { blockRows, type Layer, type RowSink, type Window, windowed } from './rows.js'

/** Hyper-parameters of a transposed convolution over time. */
export interface ConvTranspose1dShape {
  inputs: number
  outputs: number
  kernel: number
  stride: number
  /** Rows dropped in front, as PyTorch's `padding` does; as many are dropped behind as leave `stride` rows per input row. Default 0: causal. */
  trim?: number
  /** Rows dropped at the end beyond that: 1 where DAC's odd strides leave one out. Default 0. */
  missing?: number
}

/** Output rows of an input row that see the same `taps` input rows, the first of which is `first` rows after it. */
interface Phases {
  from: number
  to: number
  first: number
  taps: number
}

/**
 * Transposed convolution, trimmed to `stride` output rows per input row. Output row t * stride + phase is the product of a few input
 * rows around t with the taps that fall on it, so that all phases with the same input rows are one product over overlapping windows.
 */
export class ConvTranspose1d implements Layer {
  private readonly shape: ConvTranspose1dShape
  private readonly window: Window
  private readonly groups: readonly { phases: Phases; packed: PackedWeights }[]

  /** weight: [inputs][outputs][kernel] as in PyTorch; bias: [outputs]. */
  constructor(region: Region, weight: Float32Array, bias: Float32Array, shape: ConvTranspose1dShape) {
    this.shape = shape
    const groups = phasesOf(shape)
    const left = -Math.min(...groups.map(({ first }) => first))
    const right = Math.max(...groups.map(({ first, taps }) => first + taps - 1))
    this.window = {
      channels: shape.inputs,
      span: left + 1 + right,
      stride: 1,
      padding: { left, right, mode: 'zero' },
    }
    this.groups = groups.map(phases => ({ phases, packed: packed(region, weight, bias, shape, phases) }))
  }

  open(region: Region, sink: RowSink): RowSink {
    const { groups, window } = this
    const { inputs, outputs, stride, missing = 0 } = this.shape
    const pitch = stride * outputs
    const rows = multiplied(region, sink, stride, missing)
    return windowed(region, window, blockRows(Math.max(inputs, pitch)), rows, (out, input, count) => {
      for (const { phases, packed } of groups) {
        const from = input + (window.padding.left + phases.first) * inputs * 4
        const to = out + phases.from * outputs * 4
        product(region, to, from, packed, count, { inputPitch: inputs, outputPitch: pitch })
      }
    })
  }
}

/** Output row `phase` of input row 0 is reached by tap `phase + trim - stride * row` of each input row that has it. */
function phasesOf({ kernel, stride, trim = 0 }: ConvTranspose1dShape): Phases[] {
  const groups: Phases[] = []
  for (let phase = 0; phase < stride; phase++) {
    const first = Math.ceil((phase + trim - kernel + 1) / stride) || 0 // no -0
    const taps = Math.floor((phase + trim) / stride) - first + 1
    const group = groups.at(-1)
    if (group && group.first === first && group.taps === taps) group.to = phase + 1
    else groups.push({ from: phase, to: phase + 1, first, taps })
  }
  return groups
}

function packed(
  region: Region,
  weight: Float32Array,
  bias: Float32Array,
  { inputs, outputs, kernel, stride, trim = 0 }: ConvTranspose1dShape,
  { from, to, first, taps }: Phases,
): PackedWeights {
  const columns = (to - from) * outputs
  const matrix = new Float32Array(columns * taps * inputs) // [phase][outputs][taps][inputs]
  let at = 0
  for (let phase = from; phase < to; phase++)
    for (let output = 0; output < outputs; output++)
      for (let tap = 0; tap < taps; tap++) {
        const k = phase + trim - stride * (first + tap)
        for (let input = 0; input < inputs; input++)
          matrix[at++] = weight[(input * outputs + output) * kernel + k]
      }
  const biases = Float32Array.from({ length: columns }, (_, i) => bias[i % outputs])
  return packLinear(region, matrix, biases, columns, taps * inputs)
}

/** As ConvTranspose1d (causal, `kernel` a multiple of `stride`), each channel on its own and without bias. */
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
    this.window = {
      channels,
      span: taps,
      stride: 1,
      padding: { left: taps - 1, right: 0, mode: 'zero' },
    }
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
    const rows = multiplied(region, sink, stride)
    return windowed(region, window, blockRows(channels * stride), rows, (out, input, count) => {
      for (let row = 0; row < count; row++)
        phases.forEach((taps, phase) => {
          const to = out + (row * stride + phase) * size
          region.kernels.depthwiseF32(to, input + row * size, taps, zeros, 1, channels, span, 1)
        })
    })
  }
}
