// Attention over a whole clip is three matrix products around a softmax: scores = q k^T, softmax of each row, then times v.
// Attention over a sliding window is one kernel: each row has its own few keys, whose sums must not depend on where a call starts.

import { horizontalSum, larger, madd } from './simd'
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

/**
 * Rotary position embedding, in place (Su et al., 2021): in each head, elements i and i + half turn by angle i of the row, whose
 * cosine and sine are in `cosines`, `sines`: [rows][half], half a multiple of 4. Rows of x are `pitch` elements apart.
 */
export function rotateHeadsF32(
  x: usize,
  pitch: usize,
  cosines: usize,
  sines: usize,
  rows: usize,
  heads: usize,
  half: usize,
): void {
  const bytes = half << 2
  for (; rows > 0; rows--, x += pitch << 2, cosines += bytes, sines += bytes) {
    const end = x + heads * 2 * bytes
    for (let head = x; head < end; head += 2 * bytes) {
      for (let i: usize = 0; i < bytes; i += 16) {
        const cosine = v128.load(cosines + i)
        const sine = v128.load(sines + i)
        const low = v128.load(head + i)
        const high = v128.load(head + bytes + i)
        v128.store(head + i, f32x4.sub(f32x4.mul(low, cosine), f32x4.mul(high, sine)))
        v128.store(head + bytes + i, f32x4.add(f32x4.mul(high, cosine), f32x4.mul(low, sine)))
      }
    }
  }
}

/**
 * out[t][head] = softmax(scale * q[t][head] k^T) v over row t's own key and the window - 1 before it, as far as there are any.
 *
 *   keys, values   | held rows of the past | row 0 | row 1 | ... | row rows - 1 |     `pitch` elements apart
 *                          |<------ window of row 1 ------>|
 *
 * q, out: [rows][heads * dim], dim a multiple of 16. scores: room for `window` elements.
 */
export function windowAttentionF32(
  out: usize,
  q: usize,
  keys: usize,
  values: usize,
  pitch: usize,
  scores: usize,
  rows: usize,
  held: usize,
  window: usize,
  heads: usize,
  dim: usize,
  scale: f32,
): void {
  const headBytes = dim << 2
  const pitchBytes = pitch << 2
  for (let row: usize = 0; row < rows; row++) {
    const last = held + row
    const first: usize = last < window ? 0 : last + 1 - window
    const count = last + 1 - first
    const from = first * pitchBytes
    for (let head: usize = 0; head < heads; head++, q += headBytes, out += headBytes) {
      const at = from + head * headBytes
      dotRows(scores, q, keys + at, pitchBytes, count, headBytes)
      softmaxRowsF32(scores, count, 1, count, scale)
      mixRows(out, scores, values + at, pitchBytes, count, headBytes)
    }
  }
}

/** scores[j] = q . keys[j] */
function dotRows(scores: usize, q: usize, keys: usize, pitch: usize, count: usize, bytes: usize): void {
  for (; count >= 4; count -= 4, scores += 16, keys += 4 * pitch) {
    let sum0 = f32x4.splat(0)
    let sum1 = sum0
    let sum2 = sum0
    let sum3 = sum0
    for (let i: usize = 0; i < bytes; i += 16) {
      const query = v128.load(q + i)
      const at = keys + i
      sum0 = madd(query, v128.load(at), sum0)
      sum1 = madd(query, v128.load(at + pitch), sum1)
      sum2 = madd(query, v128.load(at + 2 * pitch), sum2)
      sum3 = madd(query, v128.load(at + 3 * pitch), sum3)
    }
    store<f32>(scores, horizontalSum(sum0))
    store<f32>(scores, horizontalSum(sum1), 4)
    store<f32>(scores, horizontalSum(sum2), 8)
    store<f32>(scores, horizontalSum(sum3), 12)
  }
  for (; count > 0; count--, scores += 4, keys += pitch) {
    let sum = f32x4.splat(0)
    for (let i: usize = 0; i < bytes; i += 16) sum = madd(v128.load(q + i), v128.load(keys + i), sum)
    store<f32>(scores, horizontalSum(sum))
  }
}

/** out = sum of shares[j] * values[j], 16 channels at a time. */
function mixRows(out: usize, shares: usize, values: usize, pitch: usize, count: usize, bytes: usize): void {
  const sharesEnd = shares + (count << 2)
  for (let i: usize = 0; i < bytes; i += 64) {
    let sum0 = f32x4.splat(0)
    let sum1 = sum0
    let sum2 = sum0
    let sum3 = sum0
    let at = values + i
    for (let share = shares; share < sharesEnd; share += 4, at += pitch) {
      const factor = v128.load32_splat(share)
      sum0 = madd(v128.load(at), factor, sum0)
      sum1 = madd(v128.load(at, 16), factor, sum1)
      sum2 = madd(v128.load(at, 32), factor, sum2)
      sum3 = madd(v128.load(at, 48), factor, sum3)
    }
    v128.store(out + i, sum0)
    v128.store(out + i, sum1, 16)
    v128.store(out + i, sum2, 32)
    v128.store(out + i, sum3, 48)
  }
}
