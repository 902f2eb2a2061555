// exp, expm1, sigmoid, tanh, sin and cos of four lanes: polynomials over add, multiply, compare and select alone, so that every
// engine computes the same bits (baseline build). Coefficients are minimax fits. NaN in gives NaN out.

import { madd, splat } from './simd'

const ZERO = memory.data<f32>([0])
const HALF = memory.data<f32>([0.5])
const ONE = memory.data<f32>([1])
const TWO = memory.data<f32>([2])
const SIGN = memory.data<f32>([-0.0])
/** 1.5 * 2^23: adding it leaves the nearest integer in the low bits of the sum. */
const ROUND = memory.data<f32>([12582912])

const LOG2_E = memory.data<f32>([1.4426950408889634])
const LN2_HIGH = memory.data<f32>([0.693359375]) // 9 bits: its product with any exponent is exact
const LN2_LOW = memory.data<f32>([-2.1219444005469058e-4])
// (e^r - 1 - r - r^2/2) / r^3 for |r| <= ln(2)/2
const EXP_R3 = memory.data<f32>([0.1666654348373413])
const EXP_R4 = memory.data<f32>([0.04166640341281891])
const EXP_R5 = memory.data<f32>([0.008366493508219719])
const EXP_R6 = memory.data<f32>([0.00139406300149858])

const EXP_LOWEST = memory.data<f32>([-104]) // rounds to 0
const EXP_HIGHEST = memory.data<f32>([89]) // rounds to Infinity
const DECAY_LOWEST = memory.data<f32>([-87.33654]) // below: not a normal number
const EXPM1_LOWEST = memory.data<f32>([-18]) // rounds to -1

/** |v| with the sign set. */
// @ts-ignore: decorator
@inline
export function negativeMagnitude(v: v128): v128 {
  return v128.or(v, splat(SIGN))
}

/** x / ln 2 + ROUND: the exponent n of e^x = 2^n e^r is in the low bits. */
// @ts-ignore: decorator
@inline
function roundedExponent(x: v128): v128 {
  return madd(x, splat(LOG2_E), splat(ROUND))
}

/** e^r - 1, where r = x - n ln 2. */
// @ts-ignore: decorator
@inline
function expm1Remainder(x: v128, rounded: v128): v128 {
  const n = f32x4.sub(rounded, splat(ROUND))
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, splat(LN2_HIGH))), f32x4.mul(n, splat(LN2_LOW)))
  let p = madd(splat(EXP_R6), r, splat(EXP_R5))
  p = madd(p, r, splat(EXP_R4))
  p = madd(p, r, splat(EXP_R3))
  p = madd(p, r, splat(HALF))
  return madd(f32x4.mul(r, r), p, r)
}

/** 2^n for -126 <= n <= 127, n in the low bits (ROUND's own bits are shifted out). */
// @ts-ignore: decorator
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.add(splat(ONE), i32x4.shl(n, 23))
}

/** e^x with Infinity where it overflows and denormal numbers, then 0, where it underflows. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  x = v128.bitselect(splat(EXP_LOWEST), x, f32x4.lt(x, splat(EXP_LOWEST)))
  x = v128.bitselect(splat(EXP_HIGHEST), x, f32x4.gt(x, splat(EXP_HIGHEST)))
  const rounded = roundedExponent(x)
  const significand = f32x4.add(splat(ONE), expm1Remainder(x, rounded))
  // 2^n itself may be no f32: half of n in each of two factors
  const half = i32x4.shr_s(i32x4.shl(rounded, 16), 17)
  return f32x4.mul(f32x4.mul(significand, powerOfTwo(half)), powerOfTwo(i32x4.sub(rounded, half)))
}

/** e^x for x <= 0, and 0 instead of denormal numbers. */
// @ts-ignore: decorator
@inline
export function expDecay(x: v128): v128 {
  const rounded = roundedExponent(x)
  const value = f32x4.mul(f32x4.add(splat(ONE), expm1Remainder(x, rounded)), powerOfTwo(rounded))
  return v128.andnot(value, f32x4.lt(x, splat(DECAY_LOWEST)))
}

/** e^x - 1 for x <= 0, accurate near 0 as well. */
// @ts-ignore: decorator
@inline
export function expm1Decay(x: v128): v128 {
  x = v128.bitselect(splat(EXPM1_LOWEST), x, f32x4.lt(x, splat(EXPM1_LOWEST)))
  const rounded = roundedExponent(x)
  const power = powerOfTwo(rounded)
  return madd(power, expm1Remainder(x, rounded), f32x4.sub(power, splat(ONE)))
}

/** 1 / (1 + e^-x). */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const e = expDecay(negativeMagnitude(x))
  const one = splat(ONE)
  return f32x4.div(v128.bitselect(e, one, f32x4.lt(x, splat(ZERO))), f32x4.add(one, e))
}

/** tanh(x), accurate near 0 as well. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const m = negativeMagnitude(x)
  const e = expm1Decay(f32x4.add(m, m))
  const magnitude = f32x4.div(f32x4.abs(e), f32x4.add(splat(TWO), e))
  return v128.or(magnitude, v128.and(x, splat(SIGN)))
}

const QUARTER = memory.data<i32>([1])
const TWO_OVER_PI = memory.data<f64>([0.63661977236758134308])
const ROUND_F64 = memory.data<f64>([6755399441055744]) // 1.5 * 2^52
const HALF_PI_HIGH = memory.data<f64>([1.5707963267341256142]) // 33 bits: exact times any quadrant up to 2^20
const HALF_PI_LOW = memory.data<f64>([6.077100506506192601475e-11])
const QUADRANT_LIMIT = memory.data<f32>([1073741824])
const NOT_A_NUMBER = memory.data<f32>([NaN])
const SIN_3 = memory.data<f32>([-0.16666655242443085])
const SIN_5 = memory.data<f32>([0.008332177996635437])
const SIN_7 = memory.data<f32>([-0.00019517245527822524])
const COS_4 = memory.data<f32>([0.04166664555668831])
const COS_6 = memory.data<f32>([-0.001388736767694354])
const COS_8 = memory.data<f32>([2.4438459149678238e-5])

/** x / (pi / 2) of two lanes + ROUND_F64: the quadrant is in the low bits. */
// @ts-ignore: decorator
@inline
function roundedQuadrant(x: v128): v128 {
  return f64x2.add(f64x2.mul(x, v128.load64_splat(TWO_OVER_PI)), v128.load64_splat(ROUND_F64))
}

/** x - quadrant * pi / 2, as f32 in the low two lanes. */
// @ts-ignore: decorator
@inline
function remainder(x: v128, rounded: v128): v128 {
  const quadrant = f64x2.sub(rounded, v128.load64_splat(ROUND_F64))
  const r = f64x2.sub(x, f64x2.mul(quadrant, v128.load64_splat(HALF_PI_HIGH)))
  return f32x4.demote_f64x2_zero(f64x2.sub(r, f64x2.mul(quadrant, v128.load64_splat(HALF_PI_LOW))))
}

/** sin(x + quarters * pi / 2). The reduction in f64 costs f32 lanes no accuracy up to |x| = 1.6e6, then |x| * 2^-53; NaN from 2^30. */
// @ts-ignore: decorator
@inline
function sinQuarters(x: v128, quarters: v128): v128 {
  const low = f64x2.promote_low_f32x4(x)
  const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3))
  const roundedLow = roundedQuadrant(low)
  const roundedHigh = roundedQuadrant(high)
  const r = v128.shuffle<f32>(remainder(low, roundedLow), remainder(high, roundedHigh), 0, 1, 4, 5)
  const quadrant = i32x4.add(v128.shuffle<i32>(roundedLow, roundedHigh, 0, 2, 4, 6), quarters)

  const s = f32x4.mul(r, r)
  let sine = madd(splat(SIN_7), s, splat(SIN_5))
  sine = madd(sine, s, splat(SIN_3))
  sine = madd(f32x4.mul(s, r), sine, r)
  let cosine = madd(splat(COS_8), s, splat(COS_6))
  cosine = madd(cosine, s, splat(COS_4))
  cosine = madd(f32x4.mul(s, s), cosine, f32x4.sub(splat(ONE), f32x4.mul(splat(HALF), s)))

  const odd = i32x4.shr_s(i32x4.shl(quadrant, 31), 31)
  const sign = v128.and(i32x4.shl(quadrant, 30), splat(SIGN))
  const value = v128.xor(v128.bitselect(cosine, sine, odd), sign)
  return v128.bitselect(splat(NOT_A_NUMBER), value, f32x4.ge(f32x4.abs(x), splat(QUADRANT_LIMIT)))
}

/** sin(x). Taking both sin and cos of one x shares the work: the engine removes what they have in common. */
// @ts-ignore: decorator
@inline
export function sin(x: v128): v128 {
  return sinQuarters(x, i32x4.splat(0))
}

/** cos(x) = sin(x + pi / 2). */
// @ts-ignore: decorator
@inline
export function cos(x: v128): v128 {
  return sinQuarters(x, splat(QUARTER))
}
