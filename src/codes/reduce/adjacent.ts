import { TokenError } from '../../errors.js'
import { dot, type Features, frameCount, normalised, row } from './features.js'

/** Which pairs of an A-ToMe layer merge: those at least so similar, or so many of the most similar. */
export type AdjacentChoice = { readonly threshold: number } | { readonly count: number }

/**
 * One layer of A-ToMe (adjacent token merging for speech): frames 2j and 2j + 1 merge where their cosine is high. Order stays.
 *
 * @returns token of every frame
 */
export function mapOfAdjacentPairs(metric: Features, choice: AdjacentChoice): Int32Array {
  const frames = frameCount(metric)
  const unit = normalised(metric)
  const pairs = Array.from({ length: Math.floor(frames / 2) }, (_, j) => ({
    j,
    similarity: dot(row(unit, 2 * j), row(unit, 2 * j + 1)),
  }))
  const chosen =
    'threshold' in choice
      ? pairs.filter(({ similarity }) => similarity >= choice.threshold)
      : [...pairs]
          .sort((a, b) => b.similarity - a.similarity || a.j - b.j)
          .slice(0, Math.max(0, choice.count))
  const merges = new Set(chosen.map(({ j }) => 2 * j + 1))
  let token = -1
  return Int32Array.from({ length: frames }, (_, frame) => (merges.has(frame) ? token : ++token))
}

/**
 * Segments in one pass: a frame joins the segment before it while its cosine to the segment's mean is at least `threshold` and the
 * segment is shorter than `longest`.
 *
 * @returns token of every frame
 */
export function mapOfSegments(
  features: Features,
  threshold: number,
  longest = Number.POSITIVE_INFINITY,
): Int32Array {
  if (!(longest >= 1)) throw new TokenError(`segments of at most ${longest} frames, expected 1 or more`)
  const frames = frameCount(features)
  const sum = new Float64Array(features.dim)
  let size = 0
  let token = -1
  return Int32Array.from({ length: frames }, (_, frame) => {
    const vector = row(features, frame)
    const norms = Math.sqrt(dot(vector, vector)) * Math.sqrt(dot(sum, sum))
    const joins = size > 0 && size < longest && dot(vector, sum) >= threshold * norms
    if (!joins) {
      sum.fill(0)
      size = 0
      token++
    }
    size++
    for (let i = 0; i < sum.length; i++) sum[i] += vector[i]
    return token
  })
}
