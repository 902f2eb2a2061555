// Tables of the Fourier kernels: computed here in f64 and rounded once, so that every engine has the same bits.

/** cos(2 pi k / n) for integers, folded to the first eighth of the turn by integer arithmetic: exact where the cosine is, and symmetric. */
export function cosOfTurn(k: i64, n: i64): f64 {
  let eighths = 8 * (k % n) // of a turn of 8n
  if (eighths < 0) eighths += 8 * n
  if (eighths > 4 * n) eighths = 8 * n - eighths
  const negative = eighths > 2 * n
  if (negative) eighths = 4 * n - eighths
  const value = eighths <= n ? series(eighths, n, 0) : series(2 * n - eighths, n, 1)
  return negative ? -value : value
}

/** sin(2 pi k / n) for integers. */
export function sinOfTurn(k: i64, n: i64): f64 {
  return cosOfTurn(4 * k - n, 4 * n)
}

/** Taylor series of cos (first = 0) or sin (first = 1) at x = pi/4 * numerator / denominator, at most pi/4: 18 powers reach 2^-58. */
function series(numerator: i64, denominator: i64, first: i32): f64 {
  const x = (0.78539816339744830962 * <f64>numerator) / <f64>denominator
  const minusSquare = -x * x
  let term: f64 = 1
  let sum: f64 = 1
  for (let power = 2 + first; power <= 18; power += 2) {
    term *= minusSquare / <f64>(power * (power - 1))
    sum += term
  }
  return first ? sum * x : sum
}

/**
 * Periodic Hann window 0.5 * (1 - cos(2 pi i / length)) times `scale`, in the middle of `size` elements, zeros around it
 * (as torch.stft places a win_length shorter than n_fft).
 */
export function hannWindow(out: usize, size: usize, length: usize, scale: f64): void {
  const before = (size - length) >> 1
  for (let i: usize = 0; i < size; i++) {
    const at = <i64>i - <i64>before
    const inside = at >= 0 && at < <i64>length
    // 0.5 * (1 - cos 2a) = sin(a)^2 keeps full precision near the ends
    const root = inside ? sinOfTurn(at, 2 * <i64>length) : 0
    store<f32>(out + (i << 2), <f32>(root * root * scale))
  }
}

/** Twiddle factors as (cos, sin) pairs: e^(-2 pi i k / n) is cos - i sin. */
// @ts-ignore: decorator
@inline
export function storeTurn(out: usize, k: i64, n: i64): void {
  store<f32>(out, <f32>cosOfTurn(k, n))
  store<f32>(out, <f32>sinOfTurn(k, n), 4)
}
