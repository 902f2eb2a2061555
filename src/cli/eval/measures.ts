import {
  codeAgreement,
  edits,
  errorRate,
  f0Agreement,
  logSpectralDistance,
  melCepstralDistortion,
  melDistance,
  multiResolutionStftDistance,
  type NamedMetric,
  normalisedWords,
  pitch,
  siSdr,
  stoi,
} from '../../metrics/index.js'
import type { Original } from './original.js'

/** How a measure is shown and read. */
export interface Measure {
  readonly label: string
  /** Which way is better; undefined where neither is. */
  readonly better: 'higher' | 'lower'
  readonly digits: number
  /** Depends on the machine: no quality. */
  readonly isSpeed?: boolean
}

/** What every clip has. */
const ALWAYS = {
  stoi: { label: 'STOI', better: 'higher', digits: 3 },
  estoi: { label: 'ESTOI', better: 'higher', digits: 3 },
  melDistance: { label: 'mel distance', better: 'lower', digits: 3 },
  stftDistance: { label: 'multi-resolution STFT', better: 'lower', digits: 3 },
  logSpectralDistance: { label: 'log-spectral distance', better: 'lower', digits: 3 },
  melCepstralDistortion: { label: 'mel-cepstral distortion, dB', better: 'lower', digits: 2 },
  siSdr: { label: 'SI-SDR, dB', better: 'higher', digits: 2 },
  f0Correlation: { label: 'F0 correlation', better: 'higher', digits: 3 },
  f0RmseCents: { label: 'F0 RMSE, cents', better: 'lower', digits: 1 },
  f0FrameError: { label: 'F0 frame error', better: 'lower', digits: 3 },
  voicingF1: { label: 'V/UV F1', better: 'higher', digits: 3 },
  stability: { label: 'round-trip stability', better: 'higher', digits: 3 },
} as const satisfies Readonly<Record<string, Measure>>

const WITH_TOKENS = {
  referenceAgreement: { label: 'codes equal to reference tokens', better: 'higher', digits: 4 },
} as const satisfies Readonly<Record<string, Measure>>

const WITH_WORDS = {
  wordErrorRate: { label: 'word error rate', better: 'lower', digits: 3 },
  wordErrorRateOfOriginal: { label: 'word error rate of the original', better: 'lower', digits: 3 },
  wordsChanged: { label: 'words changed (differential WER)', better: 'lower', digits: 3 },
} as const satisfies Readonly<Record<string, Measure>>

const SPEEDS = {
  encodeSpeed: { label: 'encode, times real time', better: 'higher', digits: 2, isSpeed: true },
  decodeSpeed: { label: 'decode, times real time', better: 'higher', digits: 2, isSpeed: true },
} as const satisfies Readonly<Record<string, Measure>>

const KNOWN: Readonly<Record<string, Measure>> = { ...ALWAYS, ...WITH_TOKENS, ...WITH_WORDS, ...SPEEDS }

/** Measures by name, in the order of tables. */
export type MeasureTable = Readonly<Record<string, Measure>>

/** The measures that a run with these sources has; judges' own come before speeds. */
export function measureTable(given: {
  readonly hasTokens?: boolean
  readonly hasEar?: boolean
  readonly metrics?: readonly NamedMetric[]
}): MeasureTable {
  const { hasTokens, hasEar, metrics = [] } = given
  const judged = metrics.map(({ name, unit, higherIsBetter }): [string, Measure] => [
    name,
    { label: unit ? `${name}, ${unit}` : name, better: higherIsBetter ? 'higher' : 'lower', digits: 3 },
  ])
  return {
    ...ALWAYS,
    ...(hasTokens && WITH_TOKENS),
    ...(hasEar && WITH_WORDS),
    ...Object.fromEntries(judged),
    ...SPEEDS,
  }
}

/** Names of the measures that do not depend on the machine. */
export function qualities(table: MeasureTable): string[] {
  return Object.keys(table).filter(name => !table[name].isSpeed)
}

/** True for a name that a judge may not take. */
export function isKnownMeasure(name: string): boolean {
  return Object.hasOwn(KNOWN, name)
}

/** Null: the clip does not have it, as F0 where nothing is voiced. */
export type Measures = Readonly<Record<string, number | null>>

/** What stoi() gives where fewer than 30 frames of speech remain; it must not enter a mean. */
const STOI_TOO_SHORT = 1e-5

/** A clip before and after, and the codes of both. */
export interface MeasuredClip {
  readonly original: Original
  readonly decoded: Float32Array
  /** Of `decoded`, Hz; the measures are taken at it. */
  readonly sampleRate: number
  readonly codes: readonly Uint16Array[]
  /** Codes of the decoded audio. */
  readonly codesAgain: readonly Uint16Array[]
  /** Codes from elsewhere, which these should equal. */
  readonly referenceCodes?: readonly ArrayLike<number>[]
  /** Seconds of audio per second of computing. */
  readonly encodeSpeed: number
  readonly decodeSpeed: number
}

/** What can be said without a model beside the codec. Throws AudioError for an empty clip. */
export function measure(clip: MeasuredClip): Measures {
  const { original, decoded, sampleRate, codes, codesAgain, referenceCodes, encodeSpeed, decodeSpeed } = clip
  const reference = original.at(sampleRate)
  const f0 = f0Agreement(original.f0At(sampleRate), pitch(decoded, sampleRate).f0)
  return finite({
    stoi: intelligibility(reference, decoded, sampleRate, false),
    estoi: intelligibility(reference, decoded, sampleRate, true),
    melDistance: melDistance(reference, decoded, sampleRate),
    stftDistance: multiResolutionStftDistance(reference, decoded),
    logSpectralDistance: logSpectralDistance(reference, decoded),
    melCepstralDistortion: melCepstralDistortion(reference, decoded, sampleRate),
    siSdr: siSdr(reference, decoded),
    f0Correlation: f0.correlation,
    f0RmseCents: f0.rmseCents,
    f0FrameError: f0.ffe,
    voicingF1: f0.voicingF1,
    stability: meanAgreement(codes, codesAgain),
    ...(referenceCodes && { referenceAgreement: meanAgreement(codes, referenceCodes) }),
    encodeSpeed,
    decodeSpeed,
  })
}

/** Share of codes that agree, on what both have in frames and codebooks. */
export function meanAgreement(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number {
  const common = Math.min(a.length, b.length)
  const shares = codeAgreement(a.slice(0, common), b.slice(0, common))
  return shares.reduce((sum, share) => sum + share, 0) / shares.length
}

/** Numbers that are none become null. */
export function finite(values: Readonly<Record<string, number>>): Measures {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Number.isFinite(value) ? value : null]),
  )
}

/** What a recogniser heard, as rates, and how many words each of these counts: over clips, errors are added and words are. */
export function measureWords(heard: {
  readonly original: string
  readonly decoded: string
  readonly transcript?: string
}): { measures: Measures; words: Readonly<Record<string, number>> } {
  const original = normalisedWords(heard.original)
  const decoded = normalisedWords(heard.decoded)
  const spoken = heard.transcript === undefined ? undefined : normalisedWords(heard.transcript)
  const rates = {
    ...(spoken && { wordErrorRate: [spoken, decoded], wordErrorRateOfOriginal: [spoken, original] }),
    wordsChanged: [original, decoded],
  }
  const entries = Object.entries(rates)
  return {
    measures: Object.fromEntries(
      entries.map(([name, [reference, said]]) => [
        name,
        reference.length > 0 ? errorRate([edits(reference, said)]) : null,
      ]),
    ),
    words: Object.fromEntries(entries.map(([name, [{ length }]]) => [name, length])),
  }
}

function intelligibility(
  reference: Float32Array,
  decoded: Float32Array,
  sampleRate: number,
  extended: boolean,
): number {
  const value = stoi(reference, decoded, sampleRate, { extended })
  return value === STOI_TOO_SHORT ? Number.NaN : value
}
