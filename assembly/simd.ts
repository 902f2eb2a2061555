// v128 helpers shared by the kernels. Everything here is inlined into its caller.

/** a * b + c per lane: fused where the build has relaxed SIMD, multiply then add (identical everywhere) in the baseline build. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c)
}

/**
 * Four copies of the f32 in static memory at `constant` (memory.data): the form for constants inside hot loops, where V8 would
 * rebuild a v128 immediate in every iteration (1.5x slower).
 */
// @ts-ignore: decorator
@inline
export function splat(constant: usize): v128 {
  return v128.load32_splat(constant)
}

/** The larger of a and b per lane, b where either is NaN. Engines differ in f32x4.max (NaN bits), not in this. */
// @ts-ignore: decorator
@inline
export function larger(a: v128, b: v128): v128 {
  return v128.bitselect(a, b, f32x4.gt(a, b))
}

/** Sum of the four lanes, pairwise: (0 + 2) + (1 + 3). */
// @ts-ignore: decorator
@inline
export function horizontalSum(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1))
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1)
}

/** 1 to 3 elements at `from`, zeros behind them; reads nothing past the last. */
// @ts-ignore: decorator
@inline
export function loadPartial(from: usize, count: usize): v128 {
  if (count == 1) return v128.load32_zero(from)
  const pair = v128.load64_zero(from)
  return count == 2 ? pair : v128.load32_lane(from, pair, 2, 8)
}

/** The first 1 to 3 elements of v to `to`; writes nothing past the last. */
// @ts-ignore: decorator
@inline
export function storePartial(to: usize, v: v128, count: usize): void {
  if (count == 1) {
    v128.store32_lane(to, v, 0)
    return
  }
  v128.store64_lane(to, v, 0)
  if (count == 3) v128.store32_lane(to, v, 2, 8)
}
