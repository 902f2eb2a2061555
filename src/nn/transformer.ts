import { Activation, type Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { type PackedWeights, packLinear, product } from './linear.js'
import type { LayerNorm } from './norm.js'
import type { RotaryAngles } from './rotary.js'
import { type Layer, pointwise, type RowSink, windowed } from './rows.js'
import type { StreamState } from './state.js'

// Rows that share one reading of the layer's weights; their keys and values lie behind those of the window.
const ROWS = 32

/** How a layer attends. */
export interface AttentionShape {
  heads: number
  /** Rows that a row sees: itself and those before it. */
  window: number
  rotary: RotaryAngles
}

/** One layer's matrices in PyTorch's layout. The layer keeps copies and may change these arrays. */
export interface TransformerWeights {
  query: Float32Array // (C, C), pairs of a head's rotation half a head apart
  keyValue: Float32Array // (2C, C): keys, then values
  output: Float32Array // (C, C)
  outputScale: Float32Array // (C), layer scale
  expand: Float32Array // (I, C)
  contract: Float32Array // (C, I)
  contractScale: Float32Array // (C), layer scale
}

/**
 * Pre-norm transformer layer over a sliding window of the past: x += scale1 * attention(norm1(x)); x += scale2 * contract(GELU(expand(norm2(x)))).
 * Linears without bias, rotary positions counted from the first row. (Moshi paper, section 3.3.1)
 */
export class TransformerLayer implements Layer {
  private readonly norm1: LayerNorm
  private readonly norm2: LayerNorm
  private readonly shape: AttentionShape
  private readonly query: PackedWeights
  private readonly keyValue: PackedWeights
  private readonly output: PackedWeights
  private readonly expand: PackedWeights
  private readonly contract: PackedWeights

  constructor(
    region: Region,
    weights: TransformerWeights,
    norm1: LayerNorm,
    norm2: LayerNorm,
    shape: AttentionShape,
  ) {
    const { channels } = norm1
    const hidden = weights.expand.length / channels
    this.norm1 = norm1
    this.norm2 = norm2
    this.shape = shape
    scaleRows(weights.output, weights.outputScale)
    scaleRows(weights.contract, weights.contractScale)
    this.query = packLinear(region, weights.query, undefined, channels, channels)
    this.keyValue = packLinear(region, weights.keyValue, undefined, 2 * channels, channels)
    this.output = packLinear(region, weights.output, undefined, channels, channels)
    this.expand = packLinear(region, weights.expand, undefined, hidden, channels)
    this.contract = packLinear(region, weights.contract, undefined, channels, hidden)
  }

  open(region: Region, sink: RowSink): RowSink {
    const { channels } = this.norm1
    const past = new PastRows(region, 2 * channels, this.shape.window - 1, ROWS)
    const attend = this.attention(region, past)
    const normed = region.alloc(ROWS * channels)
    const hidden = region.alloc(ROWS * this.expand.outputs)
    const compute = (out: Pointer, input: Pointer, rows: number) => {
      this.norm1.compute(region, normed, input, rows)
      product(region, out, attend(normed, rows), this.output, rows, { residual: input })
      this.norm2.compute(region, normed, out, rows)
      product(region, hidden, normed, this.expand, rows, { activation: Activation.gelu })
      product(region, out, hidden, this.contract, rows, { residual: out })
    }
    return windowed(region, pointwise(channels), ROWS, sink, compute, state => past.keep(state))
  }

  /** What the heads make of the next rows, at most ROWS, given all that came before. */
  private attention(region: Region, past: PastRows): (normed: Pointer, rows: number) => Pointer {
    const { channels } = this.norm1
    const { heads, window, rotary } = this.shape
    const { kernels } = region
    const dim = channels / heads
    const [query, mixed] = [region.alloc(ROWS * channels), region.alloc(ROWS * channels)]
    const [cosines, sines] = [region.alloc(ROWS * rotary.half), region.alloc(ROWS * rotary.half)]
    const scores = region.alloc(window)
    const scale = 1 / Math.sqrt(dim)
    return (normed, rows) => {
      const next = past.reserve(rows)
      product(region, query, normed, this.query, rows)
      product(region, next, normed, this.keyValue, rows)
      rotary.write(region, cosines, sines, past.count, rows)
      kernels.rotateHeadsF32(query, channels, cosines, sines, rows, heads, rotary.half)
      kernels.rotateHeadsF32(next, 2 * channels, cosines, sines, rows, heads, rotary.half)
      const [keys, values] = [past.pointer, past.pointer + channels * 4]
      // biome-ignore format: the call reads as the kernel's signature
      kernels.windowAttentionF32(mixed, query, keys, values, 2 * channels, scores, rows, past.held, window, heads, dim, scale)
      past.commit(rows)
      return mixed
    }
  }
}

/** The last rows of a stream, contiguous: at least `kept` of them, if there are as many, and room for `block` behind them. */
class PastRows {
  /** Rows committed so far. */
  count = 0
  /** Rows that can be seen from `pointer` on. */
  held = 0
  readonly pointer: Pointer
  private readonly region: Region
  private readonly channels: number
  private readonly kept: number
  private readonly capacity: number

  constructor(region: Region, channels: number, kept: number, block: number) {
    this.region = region
    this.channels = channels
    this.kept = kept
    this.capacity = kept + block
    this.pointer = region.alloc(this.capacity * channels)
  }

  reserve(rows: number): Pointer {
    const { channels, kept } = this
    if (this.held + rows > this.capacity) {
      this.region.heap.f32(this.pointer, this.held * channels).copyWithin(0, (this.held - kept) * channels)
      this.held = kept
    }
    return this.pointer + this.held * channels * 4
  }

  commit(rows: number): void {
    this.held += rows
    this.count += rows
  }

  /** What later rows can see. */
  keep(state: StreamState): void {
    const { channels, kept, pointer } = this
    const seen = Math.min(this.held, kept)
    this.count = state.number(this.count)
    const length = state.count(seen, kept)
    state.memory(state.restores ? pointer : pointer + (this.held - seen) * channels * 4, length * channels)
    if (state.restores) this.held = length
  }
}

/** Folds a layer scale into the matrix before it: row i times scale[i]. */
function scaleRows(matrix: Float32Array, scale: Float32Array): void {
  const length = matrix.length / scale.length
  for (let row = 0, i = 0; row < scale.length; row++)
    for (const end = i + length; i < end; i++) matrix[i] *= scale[row]
}
