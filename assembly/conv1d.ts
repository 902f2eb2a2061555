// The convolutions that are no matrix product, over channels-last rows: depthwise, and the sum behind a transposed convolution.

import { addF32 } from './elementwise'
import { madd } from './simd'

/**
 * out[t][c] = bias[c] + sum_tap x[t + tap * dilation][c] * w[tap][c]; x has rows + (taps - 1) * dilation rows.
 * Four rows x four channels at a time, so that a weight is loaded once for four rows: 38 GFLOP/s, 4 x 8 31, 2 x 16 25.
 */
export function depthwiseF32(
  out: usize,
  x: usize,
  w: usize,
  bias: usize,
  rows: usize,
  channels: usize,
  taps: usize,
  dilation: usize,
): void {
  const pitch = channels << 2
  const stride = pitch * dilation
  const tiledBytes = pitch & ~15
  const tiledRows = rows & ~3
  for (let row: usize = 0; row < rows; row++) {
    const first = row < tiledRows ? tiledBytes : 0
    if (first < pitch) depthwiseRow(out + row * pitch, x + row * pitch, w, bias, first, pitch, stride, taps)
  }
  for (let row: usize = 0; row < tiledRows; row += 4, x += pitch << 2, out += pitch << 2) {
    for (let c: usize = 0; c < tiledBytes; c += 16) depthwise4x4(out + c, x + c, w + c, bias + c, pitch, stride, taps)
  }
}

// @ts-ignore: decorator
@inline
function depthwise4x4(out: usize, x: usize, w: usize, bias: usize, pitch: usize, stride: usize, taps: usize): void {
  let sum0 = v128.load(bias)
  let sum1 = sum0
  let sum2 = sum0
  let sum3 = sum0
  const end = w + taps * pitch
  do {
    const weights = v128.load(w)
    let at = x
    sum0 = madd(v128.load(at), weights, sum0)
    at += pitch
    sum1 = madd(v128.load(at), weights, sum1)
    at += pitch
    sum2 = madd(v128.load(at), weights, sum2)
    at += pitch
    sum3 = madd(v128.load(at), weights, sum3)
    w += pitch
    x += stride
  } while (w < end)
  v128.store(out, sum0)
  out += pitch
  v128.store(out, sum1)
  out += pitch
  v128.store(out, sum2)
  out += pitch
  v128.store(out, sum3)
}

/** One row from the channel at byte `c` on. */
function depthwiseRow(
  out: usize,
  x: usize,
  w: usize,
  bias: usize,
  c: usize,
  pitch: usize,
  stride: usize,
  taps: usize,
): void {
  for (; c + 16 <= pitch; c += 16) {
    let sum = v128.load(bias + c)
    for (let tap: usize = 0, at = x + c, wAt = w + c; tap < taps; tap++, at += stride, wAt += pitch) {
      sum = madd(v128.load(at), v128.load(wAt), sum)
    }
    v128.store(out + c, sum)
  }
  for (; c < pitch; c += 4) {
    let sum = v128.load32_zero(bias + c)
    for (let tap: usize = 0, at = x + c, wAt = w + c; tap < taps; tap++, at += stride, wAt += pitch) {
      sum = madd(v128.load32_zero(at), v128.load32_zero(wAt), sum)
    }
    v128.store32_lane(out + c, sum, 0)
  }
}

/**
 * out[t * stride + tap][c] += x[t][tap][c]: sums the products x W of a transposed convolution (W: [taps * channels][inputs])
 * into its (rows - 1) * stride + taps output rows. Rows are added in order, so that a row's sum does not depend on how calls split it.
 */
export function overlapAddRowsF32(
  out: usize,
  x: usize,
  rows: usize,
  taps: usize,
  channels: usize,
  stride: usize,
): void {
  const length = taps * channels
  for (; rows > 0; rows--, x += length << 2, out += (stride * channels) << 2) addF32(out, x, length)
}
