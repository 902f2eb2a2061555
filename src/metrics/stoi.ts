// Taal et al., "An Algorithm for Intelligibility Prediction of Time-Frequency Weighted Noisy Speech" (STOI), and Jensen and Taal, "An
// Algorithm for Predicting the Intelligibility of Speech Masked by Modulated Noise Maskers" (ESTOI), with the constants of their code.
import { AudioError } from '../errors.js'
import { RealFft } from './fft.js'
import { mean, pairOf, type Samples } from './signals.js'
import { resampleLikeOctave } from './stoi_resample.js'

const SAMPLE_RATE = 10000
const FRAME = 256
const HOP = FRAME / 2
const N_FFT = 512
const BANDS = 15
const LOWEST_BAND_HZ = 150
/** Frames of one intermediate measure: 384 ms. */
const SEGMENT = 30
const DYNAMIC_RANGE_DB = 40
/** Clipping at a signal-to-distortion ratio of -15 dB. */
const CLIP = 1 + 10 ** (15 / 20)
/** What the published code returns where fewer than 30 frames are left. */
const TOO_SHORT = 1e-5

/** Hann window of FRAME + 2 points without its two zeros. */
const WINDOW = Float64Array.from(
  { length: FRAME },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 1)) / (FRAME + 1)),
)

export interface StoiOptions {
  /** ESTOI: spectral correlation too, for fluctuating degradations (default false). */
  extended?: boolean
}

/**
 * Short-time objective intelligibility, about 0 (none) to 1. Resamples to 10 kHz; frames more than 40 dB below the reference's loudest
 * are left out of both clips. 1e-5 where fewer than 30 frames (384 ms) of speech remain.
 *
 * @param sampleRate Hz, a whole number, of both clips
 * @throws AudioError for empty or non-finite signals or a fractional sample rate
 */
export function stoi(
  reference: Samples,
  degraded: Samples,
  sampleRate: number,
  options: StoiOptions = {},
): number {
  const pair = pairOf(reference, degraded)
  if (!(Number.isInteger(sampleRate) && sampleRate > 0))
    throw new AudioError(`a sample rate of ${sampleRate}; STOI needs a whole number of Hz`)
  const at10k = (samples: Samples) =>
    sampleRate === SAMPLE_RATE
      ? Float64Array.from(samples)
      : resampleLikeOctave(samples, sampleRate, SAMPLE_RATE)
  const [x, y] = withoutSilence(at10k(pair.reference), at10k(pair.degraded))
  const bandsX = thirdOctaves(x)
  const bandsY = thirdOctaves(y)
  const segments = bandsX[0].length - SEGMENT + 1
  if (segments < 1) return TOO_SHORT
  let sum = 0
  for (let first = 0; first < segments; first++) {
    const cut = (band: Float64Array) => band.slice(first, first + SEGMENT)
    const measure = options.extended ? spectralCorrelation : temporalCorrelation
    sum += measure(bandsX.map(cut), bandsY.map(cut))
  }
  return sum / segments
}

/** Frame starts; the published code leaves the last full frame out. */
function frameStarts(samples: number): number[] {
  return Array.from({ length: Math.max(0, Math.ceil((samples - FRAME) / HOP)) }, (_, i) => i * HOP)
}

/** Windowed frames in which the reference is loud, overlapped and added again. */
function withoutSilence(x: Float64Array, y: Float64Array): [Float64Array, Float64Array] {
  const levels = frameStarts(x.length).map(start => {
    let energy = 0
    for (let i = 0; i < FRAME; i++) energy += (x[start + i] * WINDOW[i]) ** 2
    return 20 * Math.log10(Math.sqrt(energy) + Number.EPSILON)
  })
  const floor = levels.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) - DYNAMIC_RANGE_DB
  const kept = levels.flatMap((level, i) => (level > floor ? [i * HOP] : []))
  const joined = (samples: Float64Array) => {
    const out = new Float64Array(kept.length ? (kept.length - 1) * HOP + FRAME : 0)
    kept.forEach((start, frame) => {
      for (let i = 0; i < FRAME; i++) out[frame * HOP + i] += samples[start + i] * WINDOW[i]
    })
    return out
  }
  return [joined(x), joined(y)]
}

/** First and end bin of every third-octave band, edges at the nearest bin. */
function bandEdges(): [first: number, end: number][] {
  const bin = (hz: number) => Math.round((hz * N_FFT) / SAMPLE_RATE)
  return Array.from({ length: BANDS }, (_, k) => [
    bin(LOWEST_BAND_HZ * 2 ** ((2 * k - 1) / 6)),
    bin(LOWEST_BAND_HZ * 2 ** ((2 * k + 1) / 6)),
  ])
}

/** Norm of the spectrum in each band: [BANDS][frames]. */
function thirdOctaves(samples: Float64Array): Float64Array[] {
  const starts = frameStarts(samples.length)
  const edges = bandEdges()
  const bands = edges.map(() => new Float64Array(starts.length))
  const fft = new RealFft(N_FFT)
  const frame = new Float64Array(N_FFT)
  const power = new Float64Array(fft.bins)
  starts.forEach((start, t) => {
    for (let i = 0; i < FRAME; i++) frame[i] = samples[start + i] * WINDOW[i]
    fft.forward(frame)
    fft.power(power)
    edges.forEach(([first, end], band) => {
      let sum = 0
      for (let bin = first; bin < end; bin++) sum += power[bin]
      bands[band][t] = Math.sqrt(sum)
    })
  })
  return bands
}

function norm(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
}

/** STOI: mean over bands of the correlation along time, the degraded band scaled to the reference's norm and clipped. */
function temporalCorrelation(x: Float64Array[], y: Float64Array[]): number {
  let sum = 0
  x.forEach((band, j) => {
    const scale = norm(band) / (norm(y[j]) + Number.EPSILON)
    const clipped = y[j].map((value, n) => Math.min(value * scale, band[n] * CLIP))
    const a = centred(band)
    const b = centred(clipped)
    const size = (norm(a) + Number.EPSILON) * (norm(b) + Number.EPSILON)
    sum += a.reduce((total, value, n) => total + value * b[n], 0) / size
  })
  return sum / BANDS
}

function centred(values: Float64Array): Float64Array {
  const average = mean(values)
  return values.map(value => value - average)
}

/** ESTOI: bands normalised along time, then frames along bands; mean over frames of their inner products. */
function spectralCorrelation(x: Float64Array[], y: Float64Array[]): number {
  const framesX = normalisedFrames(x)
  const framesY = normalisedFrames(y)
  let sum = 0
  framesX.forEach((frame, n) => {
    frame.forEach((value, j) => {
      sum += value * framesY[n][j]
    })
  })
  return sum / SEGMENT
}

function normalisedFrames(bands: Float64Array[]): Float64Array[] {
  const rows = bands.map(unit)
  return Array.from({ length: SEGMENT }, (_, n) => unit(Float64Array.from(rows, row => row[n])))
}

/** Mean removed, length 1; zeros where nothing varies. */
function unit(values: Float64Array): Float64Array {
  const difference = centred(values)
  const size = norm(difference)
  return size > 0 ? difference.map(value => value / size) : difference
}
