import type { AudioInput, SampleArray } from '../audio/input.js'
import { ConfigError } from '../errors.js'
import { type LoadOptions, loadTokenizer } from '../load.js'
import type { DecodedAudio } from '../pieces.js'
import type { RunOptions } from '../schedule.js'
import type { Session } from '../streams.js'
import type { TokenInput } from '../token_input.js'
import type { AudioTokenizer } from '../tokenizer.js'
import { AudioTokens } from '../tokens.js'
import { serveAsHelper } from './help.js'
import type { Link } from './link.js'
import {
  buffersOf,
  type CallName,
  type Calls,
  isPlainTokens,
  plainError,
  plainTokens,
  type Reply,
  type Request,
  revivedTokens,
} from './protocol.js'

type AnySession = Session<SampleArray, AudioTokens> | Session<AudioTokens, DecodedAudio>

/** Answers what comes over `link`. Heavy calls queue in the tokenizer, so they run in the order of the messages. */
export function serve(link: Link): void {
  const running = new Map<number, AbortController>()
  const server = new Server()
  const reply = (message: Reply, transfer?: ArrayBuffer[]) => link.post(message, transfer)
  link.onMessage(async message => {
    const request = message as Request
    const { id } = request
    if (request.call === 'help') {
      serveAsHelper(request.body, () => reply({ id, kind: 'value', value: undefined, memoryBytes: 0 }))
      return
    }
    if (request.call === 'abort') {
      running.get(id)?.abort()
      return
    }
    const stop = new AbortController()
    running.set(id, stop)
    try {
      const value = await server.answer(request, {
        signal: stop.signal,
        onProgress: progress => reply({ id, kind: 'progress', progress }),
      })
      reply({ id, kind: 'value', value, memoryBytes: server.memoryBytes }, buffersOf(value))
    } catch (error) {
      reply({ id, kind: 'error', error: plainError(error) })
    } finally {
      running.delete(id)
    }
  })
}

class Server {
  #tokenizer: AudioTokenizer | undefined
  readonly #streams = new Map<number, { session: AnySession; stop: AbortController }>()

  get memoryBytes(): number {
    return this.#tokenizer?.info.memoryBytes ?? 0
  }

  async answer(
    { call, body }: Exclude<Request, { call: 'abort' | 'help' }>,
    run: RunOptions,
  ): Promise<unknown> {
    const calls: { [Name in CallName]: (body: Calls[Name][0]) => Promise<unknown> } = {
      load: async ({ source, options }) => {
        this.#tokenizer = await loadTokenizer(source as never, { ...(options as LoadOptions), ...run })
        return this.#tokenizer.info
      },
      encode: async ({ audio, options }) =>
        plainTokens(await this.#loaded.encode(revivedAudio(audio), { ...options, ...run })),
      features: ({ audio, options }) => this.#loaded.features(revivedAudio(audio), { ...options, ...run }),
      decode: ({ tokens, options }) => this.#loaded.decode(revived(tokens), { ...options, ...run }),
      synthesize: ({ frames }) => this.#loaded.synthesize(frames, run),
      embed: ({ tokens }) => this.#loaded.embed(revived(tokens)),
      openEncoder: async ({ stream, options }) =>
        this.#open(stream, stop => this.#loaded.openEncoder(options, stop)),
      openDecoder: async ({ stream, options }) =>
        this.#open(stream, stop => this.#loaded.openDecoder(options, stop)),
      push: ({ stream, piece }) => this.#push(stream, piece, run),
      save: ({ stream }) => this.#streams.get(stream)!.session.save(),
      restore: ({ stream, saved }) => this.#streams.get(stream)!.session.restore(saved),
      close: ({ stream }) => this.#close(stream),
    }
    return calls[call](body as never)
  }

  get #loaded(): AudioTokenizer {
    if (!this.#tokenizer) throw new ConfigError('the worker has no model yet; wait for createWorkerTokenizer')
    return this.#tokenizer
  }

  #open(stream: number, open: (signal: AbortSignal) => AnySession): void {
    const stop = new AbortController()
    this.#streams.set(stream, { session: open(stop.signal), stop })
  }

  async #push(stream: number, piece: unknown, { signal }: RunOptions): Promise<unknown> {
    const { session, stop } = this.#streams.get(stream)!
    const abort = () => stop.abort()
    signal?.addEventListener('abort', abort)
    const result =
      piece === undefined
        ? await session.end()
        : await session.push((isPlainTokens(piece) ? revivedTokens(piece) : piece) as never)
    return result instanceof AudioTokens ? plainTokens(result) : result
  }

  async #close(stream: number): Promise<void> {
    await this.#streams.get(stream)?.session.close()
    this.#streams.delete(stream)
  }
}

function revived(tokens: unknown): TokenInput {
  return isPlainTokens(tokens) ? revivedTokens(tokens) : (tokens as TokenInput)
}

/** An AudioBuffer travels as its channels. */
function revivedAudio(audio: unknown): AudioInput {
  if (typeof audio !== 'object' || audio === null || !('channels' in audio)) return audio as AudioInput
  const { channels, sampleRate } = audio as { channels: Float32Array[]; sampleRate: number }
  return { numberOfChannels: channels.length, sampleRate, getChannelData: channel => channels[channel] }
}
