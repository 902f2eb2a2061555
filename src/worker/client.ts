import { startWorker } from '#platform'
import type { AudioInput, SampleArray } from '../audio/input.js'
import { type CacheOptions, type ModelCache, openRemote } from '../cache.js'
import type { BytesInput } from '../checkpoints/bytes.js'
import { ConfigError, WorkerError } from '../errors.js'
import type { LoadOptions } from '../load.js'
import type { DecodedAudio } from '../pieces.js'
import type { RunOptions } from '../schedule.js'
import {
  type DecodeOptions,
  type DecodeStreamOptions,
  type EncodeOptions,
  type EncodeStreamOptions,
  StreamingTokenizer,
  type TokenizerInfo,
} from '../streaming.js'
import type { Session } from '../streams.js'
import type { TokenInput } from '../token_input.js'
import { AudioTokens } from '../tokens.js'
import { Caller } from './caller.js'
import { linkTo } from './link.js'
import { buffersOf, isPlainTokens, plainTokens, revivedTokens } from './protocol.js'

/** How to load a model in a worker. */
export interface WorkerOptions extends LoadOptions {
  /** Where the worker's script is served, if not beside this module: the package's `wavtok/worker`. */
  workerUrl?: string | URL
  /** Makes the Worker, for bundlers: `() => new Worker(new URL('wavtok/worker', import.meta.url), { type: 'module' })`. */
  createWorker?: () => unknown
  /** Moves bytes of the model into the worker instead of copying them: the caller's arrays are empty afterwards. */
  transfer?: boolean
}

/** What may move into the worker instead of being copied. */
export interface TransferOption {
  /** Moves the input's buffers into the worker: no copy, but the caller's arrays are empty afterwards (default false). */
  transfer?: boolean
}

/**
 * Loads a tokenizer in a worker of its own, so that a page or server stays responsive. Takes what `loadTokenizer` takes; streams
 * and Responses are read here and moved over. Results are moved, never copied.
 *
 * @throws what `loadTokenizer` throws; WorkerError where the worker cannot be started
 */
export async function createWorkerTokenizer(
  source?: BytesInput | readonly BytesInput[],
  options: WorkerOptions = {},
): Promise<WorkerTokenizer> {
  const { workerUrl, createWorker, transfer = false, signal, onProgress, cache, module, ...rest } = options
  const inputs = source === undefined ? [] : [source].flat()
  const hashes = [options.sha256].flat()
  const files = await Promise.all(
    inputs.map((input, i) => sendable(input as BytesInput, hashes[i], { cache, signal, onProgress })),
  )
  const core = await module
  const body = {
    source: source === undefined ? undefined : files.map(file => file.value),
    options: {
      ...rest,
      cache: cache === false ? cache : undefined,
      module: core instanceof Response ? await core.arrayBuffer() : core,
    },
  }
  const moved = files.filter(file => file.isOurs || transfer).map(file => file.value)
  const caller = new Caller(startedLink({ workerUrl, createWorker }))
  try {
    const info = await caller.call('load', body, { signal, onProgress }, buffersOf(moved))
    return new WorkerTokenizer(caller, info)
  } catch (error) {
    caller.end()
    throw error
  }
}

function startedLink({ workerUrl, createWorker }: Pick<WorkerOptions, 'workerUrl' | 'createWorker'>) {
  try {
    return linkTo(createWorker ? createWorker() : startWorker(workerUrl))
  } catch (cause) {
    throw new WorkerError(
      `the worker cannot be started: ${(cause as Error).message}; pass workerUrl or createWorker`,
      { cause },
    )
  }
}

/** What a message can carry, and whether nobody else has it. */
async function sendable(
  input: BytesInput,
  sha256: string | undefined,
  options: RunOptions & Pick<CacheOptions, 'cache'>,
): Promise<{ value: unknown; isOurs: boolean }> {
  if (isOwnCache(options.cache) && isRemote(input)) {
    const file = await openRemote(input, sha256, options) // functions stay on this side
    return { value: (await file.read(0, file.size)).slice(), isOurs: true }
  }
  if (input instanceof URL) return { value: input.href, isOurs: false }
  if (input instanceof Response || input instanceof ReadableStream) {
    const response = input instanceof Response ? input : new Response(input)
    return { value: await response.arrayBuffer(), isOurs: true }
  }
  if (typeof input === 'object' && 'read' in input)
    throw new ConfigError('a ByteSource cannot be sent to a worker; pass a path, URL, Blob or the bytes')
  return { value: input, isOurs: false }
}

function isOwnCache(cache: ModelCache | false | undefined): boolean {
  return typeof cache === 'object'
}

function isRemote(input: BytesInput): input is string | URL {
  return (typeof input === 'string' || input instanceof URL) && /^https?:/i.test(String(input))
}

/**
 * An AudioTokenizer that runs in a worker: the same methods, all asynchronous. Calls queue there, in order. If the worker crashes or
 * is ended, pending and later calls reject with WorkerError. Made by `createWorkerTokenizer`.
 */
export class WorkerTokenizer extends StreamingTokenizer implements Disposable {
  readonly #caller: Caller
  readonly #info: TokenizerInfo
  #streams = 0

  /** @internal */
  constructor(caller: Caller, info: TokenizerInfo) {
    super()
    this.#caller = caller
    this.#info = info
  }

  /** `memoryBytes` is that of the last reply. */
  get info(): TokenizerInfo {
    this.#caller.throwIfEnded()
    return { ...this.#info, memoryBytes: this.#caller.memoryBytes }
  }

  /** As `AudioTokenizer.encode`. */
  async encode(audio: AudioInput, options: EncodeOptions & TransferOption = {}): Promise<AudioTokens> {
    const { signal, onProgress, transfer, ...rest } = options
    const [value, moved] = sendableAudio(audio, transfer)
    const body = { audio: value, options: rest }
    return revivedTokens(await this.#caller.call('encode', body, { signal, onProgress }, moved))
  }

  /** As `AudioTokenizer.features`. */
  async features(
    audio: AudioInput,
    options: EncodeOptions & TransferOption = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    const { signal, onProgress, transfer, ...rest } = options
    const [value, moved] = sendableAudio(audio, transfer)
    return this.#caller.call('features', { audio: value, options: rest }, { signal, onProgress }, moved)
  }

  /** As `AudioTokenizer.decode`. */
  decode(tokens: TokenInput, options: DecodeOptions = {}): Promise<DecodedAudio> {
    const { signal, onProgress, ...rest } = options
    return this.#caller.call(
      'decode',
      { tokens: sendableTokens(tokens), options: rest },
      { signal, onProgress },
    )
  }

  /** As `AudioTokenizer.embed`. */
  embed(tokens: TokenInput): Promise<Float32Array<ArrayBuffer>> {
    return this.#caller.call('embed', { tokens: sendableTokens(tokens) }, {})
  }

  /** As `AudioTokenizer.synthesize`. */
  synthesize(frames: Float32Array, options: RunOptions = {}): Promise<DecodedAudio> {
    const { signal, onProgress } = options
    return this.#caller.call('synthesize', { frames }, { signal, onProgress })
  }

  /** @internal */
  async openEncoder(
    { sampleRate, codebooks }: EncodeStreamOptions,
    signal: AbortSignal,
  ): Promise<Session<SampleArray, AudioTokens>> {
    const stream = ++this.#streams
    await this.#caller.call('openEncoder', { stream, options: { sampleRate, codebooks } }, { signal })
    return this.#session(stream, signal, value => (isPlainTokens(value) ? revivedTokens(value) : undefined))
  }

  /** @internal */
  async openDecoder(
    options: DecodeStreamOptions,
    signal: AbortSignal,
  ): Promise<Session<AudioTokens, DecodedAudio>> {
    const stream = ++this.#streams
    const { windowSeconds, contextSeconds } = options
    await this.#caller.call('openDecoder', { stream, options: { windowSeconds, contextSeconds } }, { signal })
    return this.#session(stream, signal, value => value as DecodedAudio | undefined)
  }

  #session<Piece extends SampleArray | AudioTokens, Result>(
    stream: number,
    signal: AbortSignal,
    revive: (value: unknown) => Result | undefined,
  ): Session<Piece, Result> {
    const caller = this.#caller
    return {
      async push(piece) {
        // pieces of a larger chunk share its buffer, so they are copied
        const value = piece instanceof AudioTokens ? plainTokens(piece) : piece.slice()
        const moved = piece instanceof AudioTokens ? [] : buffersOf(value)
        return revive(await caller.call('push', { stream, piece: value }, { signal }, moved))
      },
      end: async () => revive(await caller.call('push', { stream }, { signal })),
      save: () => caller.call('save', { stream }, { signal }),
      restore: async saved => {
        await caller.call('restore', { stream, saved }, { signal })
      },
      async close() {
        await caller.call('close', { stream }, {}).catch(() => {}) // a worker that is gone holds nothing
      },
    }
  }

  /** Ends the worker. Pending and later calls reject with DisposedError. */
  dispose(): void {
    this.#caller.end()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Audio as a message carries it; what it moves. */
function sendableAudio(audio: AudioInput, transfer = false): [value: unknown, moved: ArrayBuffer[]] {
  if (typeof audio !== 'object' || !('getChannelData' in audio))
    return [audio, transfer ? buffersOf(audio) : []]
  const { numberOfChannels, sampleRate } = audio
  const channels = Array.from({ length: numberOfChannels }, (_, c) => audio.getChannelData(c).slice())
  return [{ channels, sampleRate }, buffersOf(channels)]
}

function sendableTokens(tokens: TokenInput): unknown {
  return tokens instanceof AudioTokens ? plainTokens(tokens) : tokens
}
