/** Distance from one f32 to the next at |x|: 2^-23 of its power of two, at least the smallest denormal number. */
export function ulp(x: number): number {
  const [bits] = new Uint32Array(new Float32Array([Math.abs(x)]).buffer)
  const exponent = bits >>> 23
  return 2 ** (Math.max(exponent, 1) - 150)
}

/** The largest error of `actual` against exact values, in ulp of the exact value, and where it is. */
export function worstUlps(
  x: ArrayLike<number>,
  actual: ArrayLike<number>,
  exact: (x: number) => number,
): { error: number; at: number } {
  let worst = { error: 0, at: 0 }
  for (let i = 0; i < actual.length; i++) {
    const expected = exact(x[i])
    const error = Object.is(actual[i], Math.fround(expected))
      ? 0
      : Math.abs(actual[i] - expected) / ulp(expected)
    if (!(error <= worst.error))
      worst = { error: Number.isNaN(error) ? Number.POSITIVE_INFINITY : error, at: x[i] }
    if (worst.error === Number.POSITIVE_INFINITY) break
  }
  return worst
}
