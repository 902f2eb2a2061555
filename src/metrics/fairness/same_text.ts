import type { Speaker } from './corpus.js'
import { renderingPairs, type View } from './renderings.js'
import { type Assignment, type Figure, figureOf, missing, type Resampling } from './resampling.js'

/** How far apart renderings of one text are, between two groups and within them. */
export interface SameText {
  /** A codebook's number, or features. */
  readonly of: View
  /** d(A, B) - (d(A, A) + d(B, B)) / 2: 0 where speakers of different groups are no further apart than those of one. */
  readonly gap: Figure
  /** Mean distances over the texts that have all three; null where none has. */
  readonly between: number | null
  readonly within: readonly [a: number, b: number] | null
  /** Texts that have all three. */
  readonly texts: number
}

interface Means {
  readonly between: number
  readonly within: readonly [number, number]
  readonly texts: number
}

/** `side` tells the group of each speaker. Every text weighs the same, every pair of speakers within a text too. */
export function sameText(
  speakers: readonly Speaker[],
  side: Uint8Array,
  view: View,
  resampling: Resampling,
): SameText {
  const without = { of: view, between: null, within: null, texts: 0 }
  if (speakers.every(({ entries }) => entries.every(({ text }) => text === undefined)))
    return { ...without, gap: missing('no clip of these groups has a text') }
  const texts = renderingPairs(speakers, view)
  const gapOf = (assignment: Assignment) => {
    const { between, within } = meansOf(texts, assignment)
    return between - (within[0] + within[1]) / 2
  }
  const found = meansOf(texts, { side, weight: new Float64Array(side.length).fill(1) })
  if (found.texts === 0) return { ...without, gap: missing('no text is said by two speakers of each group') }
  return { of: view, ...found, gap: figureOf(side, gapOf, { tail: 'greater' }, resampling) }
}

function meansOf(texts: ReturnType<typeof renderingPairs>, { side, weight }: Assignment): Means {
  const sums = new Float64Array(3)
  let complete = 0
  for (const pairs of texts) {
    const distances = new Float64Array(3)
    const weights = new Float64Array(3)
    for (const { speakers, distance } of pairs) {
      const [a, b] = speakers
      // 0 and 1: within the group of that side; 2: between.
      const kind = side[a] === side[b] ? side[a] : 2
      distances[kind] += weight[a] * weight[b] * distance
      weights[kind] += weight[a] * weight[b]
    }
    if (weights.includes(0)) continue
    complete++
    for (let kind = 0; kind < 3; kind++) sums[kind] += distances[kind] / weights[kind]
  }
  const [first, second, between] = sums.map(sum => sum / complete)
  return { between, within: [first, second], texts: complete }
}
