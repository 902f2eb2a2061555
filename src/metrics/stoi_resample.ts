// Octave's `resample`, which the published STOI code calls: the score depends on this filter in the third decimal.

/** Rejection of the anti-aliasing filter, dB; its transition takes a tenth of the cutoff. */
const REJECTION_DB = 60
const KAISER_BETA = 0.1102 * (REJECTION_DB - 8.7)

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  let term = 1
  let sum = 1
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

/** Kaiser-windowed sinc [-half, half], of sum `up`. */
function antiAliasing(up: number, down: number): Float64Array {
  const cutoff = 1 / (2 * Math.max(up, down))
  const half = Math.ceil((REJECTION_DB - 8) / (28.714 * (cutoff / 10)))
  const filter = Float64Array.from({ length: 2 * half + 1 }, (_, i) => {
    const phase = 2 * Math.PI * cutoff * (i - half)
    const sinc = phase === 0 ? 1 : Math.sin(phase) / phase
    return sinc * besselI0(KAISER_BETA * Math.sqrt(1 - (i / half - 1) ** 2))
  })
  const sum = filter.reduce((total, tap) => total + tap, 0)
  return filter.map(tap => (tap * up) / sum)
}

/** ceil(T * to / from) samples; rates in Hz, whole numbers. */
export function resampleLikeOctave(samples: ArrayLike<number>, from: number, to: number): Float64Array {
  const divisor = greatestCommonDivisor(from, to)
  const up = to / divisor
  const down = from / divisor
  const filter = antiAliasing(up, down)
  const half = (filter.length - 1) / 2
  const out = new Float64Array(Math.ceil((samples.length * up) / down))
  for (let n = 0; n < out.length; n++) {
    const centre = n * down
    const first = Math.max(0, Math.ceil((centre - half) / up))
    const last = Math.min(samples.length - 1, Math.floor((centre + half) / up))
    let sum = 0
    for (let k = first; k <= last; k++) sum += samples[k] * filter[half + centre - k * up]
    out[n] = sum
  }
  return out
}
