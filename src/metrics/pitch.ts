// Mauch and Dixon, "pYIN: A fundamental frequency estimator using probabilistic threshold distributions", as the authors' software and
// librosa compute it.
import { ConfigError } from '../errors.js'
import { RealFft } from './fft.js'
import { type PitchBins, pitchBins, smoothestPath } from './pitch_path.js'
import { checkFinite, checkRate, type Samples } from './signals.js'

const THRESHOLDS = 100
/** Smaller periods weigh more: prior of the k-th trough is proportional to exp(-2 k). */
const BOLTZMANN = 2
const NO_TROUGH_PROBABILITY = 0.01

/** Search range and frames of the tracker. */
export interface PitchOptions {
  /** Lowest and highest F0, Hz (defaults 50 and 550). */
  fMin?: number
  fMax?: number
  /** Samples between frames (default: 10 ms). */
  hopLength?: number
  /** Samples of a frame, a power of two (default: the smallest that holds two periods of fMin). */
  frameLength?: number
}

/** One value per frame; frame t is centred at t * hopLength samples. */
export interface PitchTrack {
  /** Hz; NaN where unvoiced. */
  readonly f0: Float64Array
  /** Probability of voicing, 0 to 1. */
  readonly voiced: Float64Array
  readonly hopLength: number
}

/**
 * Fundamental frequency by pYIN: floor(T / hopLength) + 1 frames, in steps of a tenth of a semitone.
 * @throws AudioError for non-finite samples, ConfigError where the range does not fit the rate or the frame
 */
export function pitch(samples: Samples, sampleRate: number, options: PitchOptions = {}): PitchTrack {
  checkRate(sampleRate)
  checkFinite(samples, 'the clip')
  const { fMin = 50, fMax = 550, hopLength = Math.round(sampleRate / 100) } = options
  const { frameLength = 2 ** Math.ceil(Math.log2((2 * sampleRate) / fMin + 1)) } = options
  if (!(fMin > 0 && fMin < fMax && 2 * fMax <= sampleRate && sampleRate / fMin < frameLength - 1))
    throw new ConfigError(
      `F0 from ${fMin} to ${fMax} Hz in frames of ${frameLength} samples at ${sampleRate} Hz; expected 0 < fMin < fMax <= rate / 2 and a period of fMin in a frame`,
    )
  const shortest = Math.floor(sampleRate / fMax)
  const longest = Math.min(Math.ceil(sampleRate / fMin), frameLength - 1)
  const difference = new Difference(frameLength, shortest, longest)
  const bins = pitchBins(fMin, fMax, hopLength / sampleRate)
  const frames = Math.floor(samples.length / hopLength) + 1
  const voiced = new Float64Array(frames)
  const observations = Array.from({ length: frames }, (_, t) => {
    const d = difference.of(samples, t * hopLength - frameLength / 2)
    const observed = observation(d, candidates(d), sampleRate, shortest, bins)
    voiced[t] = Math.min(
      1,
      observed.reduce((sum, p) => sum + p, 0),
    )
    return observed
  })
  return { f0: smoothestPath(observations, voiced, bins), voiced, hopLength }
}

/** YIN's cumulative mean normalized difference of one frame, for the lags in question. */
class Difference {
  readonly #length: number
  readonly #shortest: number
  readonly #longest: number
  readonly #fft: RealFft
  readonly #buffer: Float64Array
  readonly #power: Float64Array

  constructor(length: number, shortest: number, longest: number) {
    this.#length = length
    this.#shortest = shortest
    this.#longest = longest
    this.#fft = new RealFft(2 * length)
    this.#buffer = new Float64Array(2 * length)
    this.#power = new Float64Array(this.#fft.bins)
  }

  /** The frame that starts at `start`, zeros outside the clip: lags shortest to longest. */
  of(samples: Samples, start: number): Float64Array {
    const correlation = this.#autocorrelation(samples, start)
    const energy = correlation[0]
    const result = new Float64Array(this.#longest - this.#shortest + 1)
    let energyBefore = 0 // of the first `lag` samples
    let sum = 0
    for (let lag = 1; lag <= this.#longest; lag++) {
      energyBefore += sampleAt(samples, start + lag - 1) ** 2
      const difference = 2 * (energy - correlation[lag]) - energyBefore
      sum += difference
      if (lag >= this.#shortest) result[lag - this.#shortest] = difference / (sum / lag + Number.MIN_VALUE)
    }
    return result
  }

  #autocorrelation(samples: Samples, start: number): Float64Array {
    const buffer = this.#buffer.fill(0)
    for (let i = 0; i < this.#length; i++) buffer[i] = sampleAt(samples, start + i)
    this.#fft.forward(buffer)
    this.#fft.power(this.#power)
    const size = this.#fft.size
    for (let k = 0; k < size; k++) buffer[k] = this.#power[Math.min(k, size - k)] / size
    this.#fft.forward(buffer) // of a real, even spectrum: the same as the inverse
    return this.#fft.re
  }
}

function sampleAt(samples: Samples, index: number): number {
  return index >= 0 && index < samples.length ? samples[index] : 0
}

/** Cumulative Beta(2, 18), the prior of YIN's threshold (mean 0.1): P(at least 2 of 19 draws below x). */
function thresholdPrior(x: number): number {
  return 1 - (1 - x) ** 19 - 19 * x * (1 - x) ** 18
}

const THRESHOLD_MASSES = Float64Array.from(
  { length: THRESHOLDS },
  (_, i) => thresholdPrior((i + 1) / THRESHOLDS) - thresholdPrior(i / THRESHOLDS),
)

interface Candidate {
  /** Index into the differences. */
  at: number
  probability: number
}

/** Troughs and how probable each is as the period, over all thresholds. */
function candidates(difference: Float64Array): Candidate[] {
  const troughs = troughsOf(difference).map(at => ({ at, probability: 0 }))
  if (troughs.length === 0) return troughs
  const lowest = troughs.reduce((a, b) => (difference[b.at] < difference[a.at] ? b : a))
  for (let i = 0; i < THRESHOLDS; i++) {
    const threshold = (i + 1) / THRESHOLDS
    const below = troughs.filter(({ at }) => difference[at] < threshold)
    const scale = (1 - Math.exp(-BOLTZMANN)) / (1 - Math.exp(-BOLTZMANN * below.length))
    below.forEach((trough, k) => {
      trough.probability += scale * Math.exp(-BOLTZMANN * k) * THRESHOLD_MASSES[i]
    })
    if (below.length === 0) lowest.probability += NO_TROUGH_PROBABILITY * THRESHOLD_MASSES[i]
  }
  return troughs
}

function troughsOf(d: Float64Array): number[] {
  const troughs: number[] = d[0] < d[1] ? [0] : []
  for (let i = 1; i < d.length; i++)
    if (d[i] < d[i - 1] && !(i + 1 < d.length && d[i] > d[i + 1])) troughs.push(i)
  return troughs
}

/** Probability of every pitch bin. */
function observation(
  difference: Float64Array,
  found: readonly Candidate[],
  sampleRate: number,
  shortest: number,
  bins: PitchBins,
): Float64Array {
  const result = new Float64Array(bins.count)
  for (const { at, probability } of found) {
    if (probability === 0) continue
    const period = shortest + at + parabolicShift(difference, at)
    const bin = bins.perOctave * Math.log2(sampleRate / period / bins.lowest)
    const rounded = roundedToEven(bin)
    if (rounded < bins.count) result[Math.max(0, rounded)] = probability
  }
  return result
}

/** numpy's rounding: halves to the even neighbour. */
function roundedToEven(x: number): number {
  const rounded = Math.round(x)
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}

function parabolicShift(values: Float64Array, at: number): number {
  if (at === 0 || at === values.length - 1) return 0
  const a = values[at + 1] + values[at - 1] - 2 * values[at]
  const b = (values[at + 1] - values[at - 1]) / 2
  return Math.abs(b) >= Math.abs(a) ? 0 : -b / a
}
