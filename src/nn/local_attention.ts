import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { type PackedWeights, packLinear, product } from './linear.js'
import type { LayerNorm } from './norm.js'
import type { RotaryAngles } from './rotary.js'
import { type Layer, RowQueue, type RowSink } from './rows.js'

/** Matrices in PyTorch's layout, without bias. */
export interface LocalAttentionWeights {
  /** Queries, keys and values, one below the other: (3C, C). */
  all: Float32Array
  output: Float32Array // (C, C)
}

export interface LocalAttentionShape {
  heads: number
  /** Rows that see each other and no others. */
  window: number
  rotary: RotaryAngles
}

/**
 * x + output(attention(norm(x))) over windows that do not overlap, with rotary positions counted from each window's first row (SNAC,
 * LocalMHA). A last window may be shorter.
 */
export class LocalAttention implements Layer {
  private readonly norm: LayerNorm
  private readonly shape: LocalAttentionShape
  private readonly query: PackedWeights
  private readonly keyValue: PackedWeights
  private readonly output: PackedWeights

  constructor(region: Region, weights: LocalAttentionWeights, norm: LayerNorm, shape: LocalAttentionShape) {
    const { channels } = norm
    const [query, keyValue] = [0, channels * channels].map((from, i) =>
      weights.all.subarray(from, i === 0 ? channels * channels : undefined),
    )
    this.norm = norm
    this.shape = shape
    this.query = packLinear(region, query, undefined, channels, channels)
    this.keyValue = packLinear(region, keyValue, undefined, 2 * channels, channels)
    this.output = packLinear(region, weights.output, undefined, channels, channels)
  }

  open(region: Region, sink: RowSink): RowSink {
    const { channels } = this.norm
    const { window } = this.shape
    const queue = new RowQueue(region, channels)
    const attend = this.attention(region)
    const emit = (rows: number) => {
      attend(sink.reserve(rows), queue.at(0), rows)
      queue.drop(rows)
      sink.commit(rows)
    }
    return {
      channels,
      reserve: rows => queue.reserve(rows),
      commit(rows) {
        queue.length += rows
        while (queue.length >= window) emit(window)
      },
      drain: () => sink.drain(),
      end() {
        if (queue.length) emit(queue.length)
        return sink.end()
      },
      keep(state) {
        queue.keep(state)
        sink.keep(state)
      },
    }
  }

  private attention(region: Region): (out: Pointer, input: Pointer, rows: number) => void {
    const { channels } = this.norm
    const { heads, window, rotary } = this.shape
    const { kernels } = region
    const dim = channels / heads
    const scale = 1 / Math.sqrt(dim)
    const [normed, query] = [region.alloc(window * channels), region.alloc(window * channels)]
    const keyValue = region.alloc(2 * window * channels)
    const [cosines, sines] = [region.alloc(window * rotary.half), region.alloc(window * rotary.half)]
    const scores = region.alloc(window)
    rotary.write(region, cosines, sines, 0, window)
    return (out, input, rows) => {
      this.norm.compute(region, normed, input, rows)
      product(region, query, normed, this.query, rows)
      product(region, keyValue, normed, this.keyValue, rows)
      kernels.rotateHeadsF32(query, channels, cosines, sines, rows, heads, rotary.half)
      kernels.rotateHeadsF32(keyValue, 2 * channels, cosines, sines, rows, heads, rotary.half)
      const values = keyValue + channels * 4
      // the kernel's row sees what is before it: one row at a time, behind which all others are
      for (let at = 0; at < rows * channels * 4; at += channels * 4) {
        const [to, from] = [normed + at, query + at]
        // biome-ignore format: the call reads as the kernel's signature
        kernels.windowAttentionF32(to, from, keyValue, values, 2 * channels, scores, 1, rows - 1, rows, heads, dim, scale)
      }
      product(region, out, normed, this.output, rows, { residual: input })
    }
  }
}
