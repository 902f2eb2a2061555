/**
 * What people do with tokens, without a model: files.
 *
 * @module
 */
export { TokenError } from '../errors.js'
export { type BpeJsonOptions, TokenBpe } from './bpe.js'
export type { TokenizerJson } from './bpe-json.js'
export type { BpeMerge, BpeTrainOptions } from './bpe-train.js'
export { type CodecCharOptions, charsToCodes, codesToChars } from './codec-chars.js'
export type { ContextOrder } from './context-model.js'
export {
  decodeTokens,
  encodeTokens,
  type StoredTokens,
  TOKEN_FILE_FORMATS,
  type TokenFileFormat,
  type WritableTokens,
  type WtokOptions,
} from './formats.js'
export {
  type CodeRows,
  delay,
  type Flattening,
  type FlatteningOptions,
  flatten,
  moshiDelays,
  packIntoBytes,
  staircaseDelays,
  truncateCodebooks,
  undelay,
  unflatten,
  unpackFromBytes,
} from './layouts.js'
export {
  codesToText,
  type OuteTtsOptions,
  type OuteTtsPrompt,
  type OuteTtsVersion,
  outeTtsPrompt,
  outeTtsWords,
  parseOuteTts,
  type SpokenWord,
  textToCodes,
} from './outetts.js'
export { foldRates, foldSizes, unfoldRates } from './rates.js'
export { type AdjacentChoice, mapOfAdjacentPairs, mapOfSegments } from './reduce/adjacent.js'
export { encodeMerged, mergeCodes, packMerged, unpackMerged } from './reduce/codec-merging.js'
export {
  bitsPerSecond,
  type CodeMethod,
  type Compressed,
  type CompressOptions,
  compress,
  type FeatureMethod,
} from './reduce/compress.js'
export { dedup, durationReduce, expandRuns, type ReducedCodes } from './reduce/durations.js'
export {
  type Features,
  type FrameMap,
  frameCount,
  frameMap,
  inTimeOrder,
  meanOf,
  nearestCodes,
  spread,
} from './reduce/features.js'
export { averagePool, maxPool, stack, unpool, unstack } from './reduce/pooling.js'
export { attentionScores, keepBest, noveltyScores, queryScores } from './reduce/pruning.js'
export { type LinearWeights, type ResamplerWeights, resampleWithQueries } from './reduce/resampler.js'
export { type Matching, mapOfEveryKth, mapOfMatching, matchBipartite } from './reduce/tome.js'
export { type CodeVocabulary, codesToIds, idsToCodes, OUTETTS_QWEN } from './vocabulary.js'
export { type TokenCoding, TokenFileError, type TokenFileHeader } from './wtok-format.js'
export { decodeWtok, TokenReader, type WtokContent } from './wtok-reader.js'
export { encodeWtok, TokenWriter, type TokenWriterOptions } from './wtok-writer.js'
