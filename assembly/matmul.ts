// The f32 matrix product everything rests on: out[t][n] = act(bias[n] + sum_k a[t][k] * w[n][k] (+ residual[t][n])).
//
//   a rows: `aPitch` elements apart, K contiguous; rows may overlap, so a strided convolution is this product without im2col
//   w: panels of 16 columns, [K][16] (pack.ts)        out, residual: rows `outPitch` apart
//
//        16 columns of one panel
//   k -> | w0 w1 w2 w3 |     two rows x 16 columns = 8 accumulators + 4 weights + 1 splat: fits V8's 15 registers,
//        a[t  ][k] splat     which larger tiles (5x8, 6x8, 3x12) do not: they spill.
//        a[t+1][k] splat
//
// Every output element is bias, then its products in ascending k, multiply then add: the result does not depend on which
// rows or columns share a call, so tiled and untiled runs agree bit for bit.
// Call it in blocks (about 96 rows x 256 columns): V8 swaps in optimised code only between calls, and a block of `a` stays in L2.

import { activateRow } from './activation'
import { scratch } from './scratch'
import { madd } from './simd'

/** bias: [ceil(columns / 16) * 16]; residual: 0 or rows like `out` (may be `out` itself); activation: see activation.ts. */
export function matmulF32(
  out: usize,
  outPitch: usize,
  a: usize,
  aPitch: usize,
  w: usize,
  bias: usize,
  residual: usize,
  rows: usize,
  k: usize,
  columns: usize,
  activation: i32,
): void {
  const outBytes = outPitch << 2
  const aBytes = aPitch << 2
  const panelBytes = k << 6
  // column tails, and what a residual (which may lie where the output goes) is still to be added to, are computed here
  const tail = scratch
  for (let column: usize = 0; column < columns; column += 16) {
    const width = min<usize>(16, columns - column)
    const offset = column << 2
    let aRow = a
    let outRow = out + offset
    let residualRow: usize = residual == 0 ? 0 : residual + offset
    let row: usize = 0
    for (; row + 1 < rows; row += 2) {
      if (width == 16) {
        if (residualRow) {
          product2x16(tail, tail + 64, aRow, aBytes, w, bias + offset, k)
          add16(outRow, tail, residualRow)
          add16(outRow + outBytes, tail + 64, residualRow + outBytes)
        } else {
          product2x16(outRow, outRow + outBytes, aRow, aBytes, w, bias + offset, k)
        }
      } else {
        product2x16(tail, tail + 64, aRow, aBytes, w, bias + offset, k)
        storeTail(outRow, tail, residualRow, width)
        storeTail(outRow + outBytes, tail + 64, residualRow == 0 ? <usize>0 : residualRow + outBytes, width)
      }
      aRow += aBytes << 1
      outRow += outBytes << 1
      if (residualRow) residualRow += outBytes << 1
    }
    if (row < rows) {
      product1x16(tail, aRow, w, bias + offset, k)
      storeTail(outRow, tail, residualRow, width)
    }
    w += panelBytes
  }
  if (activation == 0) return
  if (outPitch == columns) activateRow(out, rows * columns, activation)
  else for (let row: usize = 0; row < rows; row++, out += outBytes) activateRow(out, columns, activation)
}

// @ts-ignore: decorator
@inline
function product2x16(out0: usize, out1: usize, a: usize, aBytes: usize, w: usize, bias: usize, k: usize): void {
  let c0 = v128.load(bias)
  let c1 = v128.load(bias, 16)
  let c2 = v128.load(bias, 32)
  let c3 = v128.load(bias, 48)
  let d0 = c0
  let d1 = c1
  let d2 = c2
  let d3 = c3
  const end = a + (k << 2)
  do {
    const w0 = v128.load(w)
    const w1 = v128.load(w, 16)
    const w2 = v128.load(w, 32)
    const w3 = v128.load(w, 48)
    const a0 = v128.load32_splat(a)
    c0 = madd(a0, w0, c0)
    c1 = madd(a0, w1, c1)
    c2 = madd(a0, w2, c2)
    c3 = madd(a0, w3, c3)
    const a1 = v128.load32_splat(a + aBytes)
    d0 = madd(a1, w0, d0)
    d1 = madd(a1, w1, d1)
    d2 = madd(a1, w2, d2)
    d3 = madd(a1, w3, d3)
    w += 64
    a += 4
  } while (a < end)
  v128.store(out0, c0)
  v128.store(out0, c1, 16)
  v128.store(out0, c2, 32)
  v128.store(out0, c3, 48)
  v128.store(out1, d0)
  v128.store(out1, d1, 16)
  v128.store(out1, d2, 32)
  v128.store(out1, d3, 48)
}

// @ts-ignore: decorator
@inline
function product1x16(out: usize, a: usize, w: usize, bias: usize, k: usize): void {
  let c0 = v128.load(bias)
  let c1 = v128.load(bias, 16)
  let c2 = v128.load(bias, 32)
  let c3 = v128.load(bias, 48)
  const end = a + (k << 2)
  do {
    const a0 = v128.load32_splat(a)
    c0 = madd(a0, v128.load(w), c0)
    c1 = madd(a0, v128.load(w, 16), c1)
    c2 = madd(a0, v128.load(w, 32), c2)
    c3 = madd(a0, v128.load(w, 48), c3)
    w += 64
    a += 4
  } while (a < end)
  v128.store(out, c0)
  v128.store(out, c1, 16)
  v128.store(out, c2, 32)
  v128.store(out, c3, 48)
}

// @ts-ignore: decorator
@inline
function add16(out: usize, x: usize, y: usize): void {
  v128.store(out, f32x4.add(v128.load(x), v128.load(y)))
  v128.store(out, f32x4.add(v128.load(x, 16), v128.load(y, 16)), 16)
  v128.store(out, f32x4.add(v128.load(x, 32), v128.load(y, 32)), 32)
  v128.store(out, f32x4.add(v128.load(x, 48), v128.load(y, 48)), 48)
}

function storeTail(out: usize, values: usize, residual: usize, width: usize): void {
  for (let i: usize = 0; i < width << 2; i += 4) {
    const value = load<f32>(values + i)
    store<f32>(out + i, residual == 0 ? value : value + load<f32>(residual + i))
  }
}
