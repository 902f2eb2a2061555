import { AudioError } from '../errors.js'

/** One channel of samples. */
export type Samples = Float32Array | Float64Array

/** A clip before and after a codec, cut to the shorter length. */
export interface Pair {
  readonly reference: Samples
  readonly degraded: Samples
}

/**
 * Both signals cut to the length of the shorter; nothing is shifted.
 * @throws AudioError where nothing is left or a sample is not finite: a metric of such a clip means nothing.
 */
export function pairOf(reference: Samples, degraded: Samples): Pair {
  const length = Math.min(reference.length, degraded.length)
  if (length === 0)
    throw new AudioError(
      `the reference has ${reference.length} samples and the degraded clip ${degraded.length}; both need one at least`,
    )
  const pair = { reference: reference.subarray(0, length), degraded: degraded.subarray(0, length) }
  checkFinite(pair.reference, 'the reference')
  checkFinite(pair.degraded, 'the degraded clip')
  return pair
}

/** @throws AudioError naming the first sample that is NaN or infinite. */
export function checkFinite(samples: Samples, what: string): void {
  const at = (samples as Float64Array).findIndex(value => !Number.isFinite(value))
  if (at >= 0) throw new AudioError(`sample ${at} of ${what} is ${samples[at]}; samples must be finite`)
}

/** @throws AudioError unless `sampleRate` is a positive number. */
export function checkRate(sampleRate: number): void {
  if (!(sampleRate > 0 && Number.isFinite(sampleRate)))
    throw new AudioError(`a sample rate of ${sampleRate}; expected a positive number of Hz`)
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]
  return sum / values.length
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

/**
 * Samples by which the degraded clip lags the reference (negative: leads), from the largest cross-correlation within `maxMs`.
 * A reason to warn: no metric shifts by it.
 */
export function estimatedOffset(
  reference: Samples,
  degraded: Samples,
  sampleRate: number,
  maxMs = 20,
): number {
  const pair = pairOf(reference, degraded)
  checkRate(sampleRate)
  const { length } = pair.reference
  const limit = Math.min(length - 1, Math.round((sampleRate * maxMs) / 1000))
  let best = 0
  let bestValue = Number.NEGATIVE_INFINITY
  for (let offset = -limit; offset <= limit; offset++) {
    const from = Math.max(0, -offset)
    const count = length - Math.abs(offset)
    const shifted = pair.degraded.subarray(from + offset, from + offset + count)
    const value = dot(pair.reference.subarray(from, from + count), shifted)
    if (value > bestValue) {
      best = offset
      bestValue = value
    }
  }
  return best
}
