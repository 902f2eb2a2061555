// Nearest codeword: argmin_k |x - e_k|^2 = argmax_k (x . e_k - |e_k|^2 / 2), so that the search is a matrix product whose bias is
// the half norms, then the first maximum of each row.

import { scratch } from './scratch'

const LANES = memory.data<i32>([0, 1, 2, 3, 4, 5, 6, 7])

/** indices[t] (i32) = the first of the largest scores in row t; rows are `pitch` elements apart. NaN is never the largest. */
export function argmaxRowsF32(indices: usize, scores: usize, pitch: usize, rows: usize, columns: usize): void {
  const pairColumns = columns & ~7
  const lanes = scratch // the best score of each of eight lanes, then its index
  for (; rows > 0; rows--, indices += 4, scores += pitch << 2) {
    let best0 = f32x4.splat(-Infinity)
    let best1 = best0
    let at0 = i32x4.splat(0)
    let at1 = at0
    const end = scores + (pairColumns << 2)
    for (let at = scores; at < end; at += 32) {
      const here = i32x4.splat(<i32>(at - scores))
      const values0 = v128.load(at)
      const values1 = v128.load(at, 16)
      const greater0 = f32x4.gt(values0, best0)
      const greater1 = f32x4.gt(values1, best1)
      best0 = v128.bitselect(values0, best0, greater0)
      best1 = v128.bitselect(values1, best1, greater1)
      at0 = v128.bitselect(here, at0, greater0)
      at1 = v128.bitselect(here, at1, greater1)
    }
    v128.store(lanes, best0)
    v128.store(lanes, best1, 16)
    v128.store(lanes, i32x4.add(i32x4.shr_u(at0, 2), v128.load(LANES)), 32)
    v128.store(lanes, i32x4.add(i32x4.shr_u(at1, 2), v128.load(LANES, 16)), 48)
    store<u32>(indices, firstMaximum(lanes, scores, pairColumns, columns))
  }
}

/** The lowest index of the largest score: over `lanes`, then the columns from `column` on. */
// @ts-ignore: decorator
@inline
function firstMaximum(lanes: usize, scores: usize, column: usize, columns: usize): u32 {
  let value = load<f32>(lanes)
  let index = load<u32>(lanes, 32)
  for (let lane: usize = 4; lane < 32; lane += 4) {
    const other = load<f32>(lanes + lane)
    const otherIndex = load<u32>(lanes + lane, 32)
    if (other > value || (other == value && otherIndex < index)) {
      value = other
      index = otherIndex
    }
  }
  for (; column < columns; column++) {
    const other = load<f32>(scores + (column << 2))
    if (other > value) {
      value = other
      index = <u32>column
    }
  }
  return index
}

/** out[k] = -|codebook[k]|^2 / 2, summed in f64: a codeword's rounding must not move the borders of its cell. */
export function halfNormsF32(out: usize, codebook: usize, rows: usize, dim: usize): void {
  for (; rows > 0; rows--, out += 4) {
    let sum: f64 = 0
    const end = codebook + (dim << 2)
    for (; codebook < end; codebook += 4) {
      const value = <f64>load<f32>(codebook)
      sum += value * value
    }
    store<f32>(out, <f32>(-0.5 * sum))
  }
}

/** out[t] = table[indices[t]] (i32), rows of `dim` elements. The caller has checked the indices. */
export function gatherRowsF32(out: usize, table: usize, indices: usize, rows: usize, dim: usize): void {
  const bytes = dim << 2
  for (; rows > 0; rows--, out += bytes, indices += 4) {
    memory.copy(out, table + <usize>load<u32>(indices) * bytes, bytes)
  }
}

/**
 * out[t] += sign * column indices[t * pitch] of a matrix in panels of 16 columns (pack.ts): the codebook entries that `matmulF32`
 * searches, read without a second copy of them. out: [rows][dim].
 */
export function addColumnsF32(
  out: usize,
  panels: usize,
  indices: usize,
  pitch: usize,
  rows: usize,
  dim: usize,
  sign: f32,
): void {
  for (; rows > 0; rows--, indices += pitch << 2) {
    const column: usize = load<u32>(indices)
    let at = panels + (((column >> 4) * dim) << 6) + ((column & 15) << 2)
    for (const end = out + (dim << 2); out < end; out += 4, at += 64) {
      store<f32>(out, load<f32>(out) + sign * load<f32>(at))
    }
  }
}
