import { Activation, type Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { blockRows, type Layer, pointwise, type RowSink, windowed } from './rows.js'

// V8 swaps optimised code in between calls only, and a block of activations should stay in L2 (750 x 768 x 2304: 57 ms in
// blocks, 283 ms as one cold call).
const ROWS = 96
const COLUMNS = 256

/** A weight matrix as the kernels read it: panels of 16 output columns, bias beside it. */
export interface PackedWeights {
  readonly weights: Pointer // [ceil(outputs / 16)][inputs][16]
  readonly bias: Pointer // [ceil(outputs / 16) * 16]
  readonly inputs: number
  readonly outputs: number
}

/** Where element (output, tap, channel) of the source lies: offset = output * strides[0] + tap * strides[1] + channel * strides[2]. */
export interface Layout {
  outputs: number
  taps: number
  channels: number
  strides: readonly [output: number, tap: number, channel: number]
}

/** Copies a weight tensor into panels. `bias` may be absent: zeros. */
export function packWeights(
  region: Region,
  source: Float32Array,
  bias: Float32Array | undefined,
  layout: Layout,
): PackedWeights {
  const { outputs, taps, channels, strides } = layout
  const inputs = taps * channels
  const padded = Math.ceil(outputs / 16) * 16
  const weights = region.alloc(padded * inputs)
  const biases = region.alloc(padded)
  const raw = region.copy(source)
  region.kernels.packWeights(weights, raw, outputs, taps, channels, ...strides)
  region.release(raw)
  const biasView = region.heap.f32(biases, padded).fill(0)
  if (bias) biasView.set(bias)
  return { weights, bias: biases, inputs, outputs }
}

/** PyTorch's Linear weight: [outputs][inputs]. */
export function packLinear(
  region: Region,
  weight: Float32Array,
  bias: Float32Array | undefined,
  outputs: number,
  inputs: number,
): PackedWeights {
  return packWeights(region, weight, bias, { outputs, taps: 1, channels: inputs, strides: [inputs, 0, 1] })
}

/** What one product does beside multiplying. */
export interface ProductOptions {
  /** Elements between the starts of two input rows (default: inputs). Smaller: windows that overlap. */
  inputPitch?: number
  /** Elements between the starts of two output rows (default: outputs). */
  outputPitch?: number
  /** Rows added to the product, laid out like the output; may be the output itself. */
  residual?: Pointer
  activation?: Activation
}

/** out[rows][outputs] = activation(input[rows][inputs] W^T + bias + residual). */
export function product(
  region: Region,
  out: Pointer,
  input: Pointer,
  packed: PackedWeights,
  rows: number,
  options: ProductOptions = {},
): void {
  const { inputs, outputs, weights, bias } = packed
  const { inputPitch = inputs, outputPitch = outputs, residual = 0, activation = Activation.none } = options
  const { matmulF32 } = region.kernels
  for (let row = 0; row < rows; row += ROWS) {
    const count = Math.min(ROWS, rows - row)
    const inputAt = input + row * inputPitch * 4
    for (let column = 0; column < outputs; column += COLUMNS) {
      const at = (row * outputPitch + column) * 4
      const width = Math.min(COLUMNS, outputs - column)
      const panel = weights + column * inputs * 4
      const residualAt = residual === 0 ? 0 : residual + at
      // biome-ignore format: the call reads as the kernel's signature
      matmulF32(out + at, outputPitch, inputAt, inputPitch, panel, bias + column * 4, residualAt, count, inputs, width, activation)
    }
  }
}

/** y = activation(x W^T + b), row by row. */
export class Linear implements Layer {
  readonly packed: PackedWeights
  private readonly activation: Activation

  constructor(packed: PackedWeights, activation: Activation = Activation.none) {
    this.packed = packed
    this.activation = activation
  }

  open(region: Region, sink: RowSink): RowSink {
    const { inputs, outputs } = this.packed
    const { activation } = this
    const block = Math.min(ROWS, blockRows(Math.max(inputs, outputs)))
    return windowed(region, pointwise(inputs), block, sink, (out, input, rows) =>
      product(region, out, input, this.packed, rows, { activation }),
    )
  }
}
