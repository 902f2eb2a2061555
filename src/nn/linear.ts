import { Activation, type Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { bytesPerColumn, compute, panelBytes, ROWS } from './product.js'
import { blockRows, type Layer, pointwise, type RowSink, windowed } from './rows.js'
import { INTEGERS, type IntegerDtype, type Scratch, WeightRegion } from './weights.js'

// Values copied into linear memory at a time while packing, so that loading needs little more than the packed weights.
const PACKED_AT_ONCE = 1 << 18

const LARGEST_I16 = 32767
const LARGEST_I32 = 2 ** 31 - 1

/** A weight matrix as the kernels read it: panels of 16 output columns, bias beside it. */
export interface PackedWeights {
  readonly weights: Pointer // [ceil(outputs / 16)][inputs][16]
  readonly bias: Pointer // [ceil(outputs / 16) * 16]
  readonly inputs: number
  readonly outputs: number
  /** What the panels hold instead of f32. */
  readonly reduced?: ReducedWeights
}

/** Panels of halves or integers (assembly/pack_reduced.ts), which `product` widens one by one in `scratch`. */
export type ReducedWeights =
  | { readonly dtype: 'f16'; readonly scales: Pointer; readonly scratch: Scratch }
  | {
      readonly dtype: IntegerDtype
      readonly scales: Pointer // [ceil(outputs / 16) * 16]
      readonly scratch: Scratch
      /** The largest integer that activations may become: no column's sum of products can leave 32 bits. */
      readonly limit: number
    }

/** Where element (output, tap, channel) of the source lies: offset = output * strides[0] + tap * strides[1] + channel * strides[2]. */
export interface Layout {
  outputs: number
  taps: number
  channels: number
  /** The first is the largest: an output's weights lie together. */
  strides: readonly [output: number, tap: number, channel: number]
  /** [outputs]: what each one's weights are multiplied by, where they are one run of the source. */
  factors?: Float32Array
}

/** Copies a weight tensor into panels, of the dtype that `region` asks for (`WeightRegion`; else f32). `bias` may be absent: zeros. */
export function packWeights(
  region: Region,
  source: Float32Array,
  bias: Float32Array | undefined,
  layout: Layout,
): PackedWeights {
  const { outputs, taps, channels } = layout
  const inputs = taps * channels
  const padded = Math.ceil(outputs / 16) * 16
  const dtype = region instanceof WeightRegion ? region.dtype : 'f32'
  const columnBytes = bytesPerColumn(inputs, dtype)
  const weights = region.alloc((padded * columnBytes) / 4)
  const biases = region.copy(new Float32Array(padded))
  if (bias) region.heap.f32(biases, padded).set(bias)
  const packed = { weights, bias: biases, inputs, outputs }
  const { kernels } = region
  if (!(region instanceof WeightRegion) || region.dtype === 'f32') {
    inChunks(region, source, layout, (from, first, count) =>
      kernels.packWeights(weights + first * columnBytes, from, count, taps, channels, ...layout.strides),
    )
    return packed
  }
  const { scratch } = region
  const scales = region.copy(new Float32Array(padded))
  scratch.reserve(places(inputs, region.heap.team?.threads).end)
  if (region.dtype === 'f16') {
    inChunks(region, source, layout, (from, first, count) => {
      const [to, factors] = [weights + first * columnBytes, scales + first * 4]
      kernels.packWeightsF16(to, factors, from, count, taps, channels, ...layout.strides)
    })
    return { ...packed, reduced: { dtype: 'f16', scales, scratch } }
  }
  const { most, size } = INTEGERS[region.dtype]
  let largest = 1
  inChunks(region, source, layout, (from, first, count) => {
    const [to, factors] = [weights + first * columnBytes, scales + first * 4]
    // biome-ignore format: the call reads as the kernel's signature
    const sum = kernels.packWeightsInteger(to, factors, from, count, taps, channels, ...layout.strides, most, size)
    largest = Math.max(largest, sum)
  })
  const limit = Math.min(LARGEST_I16, Math.floor(LARGEST_I32 / largest))
  return { ...packed, reduced: { dtype: region.dtype, scales, scratch, limit } }
}

/** PyTorch's Linear weight: [outputs][inputs], each row times its factor. */
export function packLinear(
  region: Region,
  weight: Float32Array,
  bias: Float32Array | undefined,
  outputs: number,
  inputs: number,
  factors?: Float32Array,
): PackedWeights {
  const strides = [inputs, 0, 1] as const
  return packWeights(region, weight, bias, { outputs, taps: 1, channels: inputs, strides, factors })
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
  const { inputs, outputs, weights, bias, reduced } = packed
  const { inputPitch = inputs, outputPitch = outputs, residual = 0, activation = Activation.none } = options
  const { heap, kernels } = region
  const { panel, quantized, rowScales } = places(inputs, heap.team?.threads, reduced)
  const common = {
    dtype: reduced?.dtype ?? ('f32' as const),
    ...{ weights, bias, scales: reduced?.scales ?? 0, inputs, outputs },
    ...{ inputPitch, outputPitch, activation, panel, rowScales },
  }
  if (!reduced || reduced.dtype === 'f16') {
    compute(heap, { ...common, out, input, residual, rows })
    return
  }
  for (let row = 0; row < rows; row += ROWS) {
    const count = Math.min(ROWS, rows - row)
    const at = row * outputPitch * 4
    const from = input + row * inputPitch * 4
    kernels.quantizeRowsI16(quantized, rowScales, from, inputPitch, count, inputs, reduced.limit)
    const residualAt = residual === 0 ? 0 : residual + at
    compute(heap, { ...common, out: out + at, input: quantized, residual: residualAt, rows: count })
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

/** Parts of the scratch: each thread's widened panel of f32 or int16, and behind them a block of rows as int16, and their scales. */
function places(inputs: number, threads = 1, reduced?: ReducedWeights) {
  const panel = reduced?.scratch.pointer ?? 0
  const quantized = panel + threads * panelBytes(inputs)
  const rowScales = quantized + ROWS * 2 * Math.ceil(inputs / 8) * 8
  return { panel, quantized, rowScales, end: rowScales + ROWS * 4 }
}

/** Calls `pack(copy, first, count)` for runs of 16n outputs, whose weights are at `copy` meanwhile. */
function inChunks(
  region: Region,
  source: Float32Array,
  { outputs, taps, channels, strides, factors }: Layout,
  pack: (copy: Pointer, first: number, count: number) => void,
): void {
  const [stride] = strides
  const chunk = Math.max(16, Math.floor(PACKED_AT_ONCE / (taps * channels)) & ~15)
  const room = region.alloc(Math.min(source.length, chunk * stride))
  const multiply = factors && region.copy(factors)
  for (let first = 0; first < outputs; first += chunk) {
    const part = source.subarray(first * stride, (first + chunk) * stride)
    region.heap.f32(room, part.length).set(part)
    const count = Math.min(chunk, outputs - first)
    if (multiply) region.kernels.scaleRowsF32(room, multiply + first * 4, count, stride)
    pack(room, first, count)
  }
  region.release(room)
  if (multiply) region.release(multiply)
}
