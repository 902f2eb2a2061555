import { TokenError } from '../../errors.js'
import { exponential } from './exponential.js'
import { dot, type Features, frameCount, row } from './features.js'

/** A linear layer as PyTorch stores it. */
export interface LinearWeights {
  /** [out, in] */
  readonly weight: Features
  /** [out] */
  readonly bias: Float32Array
}

/** Weights of one cross-attention block with learnt queries (Q-Former, Perceiver resampler). */
export interface ResamplerWeights {
  /** [queries, dim] */
  readonly queries: Features
  readonly heads: number
  readonly q: LinearWeights
  readonly k: LinearWeights
  readonly v: LinearWeights
  /** Output projection. */
  readonly o: LinearWeights
  /** Layer norm after the residual; epsilon 1e-5. */
  readonly norm: { readonly weight: Float32Array; readonly bias: Float32Array }
  /** Two layers with a ReLU between, added to the normed rows. */
  readonly feedForward?: { readonly up: LinearWeights; readonly down: LinearWeights }
}

/**
 * Query resampling: in every window of frames, each learnt query gathers what it attends to: y = LN(Q + MHA(Q, X, X)), y + FFN(y).
 * SALMONN takes one query per 17 frames. The last window may be shorter.
 *
 * @returns [windows * queries, dim]
 */
export function resampleWithQueries(features: Features, window: number, weights: ResamplerWeights): Features {
  const { queries, norm, feedForward } = weights
  const frames = frameCount(features)
  const { dim } = queries
  if (!Number.isInteger(window) || window < 1)
    throw new TokenError(`the window is ${window} frames, expected a whole number from 1`)
  if (dim % weights.heads !== 0)
    throw new TokenError(`${dim} dimensions cannot be shared by ${weights.heads} heads`)
  const count = frameCount(queries)
  const windows = Math.ceil(frames / window)
  const values = new Float32Array(windows * count * dim)
  const asked = linear(queries, weights.q)
  for (let w = 0; w < windows; w++) {
    const part = features.values.subarray(w * window * features.dim, (w + 1) * window * features.dim)
    const gathered = linear(attend(asked, { values: part, dim: features.dim }, weights), weights.o)
    const normed = layerNorm(added(queries, gathered), norm)
    const result = feedForward
      ? added(normed, linear(relu(linear(normed, feedForward.up)), feedForward.down))
      : normed
    values.set(result.values, w * count * dim)
  }
  return { values, dim }
}

function attend(asked: Features, frames: Features, { heads, k, v }: ResamplerWeights): Features {
  const keys = linear(frames, k)
  const contents = linear(frames, v)
  const { dim } = asked
  const headDim = dim / heads
  const result: Features = { values: new Float32Array(asked.values.length), dim }
  for (let query = 0; query < frameCount(asked); query++)
    for (let start = 0; start < dim; start += headDim) {
      const part = (features: Features, r: number) => row(features, r).subarray(start, start + headDim)
      const scores = Array.from(
        { length: frameCount(frames) },
        (_, t) => dot(part(asked, query), part(keys, t)) / Math.sqrt(headDim),
      )
      const shares = softmax(scores)
      const target = part(result, query)
      for (let i = 0; i < headDim; i++)
        target[i] = shares.reduce((sum, share, t) => sum + share * part(contents, t)[i], 0)
    }
  return result
}

function softmax(scores: readonly number[]): number[] {
  const most = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const powers = scores.map(score => exponential(score - most))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map(power => power / sum)
}

function linear(input: Features, { weight, bias }: LinearWeights): Features {
  if (input.dim !== weight.dim)
    throw new TokenError(`rows of ${input.dim} meet weights for ${weight.dim} dimensions`)
  const dim = frameCount(weight)
  const values = new Float32Array(frameCount(input) * dim)
  for (let i = 0; i < values.length; i++)
    values[i] = dot(row(input, Math.floor(i / dim)), row(weight, i % dim)) + bias[i % dim]
  return { values, dim }
}

function added(a: Features, b: Features): Features {
  return { values: a.values.map((value, i) => value + b.values[i]), dim: a.dim }
}

function relu(input: Features): Features {
  return { values: input.values.map(value => Math.max(0, value)), dim: input.dim }
}

function layerNorm(input: Features, { weight, bias }: ResamplerWeights['norm']): Features {
  const { dim } = input
  const values = input.values.slice()
  for (let r = 0; r < frameCount(input); r++) {
    const vector = values.subarray(r * dim, (r + 1) * dim)
    const mean = vector.reduce((sum, value) => sum + value, 0) / dim
    const variance = vector.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / dim
    const scale = 1 / Math.sqrt(variance + 1e-5)
    for (let i = 0; i < dim; i++) vector[i] = (vector[i] - mean) * scale * weight[i] + bias[i]
  }
  return { values, dim }
}
