// The excitation of the `mini` synthesiser (training/SPEC.md, sections 5 and 6): harmonics of a pitch track and counter-based
// noise as samples; their mixture and shaping as rows of spectra: re[bins], im[bins].

import { loadPartial, splat, storePartial } from './simd'
import { exp } from './transcendental'

/**
 * out[i] = sqrt(2 f / sampleRate) * sum over k <= limit / f of cos(2 pi k phase), for `count` samples of one hop in which f glides
 * linearly from `from` to `to` Hz: sample i is (first + i) / hop of the way. `phase` (f64, cycles) advances by f / sampleRate before
 * each sample and is left at the last one's.
 */
export function harmonicsF32(
  out: usize,
  phase: usize,
  from: f64,
  to: f64,
  first: i32,
  count: i32,
  hop: i32,
  sampleRate: f64,
  limit: f64,
): void {
  const slope = (to - from) / <f64>hop
  const cyclesPerHertz = 1 / sampleRate
  let turn = load<f64>(phase)
  for (let i = first; i < first + count; i++, out += 4) {
    const f = from + <f64>i * slope
    turn += f * cyclesPerHertz
    turn -= floor(turn)
    const k = floor(limit / f)
    // Dirichlet kernel: the sum is sin(2 pi (k + 1/2) phase) / (2 sin(pi phase)) - 1/2
    const sines = sinesOfTurns(f64x2.replace_lane(f64x2.splat((k + 0.5) * turn), 1, 0.5 * turn))
    const below = f64x2.extract_lane(sines, 1)
    const sum = abs(below) < 1e-7 ? k : f64x2.extract_lane(sines, 0) / (2 * below) - 0.5
    store<f32>(out, <f32>(sum * sqrt(2 * f * cyclesPerHertz)))
  }
  store<f64>(phase, turn)
}

const TWO = memory.data<f64>([2])
const HALF = memory.data<f64>([0.5])
const ROUND = memory.data<f64>([6755399441055744]) // 1.5 * 2^52
const TURN = memory.data<f64>([6.283185307179586477])
// 1 / 17!, -1 / 15!, ... -1 / 3!
const SINE = memory.data<f64>([
  2.8114572543455206e-15, -7.6471637318198164e-13, 1.6059043836821613e-10, -2.5052108385441720e-8, 2.7557319223985893e-6,
  -1.9841269841269841e-4, 8.3333333333333332e-3, -0.16666666666666666,
])

/** sin(2 pi x): Taylor series about the nearest half turn, 4e-14 off at most and relative to itself near its zeros. */
// @ts-ignore: decorator
@inline
function sinesOfTurns(x: v128): v128 {
  const halves = f64x2.nearest(f64x2.mul(x, v128.load64_splat(TWO)))
  const angle = f64x2.mul(f64x2.sub(x, f64x2.mul(halves, v128.load64_splat(HALF))), v128.load64_splat(TURN))
  const s = f64x2.mul(angle, angle)
  let p = v128.load64_splat(SINE)
  for (let i = 8; i < 64; i += 8) p = f64x2.add(f64x2.mul(p, s), v128.load64_splat(SINE + i))
  const sine = f64x2.add(angle, f64x2.mul(angle, f64x2.mul(p, s)))
  // an odd number of half turns flips the sign: the low bit of halves + 1.5 * 2^52 says which
  return v128.xor(sine, i64x2.shl(f64x2.add(halves, v128.load64_splat(ROUND)), 63))
}

const LANES = memory.data<i32>([0, 1, 2, 3])
const FOUR = memory.data<i32>([4])
const FACTOR_1 = memory.data<i32>([0x7feb352d])
const FACTOR_2 = memory.data<u32>([0x846ca68b])
const UNIT_VARIANCE = memory.data<f64>([8.065490087349327e-10]) // sqrt(3) / 2^31

/**
 * Uniform white noise of unit variance for absolute samples start, start + 1, ... (modulo 2^32): the hash lowbias32 of the sample's
 * index, so that any stretch can be computed on its own.
 */
export function noiseF32(out: usize, start: i32, count: i32): void {
  let index = i32x4.add(i32x4.splat(start + <i32>0x9e3779b9), v128.load(LANES))
  for (; count >= 4; count -= 4, out += 16) {
    v128.store(out, uniform(index))
    index = i32x4.add(index, splat(FOUR))
  }
  if (count > 0) storePartial(out, uniform(index), count)
}

// @ts-ignore: decorator
@inline
function uniform(x: v128): v128 {
  x = v128.xor(x, i32x4.shr_u(x, 16))
  x = i32x4.mul(x, splat(FACTOR_1))
  x = v128.xor(x, i32x4.shr_u(x, 15))
  x = i32x4.mul(x, splat(FACTOR_2))
  x = v128.xor(x, i32x4.shr_u(x, 16))
  const scale = v128.load64_splat(UNIT_VARIANCE)
  const low = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.convert_low_i32x4_s(x), scale))
  const upper = v128.shuffle<i32>(x, x, 2, 3, 2, 3)
  const high = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.convert_low_i32x4_s(upper), scale))
  return v128.shuffle<f32>(low, high, 0, 1, 4, 5)
}

const ZERO = memory.data<f32>([0])
const ONE = memory.data<f32>([1])

/**
 * In place, harmonics = E = sqrt(c) * harmonics + sqrt(1 - c) * noise and magnitudes = |E|, c = shares limited to 0..1.
 * harmonics, noise: [rows][2 * bins] (re, im); magnitudes, shares: [rows][bins], which may be the same.
 */
export function mixSpectraF32(harmonics: usize, magnitudes: usize, noise: usize, shares: usize, rows: usize, bins: usize): void {
  const imBytes = bins << 2
  for (let row: usize = 0; row < rows; row++) {
    const end = shares + imBytes
    for (; shares + 16 <= end; harmonics += 16, noise += 16, shares += 16, magnitudes += 16) {
      const share = limited(v128.load(shares))
      const harmonic = f32x4.sqrt(share)
      const noisy = f32x4.sqrt(f32x4.sub(splat(ONE), share))
      const re = mixed(v128.load(harmonics), harmonic, v128.load(noise), noisy)
      const im = mixed(v128.load(harmonics + imBytes), harmonic, v128.load(noise + imBytes), noisy)
      v128.store(harmonics, re)
      v128.store(harmonics + imBytes, im)
      v128.store(magnitudes, f32x4.sqrt(mixed(re, re, im, im)))
    }
    const rest = (end - shares) >> 2
    if (rest) {
      const share = limited(loadPartial(shares, rest))
      const harmonic = f32x4.sqrt(share)
      const noisy = f32x4.sqrt(f32x4.sub(splat(ONE), share))
      const re = mixed(loadPartial(harmonics, rest), harmonic, loadPartial(noise, rest), noisy)
      const im = mixed(loadPartial(harmonics + imBytes, rest), harmonic, loadPartial(noise + imBytes, rest), noisy)
      storePartial(harmonics, re, rest)
      storePartial(harmonics + imBytes, im, rest)
      storePartial(magnitudes, f32x4.sqrt(mixed(re, re, im, im)), rest)
    }
    harmonics += (rest << 2) + imBytes
    noise += (rest << 2) + imBytes
    magnitudes += rest << 2
    shares = end
  }
}

// @ts-ignore: decorator
@inline
function mixed(a: v128, x: v128, b: v128, y: v128): v128 {
  return f32x4.add(f32x4.mul(a, x), f32x4.mul(b, y))
}

// @ts-ignore: decorator
@inline
function limited(share: v128): v128 {
  share = v128.bitselect(splat(ZERO), share, f32x4.lt(share, splat(ZERO)))
  return v128.bitselect(splat(ONE), share, f32x4.gt(share, splat(ONE)))
}

/** In place, spectra[rows][2 * bins] (re, im) times exp(logGains[rows][bins]). */
export function shapeSpectraF32(spectra: usize, logGains: usize, rows: usize, bins: usize): void {
  const imBytes = bins << 2
  for (let row: usize = 0; row < rows; row++, spectra += imBytes) {
    const end = logGains + imBytes
    for (; logGains + 16 <= end; logGains += 16, spectra += 16) {
      const gain = exp(v128.load(logGains))
      v128.store(spectra, f32x4.mul(v128.load(spectra), gain))
      v128.store(spectra + imBytes, f32x4.mul(v128.load(spectra + imBytes), gain))
    }
    const rest = (end - logGains) >> 2
    if (rest) {
      const gain = exp(loadPartial(logGains, rest))
      storePartial(spectra, f32x4.mul(loadPartial(spectra, rest), gain), rest)
      storePartial(spectra + imBytes, f32x4.mul(loadPartial(spectra + imBytes, rest), gain), rest)
    }
    spectra += rest << 2
    logGains = end
  }
}
