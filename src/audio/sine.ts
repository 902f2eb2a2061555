// sin and cos from + - * / alone: Math.sin, Math.cos and Math.pow differ between JavaScript engines in the last bits; tables must not.
// Coefficients of fdlibm's k_sin.c and k_cos.c (minimax on |y| <= pi/4, error < 2^-58).
const SIN = [
  -1.6666666666666632e-1, 8.33333333332249e-3, -1.984126982985795e-4, 2.7557313707070068e-6,
  -2.5050760253406863e-8, 1.58969099521155e-10,
]
const COS = [
  4.16666666666666e-2, -1.388888888887411e-3, 2.480158728947673e-5, -2.7557314351390663e-7,
  2.087572321298175e-9, -1.1359647557788195e-11,
]

/** sin(pi x) in f64, the same bits on every engine; error about 1e-16 for |x| < 2^20. */
export function sinPi(x: number): number {
  return sinQuarters(x, 0)
}

/** cos(pi x) in f64, the same bits on every engine; error about 1e-16 for |x| < 2^20. */
export function cosPi(x: number): number {
  return sinQuarters(x, 1)
}

/** sin(pi (x + quarters / 2)). The reduction to |remainder| <= 1/4 is exact in binary floating point. */
function sinQuarters(x: number, quarters: number): number {
  const nearest = Math.round(2 * x)
  const y = Math.PI * (x - nearest / 2)
  const y2 = y * y
  const quadrant = (nearest + quarters) & 3
  const value = quadrant & 1 ? 1 - 0.5 * y2 + y2 * y2 * horner(COS, y2) : y + y * y2 * horner(SIN, y2)
  return quadrant & 2 ? -value : value
}

function horner(coefficients: readonly number[], x: number): number {
  let sum = 0
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + coefficients[i]
  return sum
}
