// The product with integer weights: rows of activations become int16, and products and sums are exact integers, so that the result
// depends on nothing but the row and the column.
//
//   out[t][n] = act(sum_k qa[t][k] * qw[n][k] * rowScale[t] * scale[n] + bias[n] (+ residual[t][n]))
//
//   panel   n0 k0 | n0 k1 | n1 k0 | n1 k1 | ... | n15 k1      pairs of k: bytes as packed (pack_reduced.ts), widened to int16
//   row     a[k0] | a[k1] | a[k0] | a[k1] | ...               one pair, four times: i32x4.dot_i16x8_s adds both products
//
// Rows are quantized to +-limit, which the caller takes from packWeightsInteger's bound so that no sum leaves 32 bits.
// Widening once per call and panel, then 2 rows x 16 columns: 110 Gop/s where f32 reaches 57; widening in the inner loop: 96.

import { activateRow } from './activation'
import { scratch } from './scratch'

/** Rows below this have no useful inverse; they count as zeros. */
const LEAST_PEAK: f32 = 1e-30

/** out [rows][k rounded up to 8] int16, zeros behind k; rowScales [rows]: a = out * rowScale, with |out| <= limit < 32768. */
export function quantizeRowsI16(
  out: usize,
  rowScales: usize,
  a: usize,
  aPitch: usize,
  rows: usize,
  k: usize,
  limit: f32,
): void {
  const pitch = ((k + 7) & ~7) << 1
  for (let row: usize = 0; row < rows; row++) {
    const peak = rowPeak(a, k)
    const isZero = peak < LEAST_PEAK
    store<f32>(rowScales + (row << 2), isZero ? 0 : peak / limit)
    quantizeRow(out, a, k, isZero ? 0 : limit / peak)
    a += aPitch << 2
    out += pitch
  }
}

/** max |a[k]|; not finite where an element is not. */
function rowPeak(a: usize, k: usize): f32 {
  const vectorEnd = a + ((k & ~3) << 2)
  const end = a + (k << 2)
  let peaks = i32x4.splat(0)
  // floats without their sign order like integers
  for (; a < vectorEnd; a += 16) peaks = i32x4.max_s(peaks, f32x4.abs(v128.load(a)))
  peaks = i32x4.max_s(peaks, v128.shuffle<i32>(peaks, peaks, 2, 3, 0, 1))
  let peak = max(i32x4.extract_lane(peaks, 0), i32x4.extract_lane(peaks, 1))
  for (; a < end; a += 4) peak = max(peak, load<i32>(a) & 0x7fffffff)
  return reinterpret<f32>(peak)
}

function quantizeRow(out: usize, a: usize, k: usize, factor: f32): void {
  const factors = f32x4.splat(factor)
  const end = out + ((k & ~7) << 1)
  for (; out < end; out += 16, a += 32) v128.store(out, quantized(a, factors))
  if ((k & 7) == 0) return
  const tail = scratch // the last elements of the row, filled up with zeros
  memory.fill(tail, 0, 32)
  memory.copy(tail, a, (k & 7) << 2)
  v128.store(out, quantized(tail, factors))
}

/** Eight elements at `a`, times their factor, to the nearest integers. */
// @ts-ignore: decorator
@inline
function quantized(a: usize, factors: v128): v128 {
  const low = f32x4.nearest(f32x4.mul(v128.load(a), factors))
  const high = f32x4.nearest(f32x4.mul(v128.load(a, 16), factors))
  return i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(low), i32x4.trunc_sat_f32x4_s(high))
}

/**
 * a, rowScales: what quantizeRowsI16 wrote; w, scales: packWeightsInteger's; bias: [ceil(columns / 16) * 16]; residual: 0 or rows like
 * `out` (may be `out` itself); activation: see activation.ts; panel: room for [k rounded up to 2][16] int16
 * where w holds bytes, 0 where it holds int16.
 */
export function matmulInteger(
  out: usize,
  outPitch: usize,
  a: usize,
  rowScales: usize,
  w: usize,
  scales: usize,
  bias: usize,
  residual: usize,
  rows: usize,
  k: usize,
  columns: usize,
  activation: i32,
  panel: usize,
): void {
  const outBytes = outPitch << 2
  const aBytes = ((k + 7) & ~7) << 1
  const pairBytes = ((k + 1) & ~1) << 1
  const sums = scratch // of two rows x 16 columns
  for (let column: usize = 0; column < columns; column += 16) {
    const width = min<usize>(16, columns - column)
    const offset = column << 2
    if (panel) widen(panel, w, pairBytes << 4)
    const weights = panel ? panel : w
    let aRow = a
    let outRow = out + offset
    let residualRow: usize = residual == 0 ? 0 : residual + offset
    for (let row: usize = 0; row < rows; row += 2) {
      const isPair = row + 1 < rows
      product2x16(sums, aRow, isPair ? aBytes : <usize>0, weights, pairBytes)
      finish(outRow, sums, rowScales + (row << 2), scales + offset, bias + offset, residualRow, width)
      if (isPair) {
        const next: usize = residualRow == 0 ? 0 : residualRow + outBytes
        const nextScale = rowScales + ((row + 1) << 2)
        finish(outRow + outBytes, sums + 64, nextScale, scales + offset, bias + offset, next, width)
      }
      aRow += aBytes << 1
      outRow += outBytes << 1
      if (residualRow) residualRow += outBytes << 1
    }
    w += pairBytes << (panel ? 3 : 4)
  }
  if (activation) {
    for (let row: usize = 0; row < rows; row++, out += outBytes) activateRow(out, columns, activation)
  }
}

/** `size` bytes of int16 at `panel` from half as many bytes at `w`. */
function widen(panel: usize, w: usize, size: usize): void {
  const end = panel + size
  for (; panel < end; panel += 32, w += 16) {
    v128.store(panel, v128.load8x8_s(w))
    v128.store(panel, v128.load8x8_s(w, 8), 16)
  }
}

// @ts-ignore: decorator
@inline
function product2x16(sums: usize, a: usize, aBytes: usize, panel: usize, pairBytes: usize): void {
  let c0 = i32x4.splat(0)
  let c1 = c0
  let c2 = c0
  let c3 = c0
  let d0 = c0
  let d1 = c0
  let d2 = c0
  let d3 = c0
  const end = a + pairBytes
  do {
    const w0 = v128.load(panel)
    const w1 = v128.load(panel, 16)
    const w2 = v128.load(panel, 32)
    const w3 = v128.load(panel, 48)
    const a0 = v128.load32_splat(a)
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(a0, w0))
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(a0, w1))
    c2 = i32x4.add(c2, i32x4.dot_i16x8_s(a0, w2))
    c3 = i32x4.add(c3, i32x4.dot_i16x8_s(a0, w3))
    const a1 = v128.load32_splat(a + aBytes)
    d0 = i32x4.add(d0, i32x4.dot_i16x8_s(a1, w0))
    d1 = i32x4.add(d1, i32x4.dot_i16x8_s(a1, w1))
    d2 = i32x4.add(d2, i32x4.dot_i16x8_s(a1, w2))
    d3 = i32x4.add(d3, i32x4.dot_i16x8_s(a1, w3))
    panel += 64
    a += 4
  } while (a < end)
  v128.store(sums, c0)
  v128.store(sums, c1, 16)
  v128.store(sums, c2, 32)
  v128.store(sums, c3, 48)
  v128.store(sums, d0, 64)
  v128.store(sums, d1, 80)
  v128.store(sums, d2, 96)
  v128.store(sums, d3, 112)
}

/** Scales one row of 16 sums, adds bias and residual, and stores the first `width`. */
function finish(
  out: usize,
  row: usize,
  rowScale: usize,
  scales: usize,
  bias: usize,
  residual: usize,
  width: usize,
): void {
  const factor = v128.load32_splat(rowScale)
  const v0 = scaled(row, factor, scales, bias)
  const v1 = scaled(row + 16, factor, scales + 16, bias + 16)
  const v2 = scaled(row + 32, factor, scales + 32, bias + 32)
  const v3 = scaled(row + 48, factor, scales + 48, bias + 48)
  if (width == 16 && residual == 0) {
    v128.store(out, v0)
    v128.store(out, v1, 16)
    v128.store(out, v2, 32)
    v128.store(out, v3, 48)
  } else if (width == 16) {
    v128.store(out, f32x4.add(v0, v128.load(residual)))
    v128.store(out, f32x4.add(v1, v128.load(residual, 16)), 16)
    v128.store(out, f32x4.add(v2, v128.load(residual, 32)), 32)
    v128.store(out, f32x4.add(v3, v128.load(residual, 48)), 48)
  } else {
    v128.store(row, v0)
    v128.store(row, v1, 16)
    v128.store(row, v2, 32)
    v128.store(row, v3, 48)
    for (let i: usize = 0; i < width << 2; i += 4) {
      const value = load<f32>(row + i)
      store<f32>(out + i, residual == 0 ? value : value + load<f32>(residual + i))
    }
  }
}

// @ts-ignore: decorator
@inline
function scaled(sums: usize, factor: v128, scales: usize, bias: usize): v128 {
  const scale = f32x4.mul(factor, v128.load(scales))
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums)), scale), v128.load(bias))
}
