// Independent multiply-then-add chains on four lanes: as fast as this machine can go without fusing. Compiled by bench/peak.ts.

const start = memory.data<f32>([1.0, 0.5, 0.25, 0.125])

/** Runs `rounds` of 12 four-lane multiply-adds (96 operations a round); returns a value that depends on all. */
export function peak(rounds: i32): f32 {
  const m = v128.load(start)
  const a = v128.load(start)
  let c0 = a, c1 = a, c2 = a, c3 = a, c4 = a, c5 = a, c6 = a, c7 = a, c8 = a, c9 = a, c10 = a, c11 = a
  for (let i = 0; i < rounds; i++) {
    c0 = f32x4.add(f32x4.mul(c0, m), a)
    c1 = f32x4.add(f32x4.mul(c1, m), a)
    c2 = f32x4.add(f32x4.mul(c2, m), a)
    c3 = f32x4.add(f32x4.mul(c3, m), a)
    c4 = f32x4.add(f32x4.mul(c4, m), a)
    c5 = f32x4.add(f32x4.mul(c5, m), a)
    c6 = f32x4.add(f32x4.mul(c6, m), a)
    c7 = f32x4.add(f32x4.mul(c7, m), a)
    c8 = f32x4.add(f32x4.mul(c8, m), a)
    c9 = f32x4.add(f32x4.mul(c9, m), a)
    c10 = f32x4.add(f32x4.mul(c10, m), a)
    c11 = f32x4.add(f32x4.mul(c11, m), a)
  }
  const s = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7)))
  return f32x4.extract_lane(f32x4.add(s, f32x4.add(f32x4.add(c8, c9), f32x4.add(c10, c11))), 0)
}
