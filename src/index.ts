/**
 * wavtok: speech to discrete tokens and back, anywhere JavaScript runs.
 *
 * @module
 */
export type { KernelBuild, KernelInput } from '../bindings/load.js'
export type { AudioBufferLike, AudioInput, SampleArray } from './audio/input.js'
export type { CacheOptions, ModelCache } from './cache.js'
export type { BytesInput } from './checkpoints/bytes.js'
export { type ConvertOptions, convertCheckpoint } from './convert.js'
export {
  AbortError,
  AudioError,
  CheckpointError,
  ConfigError,
  DisposedError,
  TokenError,
  WavtokError,
  type WavtokErrorCode,
  WorkerError,
} from './errors.js'
export { DEFAULT_MODEL, type LoadOptions, loadTokenizer } from './load.js'
export type { DecodedAudio } from './pieces.js'
export type { Progress, RunOptions } from './schedule.js'
export type {
  DecodeOptions,
  DecodeStreamOptions,
  EncodeOptions,
  EncodeStreamOptions,
  TokenizerInfo,
} from './streaming.js'
export type { Session, StreamResults, StreamSource } from './streams.js'
export type { TokenInput } from './token_input.js'
export { AudioTokenizer } from './tokenizer.js'
export { AudioTokens, type TokenFormat, type TokenOrder, type TokensJson } from './tokens.js'
export type { WindowOptions } from './windows.js'
export { createWorkerTokenizer, type WorkerOptions, type WorkerTokenizer } from './worker/client.js'
