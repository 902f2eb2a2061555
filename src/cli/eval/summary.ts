import {
  codebookUsage,
  NgramModel,
  runStatistics,
  temporalDependence,
  tokenRates,
} from '../../metrics/index.js'
import { bootstrapMean, type Mean } from './bootstrap.js'
import type { Evaluation } from './clip.js'
import type { Difference } from './compare.js'
import type { Failure } from './evaluator.js'
import type { GroupedReport } from './fairness.js'
import type { MeasureTable } from './measures.js'

/** How one codebook is used over all clips; entropies in bits. */
export interface CodebookSummary {
  readonly size: number
  readonly tokens: number
  readonly used: number
  readonly utilisation: number
  readonly entropy: number
  readonly perplexity: number
  /** There are fewer than 10 tokens per code: entropy and perplexity are then too low. */
  readonly entropyBiased: boolean
  /** H(c[t] | c[t-1]); null where every clip is one frame long. */
  readonly conditionalEntropy: number | null
  /** There are fewer than 10 pairs per cell: it is then too low. */
  readonly conditionalEntropyBiased: boolean
  readonly repeatRate: number | null
  /** Occurrences of each code. */
  readonly counts: readonly number[]
}

/** What an n-gram model of the codes of other clips leaves to be said. */
export interface NgramSummary {
  readonly order: number
  readonly bitsPerToken: number
  readonly bitsPerSecond: number
}

/** What the n-th time through the model leaves, means over clips, n from 1. */
export interface DriftSummary {
  readonly stability: readonly Mean[]
  readonly melDistance: readonly Mean[]
}

/** Figures of one system over all clips. */
export interface Summary {
  readonly system: string
  readonly model: string
  readonly clips: number
  readonly audioSeconds: number
  readonly frames: number
  readonly frameRate: number
  readonly tokensPerSecond: number
  readonly bitsPerSecond: number
  readonly entropyBitsPerSecond: number
  readonly measures: Readonly<Partial<Record<string, Mean>>>
  readonly codebooks: readonly CodebookSummary[]
  /** Undefined for a single clip: there is no other to learn from. */
  readonly ngram?: NgramSummary
  readonly drift?: DriftSummary
}

/** One system's part of a report. */
export interface SystemReport {
  readonly summary: Summary
  readonly clips: readonly Evaluation[]
  /** Differences between groups of speakers, where they were asked for. */
  readonly fairness?: GroupedReport
}

/** All that a report shows. */
export interface Report {
  readonly table: MeasureTable
  readonly systems: readonly SystemReport[]
  readonly differences: readonly Difference[]
  readonly failures: readonly Failure[]
}

/** Of at least one clip, all of one system. */
export function summarise(clips: readonly Evaluation[], table: MeasureTable): Summary {
  const [{ system, model, frameRate, codebookSizes, strides }] = clips
  const codebooks = clips[0].codes.map((_, q) =>
    codebookSummary(
      clips.map(({ codes }) => codes[q]),
      codebookSizes[q],
    ),
  )
  const rates = tokenRates(
    codebooks.map(({ entropy }) => entropy),
    codebooks.map(({ size }) => size),
    frameRate,
    strides,
  )
  const means = Object.keys(table).map(name => {
    const having = clips.filter(({ measures }) => (measures[name] ?? null) !== null)
    const values = having.map(({ measures }) => measures[name] as number)
    return [
      name,
      bootstrapMean(
        values,
        having.map(({ words }) => words?.[name] ?? 1),
      ),
    ] as const
  })
  return {
    system,
    model,
    clips: clips.length,
    audioSeconds: clips.reduce((sum, { audioSeconds }) => sum + audioSeconds, 0),
    frames: clips.reduce((sum, { frames }) => sum + frames, 0),
    frameRate,
    tokensPerSecond: rates.tokensPerSecond,
    bitsPerSecond: rates.bitsPerSecond,
    entropyBitsPerSecond: rates.entropyBitsPerSecond,
    measures: Object.fromEntries(means.filter(([, mean]) => mean !== undefined)),
    codebooks,
    ngram: ngramSummary(clips, rates.tokensPerSecond),
    drift: driftSummary(clips),
  }
}

function driftSummary(clips: readonly Evaluation[]): DriftSummary | undefined {
  const drifts = clips.flatMap(({ drift }) => drift ?? [])
  if (drifts.length === 0) return undefined
  const means = (name: keyof DriftSummary) =>
    drifts[0][name].map((_, round) => bootstrapMean(drifts.map(drift => drift[name][round])) as Mean)
  return { stability: means('stability'), melDistance: means('melDistance') }
}

function codebookSummary(clips: readonly Uint16Array[], size: number): CodebookSummary {
  const { tokens, used, utilisation, entropy, perplexity } = codebookUsage(clips, size)
  const hasPairs = clips.some(codes => codes.length > 1)
  const dependence = hasPairs ? temporalDependence(clips, size) : undefined
  const counts = new Array<number>(size).fill(0)
  for (const codes of clips) for (const code of codes) counts[code]++
  return {
    size,
    tokens,
    used,
    utilisation,
    entropy,
    perplexity,
    entropyBiased: tokens < 10 * size,
    conditionalEntropy: dependence?.conditionalEntropy ?? null,
    conditionalEntropyBiased: dependence?.biased ?? false,
    repeatRate: hasPairs ? runStatistics(clips).repeatRate : null,
    counts,
  }
}

const ORDER = 3
const FOLDS = 5

/** Cross-validated over clips: a model that has seen what it is measured on would say too little. */
function ngramSummary(clips: readonly Evaluation[], tokensPerSecond: number): NgramSummary | undefined {
  const folds = Math.min(FOLDS, clips.length)
  if (folds < 2) return undefined
  const sequences = clips.map(flattened)
  const size = clips[0].codes.reduce((sum, _, q) => sum + clips[0].codebookSizes[q], 0)
  let bits = 0
  let tokens = 0
  for (let fold = 0; fold < folds; fold++) {
    const held = sequences.filter((_, index) => index % folds === fold)
    const model = new NgramModel(
      sequences.filter((_, index) => index % folds !== fold),
      size,
      { order: ORDER },
    )
    const count = held.reduce((sum, { length }) => sum + length, 0)
    bits += model.bitsPerToken(held) * count
    tokens += count
  }
  return { order: ORDER, bitsPerToken: bits / tokens, bitsPerSecond: (bits / tokens) * tokensPerSecond }
}

/** All codebooks of frame 0, then of frame 1 ..., each codebook with numbers of its own. */
function flattened({ codes, codebookSizes, strides, frames }: Evaluation): Uint32Array {
  const sequence = new Uint32Array(codes.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (let frame = 0; frame < frames; frame++) {
    let offset = 0
    codes.forEach((row, q) => {
      const stride = strides?.[q] ?? 1
      if (frame % stride === 0) sequence[at++] = offset + row[frame / stride]
      offset += codebookSizes[q]
    })
  }
  return sequence
}
