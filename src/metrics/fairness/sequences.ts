import { warpedMean } from '../dtw.js'
import { cosineSimilarity } from '../embeddings.js'

/** Levenshtein's distance: the fewest codes to insert, delete or replace. */
export function editDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const row = Uint32Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 0; i < a.length; i++) {
    let diagonal = row[0]
    row[0] = i + 1
    for (let j = 0; j < b.length; j++) {
      const above = row[j + 1]
      const replaced = diagonal + (a[i] === b[j] ? 0 : 1)
      row[j + 1] = Math.min(replaced, above + 1, row[j] + 1)
      diagonal = above
    }
  }
  return row[b.length]
}

/** Edit distance over the length of the longer: 0 for equal sequences, 1 where nothing is kept; 0 for two empty ones. */
export function normalisedEditDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return editDistance(a, b) / Math.max(1, a.length, b.length)
}

/** Codes that differ from the one before. */
export function withoutRepeats(codes: ArrayLike<number>): Uint32Array {
  return Uint32Array.from(Array.from(codes).filter((code, t) => t === 0 || code !== codes[t - 1]))
}

/** Mean of 1 - cosine along the cheapest warping of two sequences of vectors. */
export function warpedCosineDistance(
  a: readonly ArrayLike<number>[],
  b: readonly ArrayLike<number>[],
): number {
  return warpedMean(a, b, (x, y) => 1 - cosineSimilarity(x, y))
}
