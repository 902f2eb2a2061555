/**
 * wavtok: speech to discrete tokens and back, anywhere JavaScript runs.
 *
 * @module
 */
export type { KernelBuild, KernelInput } from '../bindings/load.js'
export type { AudioBufferLike, AudioInput, SampleArray } from './audio/input.js'
export type { BytesInput } from './checkpoints/bytes.js'
export {
  AbortError,
  AudioError,
  CheckpointError,
  ConfigError,
  DisposedError,
  TokenError,
  WavtokError,
  type WavtokErrorCode,
} from './errors.js'
export { DEFAULT_MODEL, type LoadOptions, loadTokenizer } from './load.js'
export type { Progress, RunOptions } from './schedule.js'
export {
  AudioTokenizer,
  type DecodedAudio,
  type EncodeOptions,
  type TokenInput,
  type TokenizerInfo,
} from './tokenizer.js'
export { AudioTokens, type TokenFormat, type TokenOrder, type TokensJson } from './tokens.js'
