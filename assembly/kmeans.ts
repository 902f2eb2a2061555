// Clustering: sums per cluster, distances to the own centre, rows on the unit sphere.

import { horizontalSum, loadPartial, madd, storePartial } from './simd'

/** sums[indices[t]] += x[t] in f64, counts[indices[t]]++ (i32). sums: [clusters][dim]; x: [rows][dim] f32. */
export function accumulateRowsF64(sums: usize, counts: usize, indices: usize, x: usize, rows: usize, dim: usize): void {
  for (; rows > 0; rows--, indices += 4) {
    const index = <usize>load<u32>(indices)
    const count = counts + (index << 2)
    store<u32>(count, load<u32>(count) + 1)
    let sum = sums + ((index * dim) << 3)
    const end = x + (dim << 2)
    for (; x + 8 <= end; x += 8, sum += 16) {
      v128.store(sum, f64x2.add(v128.load(sum), f64x2.promote_low_f32x4(v128.load64_zero(x))))
    }
    if (x < end) {
      store<f64>(sum, load<f64>(sum) + <f64>load<f32>(x))
      x += 4
    }
  }
}

/** out[t] = |x[t] - table[indices[t]]|^2, rows of `dim`. */
export function squaredDistancesF32(out: usize, x: usize, table: usize, indices: usize, rows: usize, dim: usize): void {
  for (; rows > 0; rows--, out += 4, indices += 4, x += dim << 2) {
    const centre = table + ((<usize>load<u32>(indices) * dim) << 2)
    store<f32>(out, squaredDistance(x, centre, dim))
  }
}

// @ts-ignore: decorator
@inline
function squaredDistance(a: usize, b: usize, dim: usize): f32 {
  let sums = f32x4.splat(0)
  const end = a + ((dim & ~3) << 2)
  for (; a < end; a += 16, b += 16) {
    const difference = f32x4.sub(v128.load(a), v128.load(b))
    sums = madd(difference, difference, sums)
  }
  const rest = dim & 3
  if (rest) {
    const difference = f32x4.sub(loadPartial(a, rest), loadPartial(b, rest))
    sums = madd(difference, difference, sums)
  }
  return horizontalSum(sums)
}

/** out[t] = x[t] / max(|x[t]|, 1e-12), as torch.nn.functional.normalize; the norm is summed in f64. out may be x. */
export function normalizeRowsF32(out: usize, x: usize, rows: usize, dim: usize): void {
  for (; rows > 0; rows--) {
    let squares: f64 = 0
    const end = x + (dim << 2)
    for (let at = x; at < end; at += 4) squares += <f64>load<f32>(at) * <f64>load<f32>(at)
    const norms = f32x4.splat(<f32>max<f64>(sqrt<f64>(squares), 1e-12))
    for (; x + 16 <= end; x += 16, out += 16) v128.store(out, f32x4.div(v128.load(x), norms))
    const rest = dim & 3
    if (rest) {
      storePartial(out, f32x4.div(loadPartial(x, rest), norms), rest)
      x += rest << 2
      out += rest << 2
    }
  }
}
