// Winograd's F(4, 3) over time: four rows of a convolution with three taps from six products instead of twelve.
// (Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", in one dimension)
//
//   rows [4 * tiles + 2, C] --B^T--> six points [tiles, C] --one matrix product each--> [tiles, N] --A^T, bias--> rows [4 * tiles, N]
//
// The points are 0, +-1/sqrt 2, +-sqrt 2 and infinity: 119.3 dB against an exact convolution of 768 channels, where the usual
// 0, +-1, +-2 reach 116.3 and twelve products 121.2. A tile's rows depend on its own six input rows alone.

import { madd, splat } from './simd'

// a = 1 / sqrt 2, b = sqrt 2
const A = memory.data<f32>([0.7071067811865476])
const B = memory.data<f32>([1.4142135623730951])
const HALF = memory.data<f32>([0.5])
const TWO = memory.data<f32>([2])
const MINUS_HALF = memory.data<f32>([-0.5])
const MINUS_TWO = memory.data<f32>([-2])
const MINUS_FIVE_HALVES = memory.data<f32>([-2.5])

/** out [6][tiles][channels] = B^T times the six rows of x [4 * tiles + 2][channels] that start at each fourth. */
export function winogradInputF32(out: usize, x: usize, tiles: usize, channels: usize): void {
  const pitch = channels << 2
  const vectors = pitch & ~15
  const point = tiles * pitch
  for (let tile: usize = 0; tile < tiles; tile++, x += pitch << 2, out += pitch) {
    let c: usize = 0
    for (; c < vectors; c += 16) inputTile(out + c, x + c, pitch, point, true)
    for (; c < pitch; c += 4) inputTile(out + c, x + c, pitch, point, false)
  }
}

/** out [rows][channels] = bias + A^T times the six points x [6][tiles][channels]; 4 * (tiles - 1) < rows <= 4 * tiles. */
export function winogradOutputF32(
  out: usize,
  x: usize,
  bias: usize,
  tiles: usize,
  rows: usize,
  channels: usize,
): void {
  const pitch = channels << 2
  const vectors = pitch & ~15
  const point = tiles * pitch
  for (let row: usize = 0; row < rows; row += 4, x += pitch, out += pitch << 2) {
    const count = min<usize>(4, rows - row)
    let c: usize = 0
    for (; c < vectors; c += 16) outputTile(out + c, x + c, bias + c, pitch, point, count, true)
    for (; c < pitch; c += 4) outputTile(out + c, x + c, bias + c, pitch, point, count, false)
  }
}

// @ts-ignore: decorator
@inline
function inputTile(out: usize, x: usize, pitch: usize, point: usize, wide: bool): void {
  const x0 = get(x, wide)
  const x1 = get(x + pitch, wide)
  const x2 = get(x + 2 * pitch, wide)
  const x3 = get(x + 3 * pitch, wide)
  const x4 = get(x + 4 * pitch, wide)
  const x5 = get(x + 5 * pitch, wide)
  put(out, f32x4.add(madd(splat(MINUS_FIVE_HALVES), x2, x4), x0), wide)
  out += point
  const even1 = madd(splat(MINUS_TWO), x2, x4)
  const odd1 = f32x4.mul(splat(A), madd(splat(MINUS_TWO), x1, x3))
  put(out, f32x4.add(even1, odd1), wide)
  out += point
  put(out, f32x4.sub(even1, odd1), wide)
  out += point
  const even2 = madd(splat(MINUS_HALF), x2, x4)
  const odd2 = f32x4.mul(splat(B), madd(splat(MINUS_HALF), x1, x3))
  put(out, f32x4.add(even2, odd2), wide)
  out += point
  put(out, f32x4.sub(even2, odd2), wide)
  out += point
  put(out, f32x4.add(madd(splat(MINUS_FIVE_HALVES), x3, x5), x1), wide)
}

// @ts-ignore: decorator
@inline
function outputTile(
  out: usize,
  x: usize,
  bias: usize,
  pitch: usize,
  point: usize,
  rows: usize,
  wide: bool,
): void {
  const m1 = get(x + point, wide)
  const m2 = get(x + 2 * point, wide)
  const m3 = get(x + 3 * point, wide)
  const m4 = get(x + 4 * point, wide)
  const biases = get(bias, wide)
  const sum1 = f32x4.add(m1, m2)
  const sum2 = f32x4.add(m3, m4)
  put(out, f32x4.add(f32x4.add(get(x, wide), f32x4.add(sum1, sum2)), biases), wide)
  if (rows == 1) return
  const odd1 = f32x4.mul(splat(A), f32x4.sub(m1, m2))
  const odd2 = f32x4.mul(splat(B), f32x4.sub(m3, m4))
  out += pitch
  put(out, f32x4.add(f32x4.add(odd1, odd2), biases), wide)
  if (rows == 2) return
  out += pitch
  put(out, f32x4.add(madd(splat(TWO), sum2, f32x4.mul(splat(HALF), sum1)), biases), wide)
  if (rows == 3) return
  out += pitch
  const odd = madd(splat(TWO), odd2, f32x4.mul(splat(HALF), odd1))
  put(out, f32x4.add(f32x4.add(odd, get(x + 5 * point, wide)), biases), wide)
}

// @ts-ignore: decorator
@inline
function get(at: usize, wide: bool): v128 {
  return wide ? v128.load(at) : v128.load32_zero(at)
}

// @ts-ignore: decorator
@inline
function put(at: usize, value: v128, wide: bool): void {
  if (wide) v128.store(at, value)
  else v128.store32_lane(at, value, 0)
}
