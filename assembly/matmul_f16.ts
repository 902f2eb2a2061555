// The product with f16 weights: each panel is widened to f32 once per call, exactly, and multiplied as in matmul.ts.
//
//   half  s eeeee mmmmmmmmmm
//   f32   s 000eeeee mmmmmmmmmm000...   the same bits moved: the half's value * 2^-112
//
// The column's factor holds the missing 2^112, so that the products see normal numbers: denormal ones are 4 times slower.

import { matmulF32 } from './matmul'

const BITS = memory.data<u32>([0x8fffe000])

/** As matmulF32, with w and factors of packWeightsF16; panel: room for [k][16] f32. */
export function matmulF16(
  out: usize,
  outPitch: usize,
  a: usize,
  aPitch: usize,
  w: usize,
  factors: usize,
  bias: usize,
  residual: usize,
  rows: usize,
  k: usize,
  columns: usize,
  activation: i32,
  panel: usize,
): void {
  for (let column: usize = 0; column < columns; column += 16) {
    const offset = column << 2
    widen(panel, w, factors + offset, k)
    const residualAt: usize = residual == 0 ? 0 : residual + offset
    const width = min<usize>(16, columns - column)
    matmulF32(out + offset, outPitch, a, aPitch, panel, bias + offset, residualAt, rows, k, width, activation)
    w += k << 5
  }
}

/** panel [k][16] f32 = halves [k][16] times the factors of their columns. */
function widen(panel: usize, halves: usize, factors: usize, k: usize): void {
  const bits = v128.load32_splat(BITS)
  const f0 = v128.load(factors)
  const f1 = v128.load(factors, 16)
  const f2 = v128.load(factors, 32)
  const f3 = v128.load(factors, 48)
  const end = panel + (k << 6)
  do {
    v128.store(panel, f32x4.mul(moved(halves, bits), f0))
    v128.store(panel, f32x4.mul(moved(halves + 8, bits), f1), 16)
    v128.store(panel, f32x4.mul(moved(halves + 16, bits), f2), 32)
    v128.store(panel, f32x4.mul(moved(halves + 24, bits), f3), 48)
    halves += 32
    panel += 64
  } while (panel < end)
}

/** Four halves with their bits where an f32 has them. */
// @ts-ignore: decorator
@inline
function moved(halves: usize, bits: v128): v128 {
  return v128.and(i32x4.shl(v128.load16x4_s(halves), 13), bits)
}
