import { TokenError } from '../../errors.js'
import { dot, type Features, frameCount, normalised, row } from './features.js'

/**
 * Keeps the `count` frames with the highest scores, in time order; of equal scores the earlier.
 *
 * @returns the kept frames, and for every frame the kept one (its index) nearest in time, the earlier of two
 */
export function keepBest(scores: ArrayLike<number>, count: number): { kept: number[]; map: Int32Array } {
  const frames = scores.length
  if (!Number.isInteger(count) || count < Math.min(1, frames) || count > frames)
    throw new TokenError(`${count} of ${frames} frames are to be kept, expected 1 to ${frames}`)
  const order = Array.from({ length: frames }, (_, frame) => frame)
  const kept = order
    .sort((a, b) => scores[b] - scores[a] || a - b)
    .slice(0, count)
    .sort((a, b) => a - b)
  let nearest = 0
  const map = Int32Array.from({ length: frames }, (_, frame) => {
    while (nearest + 1 < kept.length && kept[nearest + 1] - frame < frame - kept[nearest]) nearest++
    return nearest
  })
  return { kept, map }
}

/** How new each frame is: 1 minus its cosine to the frame before. The first scores 2, the most there is. */
export function noveltyScores(features: Features): number[] {
  const unit = normalised(features)
  return Array.from({ length: frameCount(features) }, (_, frame) =>
    frame === 0 ? 2 : 1 - dot(row(unit, frame), row(unit, frame - 1)),
  )
}

/** Attention that each key receives, the mean over heads and queries. @param attention [heads, queries, keys] */
export function attentionScores(attention: ArrayLike<number>, heads: number, keys: number): number[] {
  const rows = attention.length / keys
  if (!Number.isInteger(rows) || rows % heads !== 0)
    throw new TokenError(`${attention.length} attention weights are no [${heads}, queries, ${keys}]`)
  const sums = new Array<number>(keys).fill(0)
  for (let i = 0; i < attention.length; i++) sums[i % keys] += attention[i]
  return sums.map(sum => sum / rows)
}

/** The highest cosine of each frame to a query, such as the embedding of a word (SpeechPrune's first stage). */
export function queryScores(features: Features, queries: Features): number[] {
  if (features.dim !== queries.dim)
    throw new TokenError(`features have ${features.dim} dimensions, the queries ${queries.dim}`)
  const unit = normalised(features)
  const unitQueries = normalised(queries)
  const count = frameCount(queries)
  if (count === 0) throw new TokenError('no queries were given')
  return Array.from({ length: frameCount(features) }, (_, frame) => {
    let best = Number.NEGATIVE_INFINITY
    for (let q = 0; q < count; q++) best = Math.max(best, dot(row(unit, frame), row(unitQueries, q)))
    return best
  })
}
