import { TokenError } from '../../errors.js'
import { dot, type Features, frameCount, normalised, row } from './features.js'

/** Which even frames go into which odd ones. */
export interface Matching {
  /** Even frames that stay (their index among the even ones), best matches first; in time order with a class token. */
  readonly kept: number[]
  /** Even frames that are merged, best matches first. */
  readonly sources: number[]
  /** The odd frame (its index among the odd ones) that each source goes into. */
  readonly destinations: number[]
}

/**
 * Bipartite soft matching of ToMe (arXiv 2210.09461, appendix D): every even frame proposes the odd frame most similar to it by cosine,
 * and the `count` best pairs are merged.
 *
 * @param metric what similarity is measured on: keys of an attention layer, or the features themselves
 * @param count frames to merge; at most half can be
 * @param hasClassToken frame 0 is never merged
 */
export function matchBipartite(metric: Features, count: number, hasClassToken = false): Matching {
  const frames = frameCount(metric)
  const limit = Math.min(count, Math.floor((frames - (hasClassToken ? 1 : 0)) / 2))
  if (!(count >= 0)) throw new TokenError(`${count} frames are to be merged, expected 0 or more`)
  const unit = normalised(metric)
  const evens = Array.from({ length: Math.ceil(frames / 2) }, (_, i) => {
    const isClass = hasClassToken && i === 0
    return { i, ...(isClass ? { best: -1, score: Number.NEGATIVE_INFINITY } : bestOdd(unit, 2 * i)) }
  })
  evens.sort((a, b) => b.score - a.score || a.i - b.i)
  const merged = evens.slice(0, limit)
  const kept = evens.slice(limit).map(({ i }) => i)
  if (hasClassToken) kept.sort((a, b) => a - b)
  return { kept, sources: merged.map(({ i }) => i), destinations: merged.map(({ best }) => best) }
}

function bestOdd(unit: Features, frame: number): { best: number; score: number } {
  let [best, score] = [-1, Number.NEGATIVE_INFINITY]
  const odds = Math.floor(frameCount(unit) / 2)
  for (let j = 0; j < odds; j++) {
    const similarity = dot(row(unit, frame), row(unit, 2 * j + 1))
    if (similarity > score) [best, score] = [j, similarity]
  }
  return { best, score }
}

/** Token of every frame, in upstream's order: the even frames that stay, then the odd ones. */
export function mapOfMatching({ kept, sources, destinations }: Matching, frames: number): Int32Array {
  const map = new Int32Array(frames)
  kept.forEach((even, token) => {
    map[2 * even] = token
  })
  for (let odd = 0; 2 * odd + 1 < frames; odd++) map[2 * odd + 1] = kept.length + odd
  sources.forEach((even, i) => {
    map[2 * even] = kept.length + destinations[i]
  })
  return map
}

/**
 * ToMe's k-th matching: the last frame of each group of k stays; all others go into the most similar of those. Frames that fill no group
 * go into the last.
 */
export function mapOfEveryKth(metric: Features, k: number): Int32Array {
  const frames = frameCount(metric)
  const groups = Math.floor(frames / k)
  if (!Number.isInteger(k) || k < 1 || groups < 1)
    throw new TokenError(`groups of ${k} frames in ${frames}, expected 1 to ${frames}`)
  const unit = normalised(metric)
  return Int32Array.from({ length: frames }, (_, frame) => {
    if (frame >= groups * k) return groups - 1
    if (frame % k === k - 1) return Math.floor(frame / k)
    let [best, score] = [0, Number.NEGATIVE_INFINITY]
    for (let group = 0; group < groups; group++) {
      const similarity = dot(row(unit, frame), row(unit, group * k + k - 1))
      if (similarity > score) [best, score] = [group, similarity]
    }
    return best
  })
}
