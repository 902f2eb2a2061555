// Filter banks over spectra: products with banded matrices (mel triangles, gains spread over bins) and the logarithm of bands.

import { gather, scatter } from './lanes'
import { loadPartial, madd, splat, storePartial } from './simd'

/**
 * out[rows][outputs] = x[rows][inputs] M^T for a matrix whose rows are zero outside one run, four rows of x at a time (lane = row).
 * matrix: for each output: first input (i32), number of inputs (i32), their weights (f32). Products are added in ascending order.
 */
export function bandedF32(out: usize, x: usize, matrix: usize, rows: usize, inputs: usize, outputs: usize): void {
  const inBytes = inputs << 2
  const outBytes = outputs << 2
  for (let row: usize = 0; row < rows; row += 4) {
    const last = rows - row - 1
    const i1 = min<usize>(1, last)
    const i2 = min<usize>(2, last)
    const i3 = min<usize>(3, last)
    const x1 = i1 * inBytes
    const x2 = i2 * inBytes
    const x3 = i3 * inBytes
    let run = matrix
    const end = out + outBytes
    for (let at = out; at < end; at += 4) {
      let from = x + (<usize>load<u32>(run) << 2)
      const stop = from + (<usize>load<u32>(run, 4) << 2)
      let sum = f32x4.splat(0)
      for (run += 8; from < stop; from += 4, run += 4) {
        sum = madd(gather(from, from + x1, from + x2, from + x3), v128.load32_splat(run), sum)
      }
      scatter(at, at + i1 * outBytes, at + i2 * outBytes, at + i3 * outBytes, sum)
    }
    x += inBytes << 2
    out += outBytes << 2
  }
}

const ONE = memory.data<f32>([1])
const HALF = memory.data<f32>([0.5])
const INFINITE = memory.data<f32>([Infinity])
const SQRT_HALF_BITS = memory.data<i32>([0x3f3504f3])
const EXPONENT = memory.data<i32>([0xff800000])
const LN2_HIGH = memory.data<f32>([0.693359375]) // 9 bits: its product with any exponent is exact
const LN2_LOW = memory.data<f32>([-2.12194440e-4])
// (log(1 + f) - f + f^2 / 2) / f^3 for sqrt(0.5) <= 1 + f < sqrt(2) (Cephes, logf)
const LOG = memory.data<f32>([
  7.0376836292e-2, -1.151461031e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
])

/** out = ln(max(x, floor)), within 1 ulp or so; floor must be a positive normal number. */
export function logF32(out: usize, x: usize, length: usize, floor: f32): void {
  const least = f32x4.splat(floor)
  const end = x + (length << 2)
  for (; x + 16 <= end; x += 16, out += 16) v128.store(out, log(atLeast(v128.load(x), least)))
  if (x < end) {
    const rest = (end - x) >> 2
    storePartial(out, log(atLeast(loadPartial(x, rest), least)), rest)
  }
}

/** NaN stays NaN. */
// @ts-ignore: decorator
@inline
function atLeast(x: v128, least: v128): v128 {
  return v128.bitselect(least, x, f32x4.lt(x, least))
}

// @ts-ignore: decorator
@inline
function log(x: v128): v128 {
  const exponentBits = v128.and(i32x4.sub(x, splat(SQRT_HALF_BITS)), splat(EXPONENT))
  const e = f32x4.convert_i32x4_s(i32x4.shr_s(exponentBits, 23))
  const f = f32x4.sub(i32x4.sub(x, exponentBits), splat(ONE))
  let p = splat(LOG)
  for (let i = 4; i <= 32; i += 4) p = madd(p, f, splat(LOG + i))
  const square = f32x4.mul(f, f)
  let y = f32x4.mul(f32x4.mul(p, f), square)
  y = madd(e, splat(LN2_LOW), y)
  y = f32x4.sub(y, f32x4.mul(splat(HALF), square))
  const value = f32x4.add(f32x4.add(f, y), f32x4.mul(e, splat(LN2_HIGH)))
  return v128.bitselect(value, x, f32x4.lt(x, splat(INFINITE)))
}
