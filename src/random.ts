/** Seeded generator of uniform numbers in [0, 1), multiples of 2^-32 (mulberry32). */
export function seededUniform(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** 0 to length - 1 in random order (Fisher and Yates). */
export function shuffled(length: number, next: () => number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i)
  for (let i = length - 1; i > 0; i--) {
    const other = Math.floor(next() * (i + 1))
    const kept = order[i]
    order[i] = order[other]
    order[other] = kept
  }
  return order
}
