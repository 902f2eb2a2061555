import { ConfigError } from '../errors.js'
import { checkRate, pairOf, type Samples } from './signals.js'
import { eachFrame } from './stft.js'

// Slaney's mel scale (Auditory Toolbox): linear to 1 kHz, 15 mels; logarithmic above, 27 mels for a factor of 6.4.
const LINEAR_HZ = 200 / 3
const BREAK_HZ = 1000
const BREAK_MEL = BREAK_HZ / LINEAR_HZ
const LOG_STEP = Math.log(6.4) / 27

function hzToMel(hz: number): number {
  return hz < BREAK_HZ ? hz / LINEAR_HZ : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP
}

function melToHz(mel: number): number {
  return mel < BREAK_MEL ? mel * LINEAR_HZ : BREAK_HZ * Math.exp(LOG_STEP * (mel - BREAK_MEL))
}

/** A triangle over bins `first` to `first + weights.length - 1`. */
interface Triangle {
  first: number
  weights: Float64Array
}

/** librosa.filters.mel with its defaults: Slaney's scale and area normalisation, 0 Hz to half the sample rate. */
export function melFilters(sampleRate: number, nFft: number, mels: number): Triangle[] {
  const top = hzToMel(sampleRate / 2)
  const hz = Array.from({ length: mels + 2 }, (_, i) => melToHz((top * i) / (mels + 1)))
  const bins = nFft / 2 + 1
  return Array.from({ length: mels }, (_, mel) => {
    const [left, centre, right] = hz.slice(mel, mel + 3)
    const first = Math.max(0, Math.floor((left * nFft) / sampleRate))
    const last = Math.min(bins - 1, Math.ceil((right * nFft) / sampleRate))
    const weights = Float64Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
      const at = ((first + i) * sampleRate) / nFft
      const slope = Math.min((at - left) / (centre - left), (right - at) / (right - centre))
      return (Math.max(0, slope) * 2) / (right - left)
    })
    return { first, weights }
  })
}

/** Settings of Descript's MelSpectrogramLoss. */
export interface MelDistanceOptions {
  /** Window lengths in samples, each a power of two; hops are a quarter. */
  windows: readonly number[]
  /** Mel bands of each window. */
  mels: readonly number[]
  /** Exponent of the magnitudes inside the logarithm. */
  power: number
  /** Weight of the difference of magnitudes beside that of logarithms. */
  magnitudeWeight: number
}

/** The settings Descript trains with, and the class's defaults, which its evaluation uses. */
export const MEL_DISTANCES: Readonly<Record<'training' | 'evaluation', MelDistanceOptions>> = {
  training: {
    windows: [32, 64, 128, 256, 512, 1024, 2048],
    mels: [5, 10, 20, 40, 80, 160, 320],
    power: 1,
    magnitudeWeight: 0,
  },
  evaluation: { windows: [2048, 512], mels: [150, 80], power: 2, magnitudeWeight: 1 },
}

/**
 * Mel distance of Descript's audio codec: mean |difference of log10(max(M, 1e-5)^power)| over mel magnitudes, plus
 * `magnitudeWeight` times mean |difference of M|, summed over window lengths.
 *
 * @param sampleRate Hz, of both clips
 * @param options a named setting (default 'training') or settings of your own
 * @throws AudioError for empty or non-finite signals, ConfigError where windows and mels do not pair up
 */
export function melDistance(
  reference: Samples,
  degraded: Samples,
  sampleRate: number,
  options: keyof typeof MEL_DISTANCES | MelDistanceOptions = 'training',
): number {
  const pair = pairOf(reference, degraded)
  checkRate(sampleRate)
  const { windows, mels, power, magnitudeWeight } =
    typeof options === 'string' ? MEL_DISTANCES[options] : options
  if (windows.length !== mels.length)
    throw new ConfigError(
      `${windows.length} windows and ${mels.length} numbers of mel bands; give one for each`,
    )
  let distance = 0
  windows.forEach((nFft, scale) => {
    const filters = melFilters(sampleRate, nFft, mels[scale])
    let logs = 0
    let magnitudes = 0
    const frames = eachFrame(pair, { nFft, hopLength: nFft / 4 }, (x, y) => {
      rooted(x)
      rooted(y)
      for (const filter of filters) {
        const melX = applied(filter, x)
        const melY = applied(filter, y)
        logs += Math.abs(Math.log10(Math.max(melX, 1e-5) / Math.max(melY, 1e-5)))
        magnitudes += Math.abs(melX - melY)
      }
    })
    distance += (power * logs + magnitudeWeight * magnitudes) / (frames * mels[scale])
  })
  return distance
}

function rooted(power: Float64Array): void {
  for (let k = 0; k < power.length; k++) power[k] = Math.sqrt(power[k])
}

function applied({ first, weights }: Triangle, magnitudes: Float64Array): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++) sum += weights[i] * magnitudes[first + i]
  return sum
}
