import type { FairnessEntry, Speaker } from './corpus.js'
import { draws, type Figure, figureOf, interval, type Resampling } from './resampling.js'

/** A group's mean of a measure. */
export interface GroupMean {
  readonly group: string
  /** Over clips; null where none has the measure. */
  readonly mean: number | null
  /** 95 %, bootstrap over speakers; null for one speaker. */
  readonly interval: Figure['interval']
  /** Clips that have the measure. */
  readonly clips: number
}

/** A measure of a clip, null where it has none. */
export type Measure = (entry: FairnessEntry) => number | null

interface Sums {
  readonly sum: number
  readonly clips: number
}

function sumsOf({ entries }: Speaker, measure: Measure): Sums {
  const values = entries.map(measure).filter(value => value !== null)
  return { sum: values.reduce((sum, value) => sum + value, 0), clips: values.length }
}

/** Of the speakers of one group. */
export function groupMean(
  group: string,
  speakers: readonly Speaker[],
  measure: Measure,
  { seed, resamples }: Resampling,
): GroupMean {
  const sums = speakers.map(speaker => sumsOf(speaker, measure)).filter(({ clips }) => clips > 0)
  const clips = sums.reduce((count, each) => count + each.clips, 0)
  if (clips === 0) return { group, mean: null, interval: null, clips }
  const mean = weightedMean(sums, new Float64Array(sums.length).fill(1))
  if (sums.length === 1) return { group, mean, interval: null, clips }
  const drawn = draws(new Uint8Array(sums.length), seed, resamples).map(weight => weightedMean(sums, weight))
  return { group, mean, interval: interval(drawn, mean), clips }
}

/** Mean of the speakers on side 0 less that of side 1. */
export function meanDifference(
  speakers: readonly Speaker[],
  side: Uint8Array,
  measure: Measure,
  resampling: Resampling,
): Figure {
  const sums = speakers.map(speaker => sumsOf(speaker, measure))
  const having = [...sums.keys()].filter(speaker => sums[speaker].clips > 0)
  const kept = having.map(speaker => sums[speaker])
  return figureOf(
    Uint8Array.from(having, speaker => side[speaker]),
    assignment => {
      const on = (wanted: number) =>
        assignment.weight.map((weight, speaker) => (assignment.side[speaker] === wanted ? weight : 0))
      return weightedMean(kept, on(0)) - weightedMean(kept, on(1))
    },
    { tail: 'both' },
    resampling,
  )
}

/** NaN where nothing weighs anything. */
function weightedMean(sums: readonly Sums[], weight: Float64Array): number {
  let sum = 0
  let clips = 0
  sums.forEach((each, speaker) => {
    sum += weight[speaker] * each.sum
    clips += weight[speaker] * each.clips
  })
  return sum / clips
}
