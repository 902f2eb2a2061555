// Attention is three matrix products around this: scores = q k^T, softmax of each row, then times v.

import { horizontalSum, larger } from './simd'
import { expDecay } from './transcendental'

/** Each row of x becomes softmax(scale * row), in place, scale > 0; rows are `pitch` elements apart. */
export function softmaxRowsF32(x: usize, pitch: usize, rows: usize, columns: usize, scale: f32): void {
  const scales = f32x4.splat(scale)
  const vectorBytes = (columns << 2) & ~15
  for (; rows > 0; rows--, x += pitch << 2) {
    const end = x + (columns << 2)
    const vectorEnd = x + vectorBytes
    const top = f32x4.splat(largest(x, vectorEnd, end))
    let sums = f32x4.splat(0)
    let at = x
    for (; at < vectorEnd; at += 16) {
      const e = expDecay(f32x4.mul(f32x4.sub(v128.load(at), top), scales))
      v128.store(at, e)
      sums = f32x4.add(sums, e)
    }
    let sum = horizontalSum(sums)
    for (; at < end; at += 4) {
      const e = expDecay(f32x4.mul(f32x4.sub(v128.load32_splat(at), top), scales))
      v128.store32_lane(at, e, 0)
      sum += f32x4.extract_lane(e, 0)
    }
    const share: f32 = 1 / sum
    const shares = f32x4.splat(share)
    for (at = x; at < vectorEnd; at += 16) v128.store(at, f32x4.mul(v128.load(at), shares))
    for (; at < end; at += 4) store<f32>(at, load<f32>(at) * share)
  }
}

/** Largest element of [x, end). */
function largest(x: usize, vectorEnd: usize, end: usize): f32 {
  let lanes = f32x4.splat(-Infinity)
  for (; x < vectorEnd; x += 16) lanes = larger(v128.load(x), lanes)
  lanes = larger(lanes, v128.shuffle<f32>(lanes, lanes, 2, 3, 0, 1))
  lanes = larger(lanes, v128.shuffle<f32>(lanes, lanes, 1, 0, 3, 2))
  for (; x < end; x += 4) lanes = larger(v128.load32_splat(x), lanes)
  return f32x4.extract_lane(lanes, 0)
}
