// Halves to f32, exactly: the bits of a half moved to where an f32 has them are its value times 2^-112.

const SIGN = memory.data<u32>([0x80000000])
const MAGNITUDE = memory.data<u32>([0x0fffe000])
const GAP = memory.data<u32>([0x77800000]) // 2^112
const TOP = memory.data<u32>([0x0f7fffff]) // above: the half is infinite or NaN
const INFINITE = memory.data<u32>([0x7f800000])

/** out [length] f32 = halves [length]; NaN keeps its payload. Reads and writes up to three elements past the last. */
export function widenF16(out: usize, halves: usize, length: usize): void {
  const end = out + (length << 2)
  for (; out < end; out += 16, halves += 8) {
    const bits = v128.load16x4_s(halves)
    const moved = v128.and(i32x4.shl(bits, 13), v128.load32_splat(MAGNITUDE))
    const top = v128.and(i32x4.gt_s(moved, v128.load32_splat(TOP)), v128.load32_splat(INFINITE))
    const magnitude = v128.or(f32x4.mul(moved, v128.load32_splat(GAP)), top)
    v128.store(out, v128.or(magnitude, v128.and(bits, v128.load32_splat(SIGN))))
  }
}
