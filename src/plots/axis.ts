/** Round values from 0 to `most`, about `count` of them, one of 1, 2 or 5 times a power of ten apart. */
export function ticks(most: number, count: number): number[] {
  const least = most / count
  const decade = 10 ** Math.floor(Math.log10(least))
  const step = decade * ([1, 2, 5].find(factor => factor * decade >= least * (1 - 1e-9)) ?? 10)
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) =>
    Number((i * step).toPrecision(12)),
  )
}
