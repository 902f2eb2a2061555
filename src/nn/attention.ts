import { Activation } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import type { Clip } from './clip.js'
import { type PackedWeights, product } from './linear.js'
import type { GroupNorm } from './norm.js'

// Query rows in work at a time: their scores are [QUERIES, L], so memory grows with L, not with its square.
const QUERIES = 48

/** x + proj(softmax(q k^T / sqrt(C)) v) with q, k, v from groupnorm(x): one head over the whole clip (WavTokenizer's AttnBlock). */
export class ClipAttention {
  private readonly norm: GroupNorm
  private readonly query: PackedWeights
  private readonly key: PackedWeights
  private readonly value: PackedWeights
  private readonly output: PackedWeights

  constructor(
    norm: GroupNorm,
    query: PackedWeights,
    key: PackedWeights,
    value: PackedWeights,
    output: PackedWeights,
  ) {
    this.norm = norm
    this.query = query
    this.key = key
    this.value = value
    this.output = output
  }

  /** Updates the clip in place; yields after each block of rows, with the share done. */
  *apply(region: Region, clip: Clip): Generator<number> {
    const { rows, channels } = clip
    const { kernels } = region
    const normalise = this.norm.measure(region, clip)
    const block = region.alloc(3 * QUERIES * channels)
    const [normed, query, mixed] = [0, 1, 2].map(i => block + i * QUERIES * channels * 4)
    const keys = this.packClip(region, clip, this.key, 'rows', normalise)
    const values = this.packClip(region, clip, this.value, 'columns', normalise)
    yield 0.4
    const scores = region.alloc(QUERIES * rows)
    const scale = 1 / Math.sqrt(channels)
    for (let row = 0; row < rows; row += QUERIES) {
      const count = Math.min(QUERIES, rows - row)
      normalise(normed, clip.at(row), count, Activation.none)
      product(region, query, normed, this.query, count)
      product(region, scores, query, keys, count)
      kernels.softmaxRowsF32(scores, rows, count, rows, scale)
      product(region, mixed, scores, values, count)
      product(region, clip.at(row), mixed, this.output, count, { residual: clip.at(row) })
      yield 0.4 + (0.6 * (row + count)) / rows
    }
    for (const pointer of [block, scores, keys.weights, keys.bias, values.weights, values.bias])
      region.release(pointer)
  }

  /** Projects the normalised clip and packs it as a weight matrix: its rows (keys) or its columns (values) are the outputs. */
  private packClip(
    region: Region,
    clip: Clip,
    projection: PackedWeights,
    outputsAre: 'rows' | 'columns',
    normalise: ReturnType<GroupNorm['measure']>,
  ): PackedWeights {
    const { rows, channels } = clip
    const [outputs, inputs] = outputsAre === 'rows' ? [rows, channels] : [channels, rows]
    const padded = Math.ceil(outputs / 16) * 16
    const packed = { weights: region.alloc(padded * inputs), bias: region.alloc(padded), inputs, outputs }
    const projected = region.alloc(rows * channels)
    const normed = region.alloc(QUERIES * channels)
    for (let row = 0; row < rows; row += QUERIES) {
      const count = Math.min(QUERIES, rows - row)
      normalise(normed, clip.at(row), count, Activation.none)
      product(region, projected + row * channels * 4, normed, projection, count)
    }
    const strides: readonly [number, number, number] =
      outputsAre === 'rows' ? [channels, 0, 1] : [1, 0, channels]
    region.kernels.packWeights(packed.weights, projected, outputs, 1, inputs, ...strides)
    region.heap.f32(packed.bias, padded).fill(0)
    region.release(projected)
    region.release(normed)
    return packed
  }
}
