import { ConfigError } from '../errors.js'

/** Row-major values. */
export interface Matrix {
  readonly data: Float32Array
  readonly rows: number
  readonly columns: number
}

/** y = x W^T + b, as torch.nn.Linear or a convolution of one tap. */
export interface Projection {
  /** [outputs][inputs] */
  readonly weight: Matrix
  /** [outputs]; absent: zeros. */
  readonly bias?: Float32Array
}

/**
 * What is nearest:
 * - 'euclidean': argmin |x - e|;
 * - 'cosine': the same of x / |x| and e / |e| (DAC, SNAC, MaskGCT, BEST-RQ);
 * - 'unit': the same of x / |x| and e as it is (BEATs).
 */
export type Distance = 'euclidean' | 'cosine' | 'unit'

/** One codebook. Its codes stand for its rows, as they are. */
export interface CodebookSpec {
  readonly kind: 'codebook'
  /** [size][dim], 2 to 65536 rows. */
  readonly codebook: Matrix
  /** Default 'euclidean'. */
  readonly distance?: Distance
}

/** A linear map before the search, another behind the lookup; either may be absent. */
export interface ProjectedSpec {
  readonly kind: 'projected'
  readonly input?: Projection
  readonly quantizer: QuantizerSpec
  readonly output?: Projection
}

/**
 * Several quantizers:
 * - 'residual': each quantizes what those before it left (RVQ); decoded vectors add up;
 * - 'parallel': each sees the features themselves (Mimi's split RVQ); decoded vectors add up;
 * - 'grouped': each sees its own columns, first to last; decoded vectors stand side by side.
 */
export interface CombinedSpec {
  readonly kind: 'residual' | 'parallel' | 'grouped'
  readonly quantizers: readonly QuantizerSpec[]
}

/** Finite scalar quantization (Mentzer et al.): column i is bounded by tanh and rounded to `levels[i]` values; one code in mixed radix. */
export interface FiniteScalarSpec {
  readonly kind: 'fsq'
  /** 2 or more each, 65536 at most in all. */
  readonly levels: readonly number[]
}

/** Multi-codebook quantization (Povey's `quantization`, the tokens of SPEAR): a vector is a sum of one row of every codebook. */
export interface MultiCodebookSpec {
  readonly kind: 'mvq'
  /** Codebooks below one another: [codebooks * size][dim]. */
  readonly centers: Matrix
  /** The first guess, [codebooks * size][dim]. */
  readonly toLogits: Projection
  /** Powers of two. */
  readonly codebooks: number
  /** Centres and inputs of `toLogits` are multiplied by exp(10 * scale). */
  readonly centersScale: number
  readonly logitsScale: number
  /** Passes that improve the guess (default 5). */
  readonly refinements?: number
}

/** A quantizer as plain data: what `openQuantizer` takes, and what a saved one holds. */
export type QuantizerSpec = CodebookSpec | ProjectedSpec | CombinedSpec | FiniteScalarSpec | MultiCodebookSpec

/** Plain vector quantization; with k-means' centres: units, as HuBERT's. codebook: [size][dim]. */
export function vq(codebook: Matrix, distance: Distance = 'euclidean'): CodebookSpec {
  return { kind: 'codebook', codebook, distance }
}

/** Residual vector quantization, any number of codebooks of one dim. */
export function rvq(codebooks: readonly Matrix[]): CombinedSpec {
  return { kind: 'residual', quantizers: codebooks.map(codebook => vq(codebook)) }
}

/** One branch of `splitRvq`. */
export interface Branch {
  readonly input?: Projection
  readonly codebooks: readonly Matrix[]
  readonly output?: Projection
}

/** Split RVQ (Mimi): branches side by side on the same features, such as one semantic and several acoustic codebooks. */
export function splitRvq(branches: readonly Branch[]): CombinedSpec {
  const quantizers = branches.map(
    ({ input, codebooks, output }): ProjectedSpec => ({
      kind: 'projected',
      input,
      quantizer: rvq(codebooks),
      output,
    }),
  )
  return { kind: 'parallel', quantizers }
}

/** One stage of `factorizedRvq`. */
export interface FactorizedStage {
  /** [codebook dim][dim] */
  readonly input: Projection
  readonly codebook: Matrix
  /** [dim][codebook dim] */
  readonly output: Projection
}

/** Factorised, l2-normalised RVQ (DAC, SNAC, MaskGCT): each stage searches by cosine in a small space of its own. */
export function factorizedRvq(stages: readonly FactorizedStage[]): CombinedSpec {
  const quantizers = stages.map(
    ({ input, codebook, output }): ProjectedSpec => ({
      kind: 'projected',
      input,
      quantizer: vq(codebook, 'cosine'),
      output,
    }),
  )
  return { kind: 'residual', quantizers }
}

/** Grouped VQ with residual stages on top: `stages[s][g]` is the codebook of stage s and group g. Codes are ordered likewise. */
export function groupedRvq(stages: readonly (readonly Matrix[])[]): CombinedSpec {
  const quantizers = stages.map(
    (groups): CombinedSpec => ({ kind: 'grouped', quantizers: groups.map(codebook => vq(codebook)) }),
  )
  return { kind: 'residual', quantizers }
}

/** @throws ConfigError unless the values fill the matrix */
export function checkMatrix(matrix: Matrix, what: string): void {
  if (!(matrix?.data instanceof Float32Array))
    throw new ConfigError(`${what} is missing; expected { data: Float32Array, rows, columns }`)
  const { data, rows, columns } = matrix
  if (!(rows > 0 && columns > 0 && data.length === rows * columns))
    throw new ConfigError(
      `${what} is [${rows}, ${columns}] and has ${data.length} values; expected ${rows * columns}, one at least`,
    )
  const at = data.findIndex(value => !Number.isFinite(value))
  if (at >= 0) throw new ConfigError(`${what} has ${data[at]} in row ${Math.floor(at / columns)}`)
}
