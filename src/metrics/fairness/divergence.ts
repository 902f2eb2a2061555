import type { Assignment } from './resampling.js'

/** Codes of several clips of one codebook; n-grams never span two clips. */
type Clips = readonly ArrayLike<number>[]

/** n-grams of several speakers as counts over the cells that occur at all. */
export interface Histograms {
  /** Cells that could occur: size^order. */
  readonly cells: number
  /** Cells that occur. */
  readonly seen: number
  readonly speakers: readonly { readonly cell: Uint32Array; readonly count: Float64Array }[]
}

/** Counts the n-grams of every speaker's clips. */
export function histograms(speakers: readonly Clips[], size: number, order: 1 | 2): Histograms {
  const numbers = new Map<number, number>()
  const counted = speakers.map(clips => {
    const counts = new Map<number, number>()
    for (const codes of clips)
      for (let t = order - 1; t < codes.length; t++) {
        const gram = order === 1 ? codes[t] : codes[t - 1] * size + codes[t]
        const cell = numbers.get(gram) ?? numbers.size
        numbers.set(gram, cell)
        counts.set(cell, (counts.get(cell) ?? 0) + 1)
      }
    return { cell: Uint32Array.from(counts.keys()), count: Float64Array.from(counts.values()) }
  })
  return { cells: size ** order, seen: numbers.size, speakers: counted }
}

/** Jensen-Shannon divergence between the two sides of an assignment, bits; NaN where a side has no n-grams. */
export function sideDivergence({ speakers, seen, cells }: Histograms, { side, weight }: Assignment): number {
  const counts = [new Float64Array(seen), new Float64Array(seen)]
  speakers.forEach(({ cell, count }, speaker) => {
    const sum = counts[side[speaker]]
    for (let i = 0; i < cell.length; i++) sum[cell[i]] += weight[speaker] * count[i]
  })
  return jensenShannon(counts[0], counts[1], cells)
}

/**
 * Jensen-Shannon divergence of two histograms, bits (base 2): 0 for equal ones, 1 for disjoint ones without end. Every cell gets
 * 1 / cells beside its count, so that the smoothing weighs as much as one token.
 *
 * @param a, b counts of the same cells; cells beyond them are empty in both
 * @param cells all cells (default: as many as there are counts)
 * @returns NaN where a histogram is empty
 */
export function jensenShannon(a: ArrayLike<number>, b: ArrayLike<number>, cells = a.length): number {
  const [totalA, totalB] = [total(a), total(b)]
  if (totalA === 0 || totalB === 0) return Number.NaN
  const floor = 1 / cells
  const term = (countA: number, countB: number) => {
    const p = (countA + floor) / (totalA + 1)
    const q = (countB + floor) / (totalB + 1)
    return p * Math.log2((2 * p) / (p + q)) + q * Math.log2((2 * q) / (p + q))
  }
  // Most cells of neighbouring codes are empty on one side, with few different counts on the other.
  const onlyA: number[] = []
  const onlyB: number[] = []
  let sum = (cells - a.length) * term(0, 0)
  for (let i = 0; i < a.length; i++)
    if (b[i] === 0) sum += onlyA[a[i]] ??= term(a[i], 0)
    else if (a[i] === 0) sum += onlyB[b[i]] ??= term(0, b[i])
    else sum += term(a[i], b[i])
  return sum / 2
}

function total(counts: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < counts.length; i++) sum += counts[i]
  return sum
}
