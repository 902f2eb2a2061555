// Pointwise functions over contiguous elements. Activation codes: 0 none, 1 ELU (alpha = 1), 2 exact GELU, 3 SiLU (swish), 4 tanh.

import { scratch } from './scratch'
import { loadPartial, madd, splat, storePartial } from './simd'
import { cos, exp, expDecay, expm1Decay, sigmoid, sin, tanh } from './transcendental'

const ELU: i32 = 1
const GELU: i32 = 2
const SILU: i32 = 3
const TANH: i32 = 4
const EXP: i32 = 5
const SIN: i32 = 6
const COS: i32 = 7

const ZERO = memory.data<f32>([0])
const HALF = memory.data<f32>([0.5])
// ln(erfc(a / sqrt 2)) / a for 0 <= a <= 16: times a within 1.4e-7 up to a = 3, below -100 from a = 10 up
const TAIL_END = memory.data<f32>([16])
const TAIL_0 = memory.data<f32>([-0.797886073589325])
const TAIL_1 = memory.data<f32>([-0.31829410791397095])
const TAIL_2 = memory.data<f32>([-0.03639030084013939])
const TAIL_3 = memory.data<f32>([0.004872953984886408])
const TAIL_4 = memory.data<f32>([-4.428867396200076e-5])
const TAIL_5 = memory.data<f32>([-0.0001741446612868458])
const TAIL_6 = memory.data<f32>([4.779100345331244e-5])
const TAIL_7 = memory.data<f32>([-6.800712526455754e-6])
const TAIL_8 = memory.data<f32>([5.292360469866253e-7])
const TAIL_9 = memory.data<f32>([-1.7743110092283132e-8])

/** out = activation(x) for `length` elements, any activation but none; `out` may be `x`. */
export function activationF32(out: usize, x: usize, length: usize, activation: i32): void {
  map(out, x, length, activation)
}

/** x = activation(x): the epilogue of other kernels. */
export function activateRow(x: usize, length: usize, activation: i32): void {
  map(x, x, length, activation)
}

/** out = e^x. */
export function expF32(out: usize, x: usize, length: usize): void {
  map(out, x, length, EXP)
}

/** out = sin(x), x in radians. */
export function sinF32(out: usize, x: usize, length: usize): void {
  map(out, x, length, SIN)
}

/** out = cos(x), x in radians. */
export function cosF32(out: usize, x: usize, length: usize): void {
  map(out, x, length, COS)
}

/**
 * out[t][c] = x[t][c] + inverse[c] * sin(alpha[c] * x[t][c])^2 (Snake: Ziyin et al., 2020, equation 3); `out` may be `x`.
 * inverse: 1 / alpha.
 */
export function snakeF32(out: usize, x: usize, alpha: usize, inverse: usize, rows: usize, channels: usize): void {
  const count = channels & 3
  const bytes = (channels - count) << 2
  for (; rows > 0; rows--) {
    for (let c: usize = 0; c < bytes; c += 16, x += 16, out += 16) {
      v128.store(out, snake(v128.load(x), v128.load(alpha + c), v128.load(inverse + c)))
    }
    if (count) {
      const last = snake(loadPartial(x, count), loadPartial(alpha + bytes, count), loadPartial(inverse + bytes, count))
      storePartial(out, last, count)
      x += count << 2
      out += count << 2
    }
  }
}

// @ts-ignore: decorator
@inline
function snake(x: v128, alpha: v128, inverse: v128): v128 {
  const wave = sin(f32x4.mul(alpha, x))
  return madd(f32x4.mul(wave, wave), inverse, x)
}

function map(out: usize, x: usize, length: usize, operation: i32): void {
  const count = length & 3
  const bytes = (length - count) << 2
  mapVectors(out, x, bytes, operation)
  if (count) {
    // one to three last elements are computed here, as a whole vector
    const partial = scratch + 128
    v128.store(partial, loadPartial(x + bytes, count))
    mapVectors(partial, partial, 16, operation)
    storePartial(out + bytes, v128.load(partial), count)
  }
}

function mapVectors(out: usize, x: usize, bytes: usize, operation: i32): void {
  const end = x + bytes
  if (operation == ELU) {
    for (; x < end; x += 16, out += 16) v128.store(out, elu(v128.load(x)))
  } else if (operation == GELU) {
    for (; x < end; x += 16, out += 16) v128.store(out, gelu(v128.load(x)))
  } else if (operation == SILU) {
    for (; x < end; x += 16, out += 16) v128.store(out, silu(v128.load(x)))
  } else if (operation == TANH) {
    for (; x < end; x += 16, out += 16) v128.store(out, tanh(v128.load(x)))
  } else if (operation == EXP) {
    for (; x < end; x += 16, out += 16) v128.store(out, exp(v128.load(x)))
  } else if (operation == SIN) {
    for (; x < end; x += 16, out += 16) v128.store(out, sin(v128.load(x)))
  } else if (operation == COS) {
    for (; x < end; x += 16, out += 16) v128.store(out, cos(v128.load(x)))
  }
}

/** x above 0, e^x - 1 below. */
// @ts-ignore: decorator
@inline
function elu(x: v128): v128 {
  const negative = f32x4.lt(x, splat(ZERO))
  return f32x4.add(v128.andnot(x, negative), expm1Decay(v128.and(x, negative)))
}

/** x * sigmoid(x). */
// @ts-ignore: decorator
@inline
function silu(x: v128): v128 {
  return f32x4.mul(x, sigmoid(x))
}

/** x (1 + erf(x / sqrt 2)) / 2, from the complement erfc(|x| / sqrt 2), so that nothing cancels where x is negative. */
// @ts-ignore: decorator
@inline
function gelu(x: v128): v128 {
  // integers order like the positive floats they encode; beyond TAIL_END the complement is 0 in f32
  const a = i32x4.min_s(f32x4.abs(x), splat(TAIL_END))
  const a2 = f32x4.mul(a, a)
  const a4 = f32x4.mul(a2, a2)
  // by pairs (Estrin): Horner's chain of ten steps is slower: 2.6 instead of 1.8 ns an element
  const p01 = madd(splat(TAIL_1), a, splat(TAIL_0))
  const p23 = madd(splat(TAIL_3), a, splat(TAIL_2))
  const p45 = madd(splat(TAIL_5), a, splat(TAIL_4))
  const p67 = madd(splat(TAIL_7), a, splat(TAIL_6))
  const p89 = madd(splat(TAIL_9), a, splat(TAIL_8))
  const p03 = madd(p23, a2, p01)
  const p49 = madd(madd(p89, a2, p67), a2, p45)
  const p = madd(p49, a4, p03)
  const below = f32x4.mul(f32x4.mul(splat(HALF), x), expDecay(f32x4.mul(p, a)))
  return v128.bitselect(below, f32x4.sub(x, below), f32x4.lt(x, splat(ZERO)))
}
