import type { Region } from '../../bindings/memory.js'
import { ConfigError } from '../errors.js'
import { seededUniform } from '../random.js'
import { openRegion, type QuantizerOptions } from './quantizer.js'
import { type ProjectedSpec, vq } from './spec.js'

/** Sizes of a random-projection quantizer. */
export interface RandomProjectionOptions extends QuantizerOptions {
  /** Columns of the features (BEATs: 256, a 16 x 16 patch; BEST-RQ: stacked frames). */
  dim: number
  /** Columns of the codebook (default 16, as BEST-RQ; BEATs 256). */
  codebookDim?: number
  /** Entries (default 8192, as BEST-RQ; BEATs 1024). */
  size?: number
  /** The same seed gives the same quantizer on every engine (default 0). */
  seed?: number
  /** Compare directions only, as BEST-RQ (default true); false: Euclidean distance, as BEATs' text has it. */
  normalize?: boolean
}

/**
 * Random-projection quantizer (Chiu et al., "Self-supervised learning with random-projection quantizer for speech recognition"; the
 * first tokenizer of BEATs): a fixed Xavier-uniform projection and a fixed codebook of N(0, 1). Codes depend on the seed: save it with
 * them. Decoding gives rows of the codebook; there is no way back to the features.
 * @throws ConfigError for sizes that are no positive whole numbers
 */
export async function randomProjection(options: RandomProjectionOptions): Promise<ProjectedSpec> {
  const { dim, codebookDim = 16, size = 8192, seed = 0, normalize = true } = options
  if (![dim, codebookDim, size].every(value => Number.isInteger(value) && value > 0))
    throw new ConfigError(
      `a random projection of ${dim} columns to ${codebookDim}, ${size} entries; expected positive whole numbers`,
    )
  const next = seededUniform(seed)
  const bound = Math.sqrt(6 / (dim + codebookDim))
  const weight = Float32Array.from({ length: codebookDim * dim }, () => (2 * next() - 1) * bound)
  const region = await openRegion({ ...options, deterministic: true })
  const data = gaussian(region, next, size * codebookDim)
  return {
    kind: 'projected',
    input: { weight: { data: weight, rows: codebookDim, columns: dim } },
    quantizer: vq({ data, rows: size, columns: codebookDim }, normalize ? 'cosine' : 'euclidean'),
  }
}

/** Box and Muller's transform by the kernels, whose log and cos are the same on every engine. */
function gaussian(region: Region, next: () => number, length: number): Float32Array<ArrayBuffer> {
  const radius = region.copy(Float32Array.from({ length }, () => 1 - next())) // (0, 1]
  const angle = region.copy(Float32Array.from({ length }, () => 2 * Math.PI * next()))
  region.kernels.logF32(radius, radius, length, 1e-30)
  region.kernels.cosF32(angle, angle, length)
  const logs = region.heap.f32(radius, length)
  const cosines = region.heap.f32(angle, length)
  return Float32Array.from(logs, (log, i) => Math.sqrt(-2 * log) * cosines[i])
}
