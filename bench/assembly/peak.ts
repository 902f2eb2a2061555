// What this machine can do at most. Compiled by bench/peak.ts.

const start = memory.data<f32>([1.0, 0.5, 0.25, 0.125])

/** Multiply, then add, without fusing: runs `rounds` of 12 four-lane multiply-adds (96 operations a round); returns a value that depends on all. */
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

const pairs = memory.data<i16>([1, -2, 3, -4, 5, -6, 7, -8])

/** Products of int16 pairs, added: runs `rounds` of 12 i32x4.dot_i16x8 and additions (192 operations a round). */
export function peakInteger(rounds: i32): i32 {
  let m = v128.load(pairs)
  let c0 = m, c1 = m, c2 = m, c3 = m, c4 = m, c5 = m, c6 = m, c7 = m, c8 = m, c9 = m, c10 = m, c11 = m
  for (let i = 0; i < rounds; i++) {
    c0 = i32x4.add(i32x4.dot_i16x8_s(c0, m), m)
    c1 = i32x4.add(i32x4.dot_i16x8_s(c1, m), m)
    c2 = i32x4.add(i32x4.dot_i16x8_s(c2, m), m)
    c3 = i32x4.add(i32x4.dot_i16x8_s(c3, m), m)
    c4 = i32x4.add(i32x4.dot_i16x8_s(c4, m), m)
    c5 = i32x4.add(i32x4.dot_i16x8_s(c5, m), m)
    c6 = i32x4.add(i32x4.dot_i16x8_s(c6, m), m)
    c7 = i32x4.add(i32x4.dot_i16x8_s(c7, m), m)
    c8 = i32x4.add(i32x4.dot_i16x8_s(c8, m), m)
    c9 = i32x4.add(i32x4.dot_i16x8_s(c9, m), m)
    c10 = i32x4.add(i32x4.dot_i16x8_s(c10, m), m)
    c11 = i32x4.add(i32x4.dot_i16x8_s(c11, m), m)
  }
  const s = i32x4.add(i32x4.add(i32x4.add(c0, c1), i32x4.add(c2, c3)), i32x4.add(i32x4.add(c4, c5), i32x4.add(c6, c7)))
  return i32x4.extract_lane(i32x4.add(s, i32x4.add(i32x4.add(c8, c9), i32x4.add(c10, c11))), 0)
}

/** Reads `bytes` at `from` (a multiple of 64), `rounds` times, and does nothing with them but add. */
export function read(from: usize, bytes: usize, rounds: i32): i32 {
  let c0 = i32x4.splat(0), c1 = c0, c2 = c0, c3 = c0
  for (let i = 0; i < rounds; i++) {
    for (let at = from, end = from + bytes; at < end; at += 64) {
      c0 = i32x4.add(c0, v128.load(at))
      c1 = i32x4.add(c1, v128.load(at, 16))
      c2 = i32x4.add(c2, v128.load(at, 32))
      c3 = i32x4.add(c3, v128.load(at, 48))
    }
  }
  return i32x4.extract_lane(i32x4.add(i32x4.add(c0, c1), i32x4.add(c2, c3)), 0)
}
