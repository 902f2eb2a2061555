import { AudioError } from '../errors.js'
import { resample } from './resample.js'

/** Two octaves each way: beyond, windows hold too few periods. */
const MOST_SEMITONES = 24
/** Seconds of a window, and how far it may be moved to where the waveform goes on: half the period of 50 Hz. */
const WINDOW = 0.03
const SEARCH = 0.01
/** Parts of a whole in which ratios of rates are given; 2 cents at most are rounded away. */
const PARTS = 500

/**
 * Moves pitch and formants together by semitones and keeps the duration: the voice of a longer or shorter vocal tract, all else equal.
 * The clip is stretched by waveform-similarity overlap-add (Verhelst and Roelands, ICASSP 1993), then resampled.
 *
 * @param samples mono, [T]
 * @param sampleRate Hz
 * @param semitones -24 to 24
 * @returns mono, [T]; a copy for 0 semitones
 * @throws AudioError for no samples, an unusable rate or semitones out of range
 */
export function shiftPitch(samples: Float32Array, sampleRate: number, semitones: number): Float32Array {
  if (samples.length === 0)
    throw new AudioError('the clip has no samples; one at least is needed to shift it')
  if (!(Number.isInteger(sampleRate) && sampleRate > 0))
    throw new AudioError(`a sample rate of ${sampleRate}; expected a whole number of Hz above 0`)
  if (!(Math.abs(semitones) <= MOST_SEMITONES))
    throw new AudioError(
      `a shift of ${semitones} semitones; expected ${-MOST_SEMITONES} to ${MOST_SEMITONES}`,
    )
  const parts = Math.round(PARTS * 2 ** (semitones / 12))
  if (parts === PARTS) return samples.slice()
  const stretched = stretch(samples, sampleRate, parts / PARTS)
  const shifted = new Float32Array(samples.length)
  shifted.set(resample(stretched, parts, PARTS).subarray(0, samples.length))
  return shifted
}

/** The clip `ratio` times as long, at the same pitch. */
function stretch(samples: Float32Array, sampleRate: number, ratio: number): Float32Array {
  const hop = Math.max(1, Math.round((sampleRate * WINDOW) / 2))
  const search = Math.round(sampleRate * SEARCH)
  const output = new Float32Array(Math.ceil(samples.length * ratio))
  // Rising half of a Hann window; the falling half is what it leaves of 1.
  const rise = Float64Array.from({ length: hop }, (_, i) => (1 - Math.cos((Math.PI * (i + 0.5)) / hop)) / 2)
  let from = 0
  for (let at = 0; at < output.length; at += hop) {
    const wanted = Math.round(at / ratio)
    const next = at === 0 ? 0 : mostAlike(samples, from + hop, wanted, search, hop)
    for (let i = 0; i < hop && at + i < output.length; i++) {
      const old = at === 0 ? 0 : (samples[from + hop + i] ?? 0)
      const share = at === 0 ? 1 : rise[i]
      output[at + i] = share * (samples[next + i] ?? 0) + (1 - share) * old
    }
    from = next
  }
  return output
}

/** The place within `search` of `wanted` whose samples are most like those at `model`, by correlation over the root of its energy. */
function mostAlike(
  samples: Float32Array,
  model: number,
  wanted: number,
  search: number,
  length: number,
): number {
  let best = wanted
  let most = 0
  for (let at = Math.max(0, wanted - search); at <= wanted + search; at++) {
    const end = Math.min(length, samples.length - Math.max(at, model))
    let product = 0
    let energy = 0
    for (let i = 0; i < end; i++) {
      product += samples[at + i] * samples[model + i]
      energy += samples[at + i] ** 2
    }
    const alike = energy > 0 ? product / Math.sqrt(energy) : 0
    if (alike > most) [best, most] = [at, alike]
  }
  return best
}
