/** Seeded generator of uniform numbers in [-1, 1) (mulberry32), so that a failing test fails again. */
export function random(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2147483648 - 1
  }
}

/** `length` uniform numbers in [-scale, scale), rounded to f32. */
export function randomArray(length: number, seed: number, scale = 1): Float32Array<ArrayBuffer> {
  const next = random(seed)
  return Float32Array.from({ length }, () => next() * scale)
}
