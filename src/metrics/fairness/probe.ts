import { seededUniform, shuffled } from '../../random.js'
import type { Corpus, FairnessEntry } from './corpus.js'
import { type LogisticOptions, logisticRegression, type SparseRow } from './logistic.js'
import { draws, type Figure, interval, missing, type Resampling } from './resampling.js'

/** How well a linear model tells the groups apart by how often each code occurs in a clip. */
export interface Probe {
  readonly codebook: number
  /** Groups with two speakers or more; the others cannot be asked about. */
  readonly groups: readonly string[]
  readonly folds: number
  /**
   * Mean over groups of the share of clips that are recognised, by models that have not heard the speaker. Interval by bootstrap over
   * speakers, of the same predictions. No p-value: compare with `chance`.
   */
  readonly balancedAccuracy: Figure
  /** 1 / groups: what no leakage gives. */
  readonly chance: number | null
}

const MOST_FOLDS = 5
const SETTINGS: LogisticOptions = { C: 1, balanced: true }

interface Sample {
  readonly speaker: number
  readonly group: number
  readonly row: SparseRow
}

/** Speaker-disjoint cross-validation, 5-fold where every group has five speakers, else as many folds as the smallest has. */
export function leakageProbe(corpus: Corpus, codebook: number, { seed, resamples }: Resampling): Probe {
  const bySpeakers = corpus.groups.map(
    group => [group, corpus.speakers.filter(speaker => speaker.group === group)] as const,
  )
  const asked = bySpeakers.filter(([, speakers]) => speakers.length > 1)
  const groups = asked.map(([group]) => group)
  if (groups.length < 2) {
    const reason =
      'fewer than two groups have two speakers: a probe needs others to learn from than it is asked about'
    return { codebook, groups, folds: 0, balancedAccuracy: missing(reason), chance: null }
  }
  const speakers = asked.flatMap(([, members]) => members)
  const strata = speakers.map(({ group }) => groups.indexOf(group))
  const folds = Math.min(MOST_FOLDS, ...asked.map(([, members]) => members.length))
  const foldOf = speakerFolds(strata, folds, seed)
  const samples = speakers.flatMap(({ entries }, speaker) =>
    entries.map((entry): Sample => ({ speaker, group: strata[speaker], row: frequencies(entry, codebook) })),
  )
  const size = corpus.codebookSizes[codebook]
  const right = new Float64Array(speakers.length)
  const asks = new Float64Array(speakers.length)
  for (let fold = 0; fold < folds; fold++) {
    const predict = fit(
      samples.filter(({ speaker }) => foldOf[speaker] !== fold),
      size,
      groups.length,
    )
    for (const { speaker, group, row } of samples.filter(({ speaker }) => foldOf[speaker] === fold)) {
      asks[speaker]++
      if (predict(row) === group) right[speaker]++
    }
  }
  const accuracy = (weight: Float64Array) => balancedAccuracy(right, asks, strata, weight, groups.length)
  const value = accuracy(new Float64Array(speakers.length).fill(1))
  return {
    codebook,
    groups,
    folds,
    balancedAccuracy: {
      value,
      interval: interval(draws(strata, seed, resamples).map(accuracy), value),
      p: null,
    },
    chance: 1 / groups.length,
  }
}

/** Deals the speakers of each group to the folds, in random order. */
function speakerFolds(strata: readonly number[], folds: number, seed: number): Uint32Array {
  const next = seededUniform(seed)
  const foldOf = new Uint32Array(strata.length)
  const dealt = new Map<number, number>()
  for (const speaker of shuffled(strata.length, next)) {
    const count = dealt.get(strata[speaker]) ?? 0
    foldOf[speaker] = count % folds
    dealt.set(strata[speaker], count + 1)
  }
  return foldOf
}

/** Shares of the codes of a clip. */
function frequencies({ codes }: FairnessEntry, codebook: number): SparseRow {
  const row = codes[codebook]
  const counts = new Map<number, number>()
  for (let t = 0; t < row.length; t++) counts.set(row[t], (counts.get(row[t]) ?? 0) + 1)
  return {
    index: Uint32Array.from(counts.keys()),
    value: Float64Array.from(counts.values(), count => count / row.length),
  }
}

/** A model of frequencies in units of their standard deviations in training, as StandardScaler gives them. */
function fit(samples: readonly Sample[], size: number, classes: number): (row: SparseRow) => number {
  const deviations = standardDeviations(
    samples.map(({ row }) => row),
    size,
  )
  const scaled = ({ index, value }: SparseRow): SparseRow => ({
    index,
    value: Float64Array.from(value, (each, i) => each / deviations[index[i]]),
  })
  const model = logisticRegression(
    samples.map(({ row }) => scaled(row)),
    samples.map(({ group }) => group),
    size,
    classes,
    SETTINGS,
  )
  return row => model.predict(scaled(row))
}

/** Population standard deviation of each feature; 1 where it does not vary. */
function standardDeviations(rows: readonly SparseRow[], size: number): Float64Array {
  const sums = new Float64Array(size)
  const squares = new Float64Array(size)
  for (const { index, value } of rows)
    for (let i = 0; i < index.length; i++) {
      sums[index[i]] += value[i]
      squares[index[i]] += value[i] ** 2
    }
  return squares.map((square, code) => {
    const variance = square / rows.length - (sums[code] / rows.length) ** 2
    return variance > 0 ? Math.sqrt(variance) : 1
  })
}

function balancedAccuracy(
  right: Float64Array,
  asks: Float64Array,
  strata: readonly number[],
  weight: Float64Array,
  groups: number,
): number {
  const hits = new Float64Array(groups)
  const totals = new Float64Array(groups)
  strata.forEach((group, speaker) => {
    hits[group] += weight[speaker] * right[speaker]
    totals[group] += weight[speaker] * asks[speaker]
  })
  return hits.reduce((sum, hit, group) => sum + hit / totals[group], 0) / groups
}
