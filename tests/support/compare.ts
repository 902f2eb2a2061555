import * as assert from 'uvu/assert'

/** Largest absolute difference; NaN anywhere or another length counts as infinite. */
export function maxError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY
  let worst = 0
  for (let i = 0; i < actual.length; i++) {
    const error = Math.abs(actual[i] - expected[i])
    if (!(error <= worst)) worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
  }
  return worst
}

/** Every element within `tolerance * max(1, |expected|)`. */
export function near(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = '',
): void {
  assert.is(actual.length, expected.length, `${what}: length`)
  for (let i = 0; i < actual.length; i++) {
    const error = Math.abs(actual[i] - expected[i])
    if (!(error <= tolerance * Math.max(1, Math.abs(expected[i]))))
      assert.unreachable(`${what}[${i}]: ${actual[i]}, expected ${expected[i]} within ${tolerance} relative`)
  }
}

/** Bit for bit the same floats. */
export function identical(actual: Float32Array, expected: Float32Array, what = ''): void {
  assert.is(actual.length, expected.length, `${what}: length`)
  const a = new Uint32Array(actual.buffer, actual.byteOffset, actual.length)
  const b = new Uint32Array(expected.buffer, expected.byteOffset, expected.length)
  for (let i = 0; i < a.length; i++)
    if (a[i] !== b[i])
      assert.unreachable(`${what}[${i}]: ${actual[i]} is not bit-identical to ${expected[i]}`)
}

/** Signal-to-noise ratio of `actual` against `expected`, dB. */
export function snr(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let signal = 0
  let noise = 0
  for (let i = 0; i < expected.length; i++) {
    signal += expected[i] ** 2
    noise += (actual[i] - expected[i]) ** 2
  }
  return actual.length === expected.length ? 10 * Math.log10(signal / noise) : Number.NEGATIVE_INFINITY
}
