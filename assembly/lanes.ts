// Rows of four frames <-> vectors with one frame per lane.

/** a0 b0 a1 b1 */
// @ts-ignore: decorator
@inline
export function lower(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 4, 1, 5)
}

/** a2 b2 a3 b3 */
// @ts-ignore: decorator
@inline
export function upper(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 2, 6, 3, 7)
}

/** a0 a1 b0 b1 */
// @ts-ignore: decorator
@inline
export function lowerPairs(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 1, 4, 5)
}

/** a2 a3 b2 b3 */
// @ts-ignore: decorator
@inline
export function upperPairs(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 2, 3, 6, 7)
}

/** One element of each of four rows. */
// @ts-ignore: decorator
@inline
export function gather(row0: usize, row1: usize, row2: usize, row3: usize): v128 {
  let lanes = v128.load32_zero(row0)
  lanes = v128.load_lane<f32>(row1, lanes, 1)
  lanes = v128.load_lane<f32>(row2, lanes, 2)
  return v128.load_lane<f32>(row3, lanes, 3)
}

/** One element into each of four rows. */
// @ts-ignore: decorator
@inline
export function scatter(row0: usize, row1: usize, row2: usize, row3: usize, lanes: v128): void {
  v128.store_lane<f32>(row0, lanes, 0)
  v128.store_lane<f32>(row1, lanes, 1)
  v128.store_lane<f32>(row2, lanes, 2)
  v128.store_lane<f32>(row3, lanes, 3)
}

/** Four consecutive elements of four rows, from the vectors of four elements. */
// @ts-ignore: decorator
@inline
export function storeRows(row0: usize, row1: usize, row2: usize, row3: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  const low01 = lower(x0, x1)
  const low23 = lower(x2, x3)
  v128.store(row0, lowerPairs(low01, low23))
  v128.store(row1, upperPairs(low01, low23))
  const high01 = upper(x0, x1)
  const high23 = upper(x2, x3)
  v128.store(row2, lowerPairs(high01, high23))
  v128.store(row3, upperPairs(high01, high23))
}
