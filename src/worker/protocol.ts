// What the two sides of a worker tell each other. Every request gets exactly one reply, in the order in which the work is done.
import type { KernelInput } from '../../bindings/load.js'
import {
  AbortError,
  AudioError,
  CheckpointError,
  ConfigError,
  DisposedError,
  TokenError,
  WavtokError,
  type WavtokErrorCode,
  WorkerError,
} from '../errors.js'
import type { LoadOptions } from '../load.js'
import type { Progress } from '../schedule.js'
import type {
  DecodeOptions,
  DecodeStreamOptions,
  EncodeOptions,
  EncodeStreamOptions,
  TokenizerInfo,
} from '../streaming.js'
import type { HelperOrders } from '../threads.js'
import { AudioTokens, type TokenFormat } from '../tokens.js'

type Plain<Options> = Omit<Options, 'signal' | 'onProgress'>

/** Calls that a worker answers: name -> [arguments, reply]. */
export interface Calls {
  load: [{ source: unknown; options: Plain<LoadOptions> & { module?: KernelInput } }, TokenizerInfo]
  encode: [{ audio: unknown; options: Plain<EncodeOptions> }, PlainTokens]
  features: [{ audio: unknown; options: Plain<EncodeOptions> }, Float32Array<ArrayBuffer>]
  decode: [{ tokens: unknown; options: Plain<DecodeOptions> }, PlainAudio]
  synthesize: [{ frames: Float32Array }, PlainAudio]
  embed: [{ tokens: unknown }, Float32Array<ArrayBuffer>]
  /** Opens a stream under the number `stream`. */
  openEncoder: [{ stream: number; options: Plain<EncodeStreamOptions> }, undefined]
  openDecoder: [{ stream: number; options: Plain<DecodeStreamOptions> }, undefined]
  /** `piece` undefined: the clip is complete. */
  push: [{ stream: number; piece?: unknown }, PlainTokens | PlainAudio | undefined]
  save: [{ stream: number }, Uint8Array<ArrayBuffer>]
  restore: [{ stream: number; saved: Uint8Array }, undefined]
  close: [{ stream: number }, undefined]
}

export type CallName = keyof Calls

export type Request =
  | { [Name in CallName]: { id: number; call: Name; body: Calls[Name][0] } }[CallName]
  | { id: number; call: 'abort' }
  /** Makes the worker a helper thread (src/threads.ts), which answers once and then nothing else. */
  | { id: number; call: 'help'; body: HelperOrders }

export type Reply =
  | { id: number; kind: 'progress'; progress: Progress }
  | { id: number; kind: 'value'; value: unknown; memoryBytes: number }
  | { id: number; kind: 'error'; error: PlainError }

/** AudioTokens as structured clones carry them. */
export interface PlainTokens extends TokenFormat {
  readonly codes: readonly Uint16Array[]
}

export interface PlainAudio {
  readonly samples: Float32Array<ArrayBuffer>
  readonly channels?: number
  readonly sampleRate: number
}

export interface PlainError {
  readonly name: string
  readonly message: string
  readonly stack?: string
  /** Of a WavtokError; names of classes do not survive minification. */
  readonly code?: WavtokErrorCode
}

export function plainTokens({
  codes,
  codebookSizes,
  frameRate,
  strides,
  segmentFrames,
  scales,
  sampleRate,
  model,
}: AudioTokens): PlainTokens {
  return { codes, codebookSizes, frameRate, strides, segmentFrames, scales, sampleRate, model }
}

export function isPlainTokens(value: unknown): value is PlainTokens {
  return typeof value === 'object' && value !== null && 'codes' in value && 'frameRate' in value
}

export function revivedTokens(tokens: PlainTokens): AudioTokens {
  return new AudioTokens(tokens.codes, tokens)
}

export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { name, message, stack } = error
  return { name, message, stack, code: error instanceof WavtokError ? error.code : undefined }
}

const CLASSES: Readonly<Record<WavtokErrorCode, new (message: string) => Error>> = {
  ABORTED: AbortError,
  AUDIO: AudioError,
  CHECKPOINT: CheckpointError,
  CONFIG: ConfigError,
  DISPOSED: DisposedError,
  TOKENS: TokenError,
  WORKER: WorkerError,
}

/** The error as its own class, with the message and stack that it had in the worker. */
export function revivedError({ name, message, stack, code }: PlainError): Error {
  const error = code ? new CLASSES[code](message) : Object.assign(new Error(message), { name })
  error.message = message
  if (stack) error.stack = stack
  return error
}

/** Buffers inside `value` that can be moved, each once. */
export function buffersOf(value: unknown, found = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (value instanceof ArrayBuffer) found.add(value)
  else if (ArrayBuffer.isView(value)) buffersOf(value.buffer, found)
  else if (Array.isArray(value)) for (const item of value) buffersOf(item, found)
  else if (value && Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value)) buffersOf(item, found)
  return [...found]
}
