import { ConfigError } from '../errors.js'
import { type KMeansOptions, trainKMeans } from './kmeans.js'
import { openQuantizer } from './quantizer.js'
import { type CombinedSpec, type Matrix, rvq } from './spec.js'

/** Codebooks of a residual quantizer, and what each left over. */
export interface ResidualResult {
  readonly spec: CombinedSpec
  /** Mean squared length of a row after each codebook. */
  readonly residuals: readonly number[]
}

/**
 * Trains a residual quantizer codebook by codebook: k-means on what those before left over.
 *
 * @param features [frames][dim], row-major
 * @param codebooks how many
 * @param options of each codebook's k-means
 * @throws as `trainKMeans`; ConfigError for fewer than one codebook
 */
export async function trainResidual(
  features: Float32Array,
  frames: number,
  codebooks: number,
  options: KMeansOptions,
): Promise<ResidualResult> {
  if (!(Number.isInteger(codebooks) && codebooks >= 1))
    throw new ConfigError(`${codebooks} codebooks; expected 1 or more`)
  const books: Matrix[] = []
  const residuals: number[] = []
  const residual = features.slice()
  for (let book = 0; book < codebooks; book++) {
    const { spec } = await trainKMeans(residual, frames, { ...options, seed: (options.seed ?? 0) + book })
    const quantizer = await openQuantizer(spec, options)
    const quantized = quantizer.decode(quantizer.encode(residual, frames))
    quantizer.dispose()
    let squares = 0
    quantized.forEach((value, i) => {
      residual[i] -= value
      squares += residual[i] * residual[i]
    })
    books.push(spec.codebook)
    residuals.push(squares / frames)
  }
  return { spec: rvq(books), residuals }
}
