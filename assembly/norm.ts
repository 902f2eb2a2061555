// Layer norm over the channels of each row, and group norm over all rows of a clip. Variances are biased, eps is inside the root.

import { activateRow } from './activation'
import { horizontalSum, madd } from './simd'

/**
 * out[t] = (x[t] - mean) / sqrt(variance + eps) * scale + shift over the channels of each row; `out` may be `x`.
 * The centred values are averaged again: without that, the f32 rounding of the mean would stay in the result.
 */
export function layerNormF32(
  out: usize,
  x: usize,
  scale: usize,
  shift: usize,
  rows: usize,
  channels: usize,
  eps: f32,
): void {
  const bytes = channels << 2
  const share: f32 = 1 / <f32>channels
  for (let row: usize = 0; row < rows; row++, x += bytes, out += bytes) {
    const mean = sumOfRow(x, bytes) * share
    const end = x + bytes
    const vectorEnd = x + (bytes & ~15)
    const means = f32x4.splat(mean)
    let sums = f32x4.splat(0)
    let squareSums = f32x4.splat(0)
    let at = x
    for (; at < vectorEnd; at += 16) {
      const centred = f32x4.sub(v128.load(at), means)
      sums = f32x4.add(sums, centred)
      squareSums = madd(centred, centred, squareSums)
    }
    let sum = horizontalSum(sums)
    let squareSum = horizontalSum(squareSums)
    for (; at < end; at += 4) {
      const centred = load<f32>(at) - mean
      sum += centred
      squareSum += centred * centred
    }
    const rest = sum * share
    const gain: f32 = 1 / sqrt<f32>(squareSum * share - rest * rest + eps)
    normaliseRow(out, x, scale, shift, mean, rest, gain, bytes)
  }
}

function sumOfRow(x: usize, bytes: usize): f32 {
  const end = x + bytes
  const pairEnd = x + (bytes & ~31)
  let even = f32x4.splat(0)
  let odd = f32x4.splat(0)
  for (; x < pairEnd; x += 32) {
    even = f32x4.add(even, v128.load(x))
    odd = f32x4.add(odd, v128.load(x, 16))
  }
  let sum = horizontalSum(f32x4.add(even, odd))
  for (; x < end; x += 4) sum += load<f32>(x)
  return sum
}

/** out = ((x - mean) - rest) * gain * scale + shift. */
// @ts-ignore: decorator
@inline
function normaliseRow(
  out: usize,
  x: usize,
  scale: usize,
  shift: usize,
  mean: f32,
  rest: f32,
  gain: f32,
  bytes: usize,
): void {
  const means = f32x4.splat(mean)
  const rests = f32x4.splat(rest)
  const gains = f32x4.splat(gain)
  const vectorBytes = bytes & ~15
  let at: usize = 0
  for (; at < vectorBytes; at += 16) {
    const centred = f32x4.sub(f32x4.sub(v128.load(x + at), means), rests)
    v128.store(out + at, madd(f32x4.mul(centred, gains), v128.load(scale + at), v128.load(shift + at)))
  }
  for (; at < bytes; at += 4) {
    const centred = load<f32>(x + at) - mean - rest
    store<f32>(out + at, centred * gain * load<f32>(scale + at) + load<f32>(shift + at))
  }
}

/**
 * Reads all rows of a clip once and writes what groupNormApply works with: factors [4][channels], the mean in two parts (its
 * rounding error would be multiplied where a group hardly varies), gain, shift.
 * Statistics per group run over channels / groups channels of every row, in f64, so that their differences lose nothing.
 */
export function groupNormMeasure(
  factors: usize,
  x: usize,
  scale: usize,
  shift: usize,
  rows: usize,
  channels: usize,
  groups: usize,
  eps: f64,
): void {
  const width = channels / groups
  const pitch = channels << 2
  const count = <f64>(rows * width)
  for (let first: usize = 0; first < channels; first += width) {
    let sums = f64x2.splat(0)
    let squareSums = f64x2.splat(0)
    let sumsHigh = sums
    let squareSumsHigh = sums
    let tailSum: f64 = 0
    let tailSquareSum: f64 = 0
    let row = x + (first << 2)
    for (let t: usize = 0; t < rows; t++, row += pitch) {
      const end = row + (width << 2)
      let at = row
      for (; at + 16 <= end; at += 16) {
        const low = v128.load64_zero(at)
        const a = f64x2.promote_low_f32x4(low)
        const b = f64x2.promote_low_f32x4(v128.load64_zero(at, 8))
        sums = f64x2.add(sums, a)
        sumsHigh = f64x2.add(sumsHigh, b)
        squareSums = f64x2.add(squareSums, f64x2.mul(a, a))
        squareSumsHigh = f64x2.add(squareSumsHigh, f64x2.mul(b, b))
      }
      for (; at < end; at += 4) {
        const value = <f64>load<f32>(at)
        tailSum += value
        tailSquareSum += value * value
      }
    }
    const mean = (sumOfLanes(f64x2.add(sums, sumsHigh)) + tailSum) / count
    const square = (sumOfLanes(f64x2.add(squareSums, squareSumsHigh)) + tailSquareSum) / count
    const inverse: f64 = 1 / sqrt<f64>(square - mean * mean + eps)
    for (let c = first << 2; c < (first + width) << 2; c += 4) {
      const at = factors + c
      store<f32>(at, <f32>mean)
      store<f32>(at + pitch, <f32>(mean - <f64>(<f32>mean)))
      store<f32>(at + 2 * pitch, <f32>(<f64>load<f32>(scale + c) * inverse))
      store<f32>(at + 3 * pitch, load<f32>(shift + c))
    }
  }
}

// @ts-ignore: decorator
@inline
function sumOfLanes(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1)
}

/** out[t] = activation((x[t] - mean) * gain + shift) for any rows of the measured clip; `out` may be `x`. */
export function groupNormApply(
  out: usize,
  x: usize,
  factors: usize,
  rows: usize,
  channels: usize,
  activation: i32,
): void {
  const bytes = channels << 2
  const vectorBytes = bytes & ~15
  const rests = factors + bytes
  const gains = rests + bytes
  const shifts = gains + bytes
  for (let row: usize = 0; row < rows; row++, x += bytes, out += bytes) {
    let at: usize = 0
    for (; at < vectorBytes; at += 16) {
      const centred = f32x4.sub(f32x4.sub(v128.load(x + at), v128.load(factors + at)), v128.load(rests + at))
      v128.store(out + at, madd(centred, v128.load(gains + at), v128.load(shifts + at)))
    }
    for (; at < bytes; at += 4) {
      const centred = load<f32>(x + at) - load<f32>(factors + at) - load<f32>(rests + at)
      store<f32>(out + at, centred * load<f32>(gains + at) + load<f32>(shifts + at))
    }
    if (activation) activateRow(out, channels, activation)
  }
}
