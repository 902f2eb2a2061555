/**
 * Quantizers as tools, without a model: features [frames, dim] in, codes out, and back. Kernels in WebAssembly, the same codes on every
 * engine.
 *
 * @module
 */
export { type KMeansOptions, type KMeansResult, type TrainingProgress, trainKMeans } from './kmeans.js'
export { bytesToCodes, codesToBytes } from './mvq_bytes.js'
export { FeatureQuantizer, loadQuantizer, openQuantizer, type QuantizerOptions } from './quantizer.js'
export { type RandomProjectionOptions, randomProjection } from './random_projection.js'
export { type ResidualResult, trainResidual } from './residual_training.js'
export {
  type Branch,
  type CodebookSpec,
  type CombinedSpec,
  type Distance,
  type FactorizedStage,
  type FiniteScalarSpec,
  factorizedRvq,
  groupedRvq,
  type Matrix,
  type MultiCodebookSpec,
  type ProjectedSpec,
  type Projection,
  type QuantizerSpec,
  rvq,
  splitRvq,
  vq,
} from './spec.js'
