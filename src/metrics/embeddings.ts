import { ConfigError } from '../errors.js'
import { symmetricEigenvalues } from './eigenvalues.js'
import { dot } from './signals.js'

/**
 * Cosine of the angle between two embeddings (speaker similarity).
 * @throws ConfigError for unequal lengths or a zero vector
 */
export function cosineSimilarity(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const size = Math.sqrt(dot(a, a) * dot(b, b))
  if (a.length !== b.length || !(size > 0))
    throw new ConfigError(
      `embeddings of ${a.length} and ${b.length} values; expected equal lengths and no zero vector`,
    )
  return dot(a, b) / size
}

/**
 * Equal error rate of a verification: where as many impostors score at or above the threshold as targets score below it, between
 * thresholds by linear interpolation.
 * @throws ConfigError where one of the two has no scores
 */
export function equalErrorRate(targets: ArrayLike<number>, impostors: ArrayLike<number>): number {
  if (targets.length === 0 || impostors.length === 0)
    throw new ConfigError(
      `${targets.length} target and ${impostors.length} impostor scores; both need one at least`,
    )
  const trials = [
    ...Array.from(targets, score => ({ score, target: true })),
    ...Array.from(impostors, score => ({ score, target: false })),
  ].sort((a, b) => a.score - b.score)
  let rejected = 0
  let accepted = 1
  for (let i = 0; i < trials.length; ) {
    const { score } = trials[i]
    const [rejectedBefore, acceptedBefore] = [rejected, accepted]
    for (; i < trials.length && trials[i].score === score; i++)
      if (trials[i].target) rejected += 1 / targets.length
      else accepted -= 1 / impostors.length
    if (rejected < accepted) continue
    const share = (acceptedBefore - rejectedBefore) / (acceptedBefore - rejectedBefore + rejected - accepted)
    return rejectedBefore + share * (rejected - rejectedBefore)
  }
  return rejected
}

/**
 * Fréchet distance between Gaussians fitted to two sets of embeddings (FAD with VGGish's, FD with others'):
 * |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), covariances with n - 1.
 *
 * @param a, b one embedding each, all of one length
 * @throws ConfigError for fewer than two embeddings or unequal lengths
 */
export function frechetDistance(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number {
  const dim = a[0]?.length ?? 0
  if (a.length < 2 || b.length < 2 || dim === 0 || [...a, ...b].some(each => each.length !== dim))
    throw new ConfigError(
      `${a.length} and ${b.length} embeddings of ${dim} values; expected two of each at least, all of one length`,
    )
  const first = gaussian(a, dim)
  const second = gaussian(b, dim)
  let distance = 0
  for (let i = 0; i < dim; i++) {
    distance += (first.mean[i] - second.mean[i]) ** 2
    distance += first.covariance[i * dim + i] + second.covariance[i * dim + i]
  }
  return distance - 2 * traceOfRoot(first.covariance, second.covariance, dim)
}

function gaussian(rows: readonly ArrayLike<number>[], dim: number) {
  const mean = new Float64Array(dim)
  for (const row of rows) for (let i = 0; i < dim; i++) mean[i] += row[i] / rows.length
  const covariance = new Float64Array(dim * dim)
  const centred = new Float64Array(dim)
  for (const row of rows) {
    for (let i = 0; i < dim; i++) centred[i] = row[i] - mean[i]
    for (let i = 0; i < dim; i++)
      for (let j = 0; j < dim; j++) covariance[i * dim + j] += (centred[i] * centred[j]) / (rows.length - 1)
  }
  return { mean, covariance }
}

/** tr((C1 C2)^(1/2)): C1 = L L^T, and C1 C2 has the eigenvalues of L^T C2 L, which is symmetric. */
function traceOfRoot(c1: Float64Array, c2: Float64Array, n: number): number {
  const lower = semidefiniteCholesky(c1, n)
  const half = new Float64Array(n * n) // C2 L
  const whole = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++)
      for (let j = 0; j <= k; j++) half[i * n + j] += c2[i * n + k] * lower[k * n + j]
  for (let k = 0; k < n; k++)
    for (let i = 0; i <= k; i++)
      for (let j = 0; j < n; j++) whole[i * n + j] += lower[k * n + i] * half[k * n + j]
  return symmetricEigenvalues(whole, n).reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0)
}

/** L of L L^T = c; a column is zero where nothing but rounding is left of its pivot (fewer embeddings than dimensions). */
function semidefiniteCholesky(c: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n)
  const least = 1e-13 * c.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  for (let j = 0; j < n; j++) {
    const row = lower.subarray(j * n, j * n + j)
    const pivot = c[j * n + j] - dot(row, row)
    if (pivot <= least) continue
    const root = Math.sqrt(pivot)
    lower[j * n + j] = root
    for (let i = j + 1; i < n; i++)
      lower[i * n + j] = (c[i * n + j] - dot(row, lower.subarray(i * n, i * n + j))) / root
  }
  return lower
}
