import {
  codeAgreement,
  f0Agreement,
  logSpectralDistance,
  melCepstralDistortion,
  melDistance,
  multiResolutionStftDistance,
  pitch,
  siSdr,
  stoi,
} from '../../metrics/index.js'

/** How a measure is shown and read. */
interface Measure {
  readonly label: string
  /** Which way is better; undefined where neither is. */
  readonly better: 'higher' | 'lower'
  readonly digits: number
}

/** Every measure of a clip, in the order of tables. */
export const MEASURES = {
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
  encodeSpeed: { label: 'encode, times real time', better: 'higher', digits: 2 },
  decodeSpeed: { label: 'decode, times real time', better: 'higher', digits: 2 },
} as const satisfies Readonly<Record<string, Measure>>

export type MeasureName = keyof typeof MEASURES

export const MEASURE_NAMES = Object.keys(MEASURES) as MeasureName[]

/** Null: the clip does not have it, as F0 where nothing is voiced. */
export type Measures = Readonly<Record<MeasureName, number | null>>

/** What `stoi` gives where fewer than 30 frames of speech remain; it must not enter a mean. */
const STOI_TOO_SHORT = 1e-5

/** A clip before and after, at one sample rate in Hz, and the codes of both. */
export interface MeasuredClip {
  readonly reference: Float32Array
  readonly decoded: Float32Array
  readonly sampleRate: number
  readonly codes: readonly Uint16Array[]
  /** Codes of the decoded audio. */
  readonly codesAgain: readonly Uint16Array[]
  /** Seconds of audio per second of computing. */
  readonly encodeSpeed: number
  readonly decodeSpeed: number
}

/** All measures of a clip. Throws AudioError for an empty one. */
export function measure(clip: MeasuredClip): Measures {
  const { reference, decoded, sampleRate, codes, codesAgain, encodeSpeed, decodeSpeed } = clip
  const f0 = f0Agreement(pitch(reference, sampleRate).f0, pitch(decoded, sampleRate).f0)
  const agreement = codeAgreement(codes, codesAgain)
  const values: Record<MeasureName, number> = {
    stoi: intelligibility(clip, false),
    estoi: intelligibility(clip, true),
    melDistance: melDistance(reference, decoded, sampleRate),
    stftDistance: multiResolutionStftDistance(reference, decoded),
    logSpectralDistance: logSpectralDistance(reference, decoded),
    melCepstralDistortion: melCepstralDistortion(reference, decoded, sampleRate),
    siSdr: siSdr(reference, decoded),
    f0Correlation: f0.correlation,
    f0RmseCents: f0.rmseCents,
    f0FrameError: f0.ffe,
    voicingF1: f0.voicingF1,
    stability: agreement.reduce((sum, share) => sum + share, 0) / agreement.length,
    encodeSpeed,
    decodeSpeed,
  }
  const finite = Object.entries(values).map(([name, value]) => [name, Number.isFinite(value) ? value : null])
  return Object.fromEntries(finite) as Measures
}

function intelligibility({ reference, decoded, sampleRate }: MeasuredClip, extended: boolean): number {
  const value = stoi(reference, decoded, sampleRate, { extended })
  return value === STOI_TOO_SHORT ? Number.NaN : value
}
