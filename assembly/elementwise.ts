// Whole arrays at a time: sums and affine maps.

import { madd } from './simd'

/** out += x, `length` elements. */
export function addF32(out: usize, x: usize, length: usize): void {
  const end = out + (length << 2)
  for (; out + 12 < end; out += 16, x += 16) v128.store(out, f32x4.add(v128.load(out), v128.load(x)))
  for (; out < end; out += 4, x += 4) store<f32>(out, load<f32>(out) + load<f32>(x))
}

/** Each row of x [rows][length] times its factor, in place. */
export function scaleRowsF32(x: usize, factors: usize, rows: usize, length: usize): void {
  for (; rows > 0; rows--, factors += 4) {
    const factor = v128.load32_splat(factors)
    const end = x + (length << 2)
    for (; x + 12 < end; x += 16) v128.store(x, f32x4.mul(v128.load(x), factor))
    for (; x < end; x += 4) store<f32>(x, load<f32>(x) * load<f32>(factors))
  }
}

/** out = x * scale + shift, `length` elements; out may be x. */
export function affineF32(out: usize, x: usize, length: usize, scale: f32, shift: f32): void {
  const scales = f32x4.splat(scale)
  const shifts = f32x4.splat(shift)
  const end = out + (length << 2)
  for (; out + 12 < end; out += 16, x += 16) v128.store(out, madd(v128.load(x), scales, shifts))
  for (; out < end; out += 4, x += 4) {
    v128.store32_lane(out, madd(v128.load32_splat(x), scales, shifts), 0)
  }
}

/** out[t][c] += scales[t] * x[t][c]. */
export function addScaledRowsF32(out: usize, x: usize, scales: usize, rows: usize, channels: usize): void {
  for (; rows > 0; rows--, scales += 4) {
    const scale = v128.load32_splat(scales)
    const end = out + (channels << 2)
    for (; out + 12 < end; out += 16, x += 16) v128.store(out, madd(v128.load(x), scale, v128.load(out)))
    for (; out < end; out += 4, x += 4) {
      v128.store32_lane(out, madd(v128.load32_splat(x), scale, v128.load32_splat(out)), 0)
    }
  }
}
