import { ConfigError } from '../../errors.js'
import { arrange, type Corpus, type FairnessEntry, speakersOf } from './corpus.js'
import {
  type GroupSensitivity,
  groupSensitivity,
  type ShiftSensitivity,
  sensitivities,
} from './counterfactual.js'
import { histograms, sideDivergence } from './divergence.js'
import { type GroupMean, groupMean, meanDifference } from './means.js'
import { type Orientation, orientation } from './orientation.js'
import { leakageProbe, type Probe } from './probe.js'
import { viewsOf } from './renderings.js'
import { type Figure, figureOf, type Resampling, relabelings } from './resampling.js'
import { type SameText, sameText } from './same_text.js'

/** Settings of {@link fairnessReport}. */
export interface FairnessOptions extends Partial<Resampling> {
  /** A group that should sound like none of the others, such as neutral voices: told is to which of each two it is closer. */
  neutral?: string
}

/** How a tokenizer treats groups of speakers; plain data. */
export interface FairnessReport extends Resampling {
  readonly codebookSizes: readonly number[]
  readonly groups: readonly {
    readonly name: string
    readonly speakers: number
    readonly clips: number
    readonly tokens: number
  }[]
  /** Every measure's mean in every group. */
  readonly means: readonly { readonly measure: string; readonly groups: readonly GroupMean[] }[]
  /** One per codebook. */
  readonly probe: readonly Probe[]
  readonly pairs: readonly GroupPair[]
  /** Empty without a neutral group. */
  readonly orientation: readonly Orientation[]
  /** One per codebook; empty where no entry has shifted codes. */
  readonly counterfactual: readonly GroupSensitivity[]
}

/** Two groups side by side. */
export interface GroupPair {
  readonly groups: readonly [a: string, b: string]
  /** Labelings behind every p; exact: all that there are, so that p cannot be below 1 / count. */
  readonly permutations: { readonly count: number; readonly isExact: boolean }
  /** Jensen-Shannon divergence between histograms of codes and of neighbouring codes, bits; one per codebook. */
  readonly distribution: readonly {
    readonly codebook: number
    readonly unigram: Figure
    readonly bigram: Figure
  }[]
  readonly sameText: readonly SameText[]
  /** Means of a less means of b. */
  readonly measures: readonly { readonly measure: string; readonly difference: Figure }[]
  /** Change of tokens per semitone, a less b; one per codebook. */
  readonly counterfactual: readonly { readonly codebook: number; readonly difference: Figure }[]
}

/**
 * Differences between groups of speakers in a tokenizer's codes and reconstructions, after the tests of "Acoustic-based Gender
 * Differentiation in Speech-aware Language Models" (arXiv 2509.21125), for any groups. It is meant to measure models; it must not be used to
 * tell to what group a person belongs.
 *
 * Equal entries and options give equal reports. With n codes in all, it takes about (shuffles + resamples) * n steps per pair and codebook.
 *
 * @throws ConfigError for fewer than two groups, a speaker in two, unknown neutral group or counts below 1
 * @throws TokenError for codes out of range or clips of different models
 */
export function fairnessReport(
  entries: readonly FairnessEntry[],
  options: FairnessOptions = {},
): FairnessReport {
  const { shuffles = 1000, resamples = 1000, seed = 1, neutral } = options
  for (const [name, count] of Object.entries({ shuffles, resamples }))
    if (!(Number.isInteger(count) && count > 0))
      throw new ConfigError(`${name} is ${count}; expected a whole number from 1`)
  const resampling = { shuffles, resamples, seed }
  const corpus = arrange(entries)
  const shifts = sensitivities(corpus)
  const names = [...new Set(entries.flatMap(({ measures = {} }) => Object.keys(measures)))]
  return {
    ...resampling,
    codebookSizes: corpus.codebookSizes,
    groups: corpus.groups.map(name => sizes(corpus, name)),
    means: names.map(measure => ({
      measure,
      groups: corpus.groups.map(group =>
        groupMean(group, speakersOf(corpus, group), measureNamed(measure), resampling),
      ),
    })),
    probe: corpus.codebookSizes.map((_, codebook) => leakageProbe(corpus, codebook, resampling)),
    pairs: pairsOf(corpus.groups).map(pair => comparePair(corpus, pair, names, shifts, resampling)),
    orientation: neutral === undefined ? [] : orientations(corpus, neutral, resampling),
    counterfactual:
      shifts.size === 0
        ? []
        : corpus.codebookSizes.map((_, codebook) => groupSensitivity(corpus, shifts, codebook, resampling)),
  }
}

function sizes(corpus: Corpus, name: string) {
  const speakers = speakersOf(corpus, name)
  const clips = speakers.flatMap(({ entries }) => entries)
  const tokens = clips.flatMap(({ codes }) => codes).reduce((sum, { length }) => sum + length, 0)
  return { name, speakers: speakers.length, clips: clips.length, tokens }
}

function measureNamed(measure: string) {
  return ({ measures = {} }: FairnessEntry) => measures[measure] ?? null
}

function pairsOf(groups: readonly string[]): [string, string][] {
  return groups.flatMap((a, i) => groups.slice(i + 1).map((b): [string, string] => [a, b]))
}

function comparePair(
  corpus: Corpus,
  groups: [string, string],
  measures: readonly string[],
  shifts: ReadonlyMap<FairnessEntry, ShiftSensitivity>,
  resampling: Resampling,
): GroupPair {
  const speakers = groups.flatMap(group => speakersOf(corpus, group))
  const side = Uint8Array.from(speakers, ({ group }) => groups.indexOf(group))
  const divergence = (codebook: number, order: 1 | 2) => {
    const clips = speakers.map(({ entries }) => entries.map(({ codes }) => codes[codebook]))
    const counts = histograms(clips, corpus.codebookSizes[codebook], order)
    const test = { tail: 'greater', isBiased: true } as const
    return figureOf(side, assignment => sideDivergence(counts, assignment), test, resampling)
  }
  const { sides, isExact } = relabelings(side, resampling.seed, resampling.shuffles)
  const codebooks = [...corpus.codebookSizes.keys()]
  return {
    groups,
    permutations: { count: sides.length, isExact },
    distribution: codebooks.map(codebook => ({
      codebook,
      unigram: divergence(codebook, 1),
      bigram: divergence(codebook, 2),
    })),
    sameText: viewsOf(corpus).map(view => sameText(speakers, side, view, resampling)),
    measures: measures.map(measure => ({
      measure,
      difference: meanDifference(speakers, side, measureNamed(measure), resampling),
    })),
    counterfactual:
      shifts.size === 0
        ? []
        : codebooks.map(codebook => ({
            codebook,
            difference: meanDifference(
              speakers,
              side,
              entry => shifts.get(entry)?.perSemitone[codebook] ?? null,
              resampling,
            ),
          })),
  }
}

function orientations(corpus: Corpus, neutral: string, resampling: Resampling): Orientation[] {
  if (!corpus.groups.includes(neutral))
    throw new ConfigError(`the neutral group is ${neutral}; the corpus has ${corpus.groups.join(', ')}`)
  const others = corpus.groups.filter(group => group !== neutral)
  if (others.length < 2)
    throw new ConfigError(
      `beside the neutral group ${neutral} there is ${others.join()} alone; two more groups are needed`,
    )
  return pairsOf(others).flatMap(groups =>
    viewsOf(corpus).map(view => orientation(corpus.speakers, neutral, groups, view, resampling)),
  )
}
