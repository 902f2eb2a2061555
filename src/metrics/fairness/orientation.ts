import type { Speaker } from './corpus.js'
import { renderingPairs, type View } from './renderings.js'
import { draws, type Figure, interval, missing, type Resampling } from './resampling.js'

/** To which of two groups a third is closer. */
export interface Orientation {
  readonly neutral: string
  readonly groups: readonly [a: string, b: string]
  /** A codebook's number, or features. */
  readonly of: View
  /** d(N, A) - d(N, B) on the same texts: above 0, the neutral group is closer to B. Interval by bootstrap over texts. */
  readonly value: Figure
  readonly texts: number
}

/** Every text weighs the same. There is no p-value: an interval that holds 0 says as much. */
export function orientation(
  speakers: readonly Speaker[],
  neutral: string,
  groups: readonly [string, string],
  view: View,
  { seed, resamples }: Resampling,
): Orientation {
  const groupOf = (speaker: number) => speakers[speaker].group
  const texts = renderingPairs(
    speakers,
    view,
    (a, b) => groupOf(a) !== groupOf(b) && [groupOf(a), groupOf(b)].includes(neutral),
  )
  const mean = (pairs: (typeof texts)[number], group: string) => {
    const found = pairs.filter(({ speakers }) => speakers.some(speaker => groupOf(speaker) === group))
    return found.reduce((sum, { distance }) => sum + distance, 0) / found.length
  }
  const differences = texts
    .map(pairs => mean(pairs, groups[0]) - mean(pairs, groups[1]))
    .filter(Number.isFinite)
  const about = { neutral, groups, of: view, texts: differences.length }
  if (differences.length === 0) return { ...about, value: missing('no text is said by all three groups') }
  const meanOf = (weight: ArrayLike<number>) =>
    differences.reduce((sum, each, text) => sum + weight[text] * each, 0) / differences.length
  const value = meanOf(differences.map(() => 1))
  if (differences.length === 1)
    return {
      ...about,
      value: { value, interval: null, p: null, reason: 'one text is said by all three groups' },
    }
  const drawn = draws(new Uint8Array(differences.length), seed, resamples).map(meanOf)
  return { ...about, value: { value, interval: interval(drawn, value), p: null } }
}
