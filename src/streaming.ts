import type { KernelBuild } from '../bindings/load.js'
import type { AudioInput, SampleArray } from './audio/input.js'
import { inTurn } from './batch.js'
import type { WeightDtype } from './nn/weights.js'
import { cutSamples, cutTokens, type DecodedAudio, joined } from './pieces.js'
import type { RunOptions } from './schedule.js'
import { type Session, type StreamResults, type StreamSource, streamed, transformStream } from './streams.js'
import { checkedTokens, formatOf, type TokenInput } from './token_input.js'
import type { AudioTokens } from './tokens.js'
import type { WindowOptions } from './windows.js'

/** What a loaded tokenizer is. Rates in Hz. */
export interface TokenizerInfo {
  readonly family: string
  /** Family whose tokens it decodes, where they are not its own. */
  readonly tokensOf?: string
  readonly sampleRate: number
  /** Audio channels; absent: 1. */
  readonly channels?: number
  /** Frames of a segment, where each has a level of its own. */
  readonly segmentFrames?: number
  /** Samples per frame. */
  readonly hopLength: number
  /** Frames per second. */
  readonly frameRate: number
  readonly codebooks: number
  readonly codebookSizes: readonly number[]
  /** Frames that share a code of each codebook, where codebooks have several rates. */
  readonly strides?: readonly number[]
  /** Bits per second of packed codes. */
  readonly bitrate: number
  readonly parameters: number
  /** How the decoder's matrices are held, and the encoder's. */
  readonly dtype: WeightDtype
  readonly encoderDtype: WeightDtype
  readonly canEncode: boolean
  readonly canDecode: boolean
  /** Milliseconds of future that a token needs beyond its own frame. */
  readonly encoderLookaheadMs?: number
  /** Milliseconds of later tokens that a sample needs; absent where the decoder sees the whole clip. */
  readonly decoderLookaheadMs?: number
  /** Which build of the core runs. */
  readonly build: KernelBuild
  /** Threads that compute; 1 where `threads` was not asked for or this runtime cannot share memory. */
  readonly threads: number
  /** Size of the WebAssembly memory now, weights included. */
  readonly memoryBytes: number
  /** Hyper-parameters, as found in the checkpoint. */
  readonly config: Readonly<Record<string, unknown>>
}

export interface EncodeOptions extends RunOptions {
  /** Sample rate of raw samples, Hz (default: the model's). AudioBuffers and WAV bytes bring their own. */
  sampleRate?: number
  /** Encode with the first codebooks only, at a lower bitrate (default: all that the model has). */
  codebooks?: number
}

export interface DecodeOptions extends RunOptions {
  /**
   * Seconds of audio decoded at a time, for clips too long to decode whole with a decoder that sees the whole clip: memory is then
   * bounded, and the result an approximation, the one of `decodeStream` with this `windowSeconds`. Elsewhere without effect.
   */
  chunkSeconds?: number
}

export interface EncodeStreamOptions {
  /** Sample rate of the chunks, Hz (default: the model's). */
  sampleRate?: number
  /** Encode with the first codebooks only (default: all). */
  codebooks?: number
  /** Ends the stream: the pending result rejects with an AbortError, the source is cancelled, the memory given back. */
  signal?: AbortSignal
}

export interface DecodeStreamOptions extends WindowOptions {
  /** Ends the stream: the pending result rejects with an AbortError, the source is cancelled, the memory given back. */
  signal?: AbortSignal
}

/** What is made of single calls and sessions, wherever those run: batches and streams. */
export abstract class StreamingTokenizer {
  /** @throws DisposedError */
  abstract readonly info: TokenizerInfo

  abstract encode(audio: AudioInput, options?: EncodeOptions): Promise<AudioTokens>

  abstract decode(tokens: TokenInput, options?: DecodeOptions): Promise<DecodedAudio>

  /**
   * Tokens of several clips, of any lengths: those that `encode` gives of each alone, one after another. Progress is that of the batch.
   *
   * @throws what `encode` throws, with the clip's place in front of the message; nothing is returned then
   */
  encodeBatch(clips: Iterable<AudioInput>, options: EncodeOptions = {}): Promise<AudioTokens[]> {
    return inTurn(clips, options, (clip, own) => this.encode(clip, own))
  }

  /** Audio of several clips' tokens, as `encodeBatch`. */
  decodeBatch(clips: Iterable<TokenInput>, options: DecodeOptions = {}): Promise<DecodedAudio[]> {
    return inTurn(clips, options, (clip, own) => this.decode(clip, own))
  }

  /** @internal */
  abstract openEncoder(
    options: EncodeStreamOptions,
    signal: AbortSignal,
  ): Session<SampleArray, AudioTokens> | Promise<Session<SampleArray, AudioTokens>>

  /** @internal */
  abstract openDecoder(
    options: DecodeStreamOptions,
    signal: AbortSignal,
  ): Session<AudioTokens, DecodedAudio> | Promise<Session<AudioTokens, DecodedAudio>>

  /**
   * Tokens of audio that arrives in chunks of any size, mono (or interleaved, where `info.channels` says so), at `sampleRate`: joined, they equal those of `encode` exactly.
   * A result comes for every chunk that completes frames, at most one second of audio long; a token needs
   * `info.encoderLookaheadMs` of audio beyond its own frame. Several streams and calls may run on one tokenizer.
   * Memory does not grow with the stream. Leaving a `for await` loop ends the stream.
   *
   * @throws AudioError for a sample that is not finite, TokenError for codebooks that the model has not, AbortError, DisposedError: from the iterator, as do the source's errors
   */
  encodeStream(
    source: StreamSource<SampleArray>,
    options: EncodeStreamOptions = {},
  ): StreamResults<AudioTokens> {
    const plan = {
      open: (stop: AbortSignal) => this.openEncoder(options, stop),
      cut: (chunk: SampleArray) =>
        cutSamples(chunk, options.sampleRate ?? this.info.sampleRate, this.info.channels),
    }
    return streamed(plan, source, options.signal)
  }

  /**
   * Audio of tokens that arrive in chunks of any number of frames. With a decoder that streams (`info.decoderLookaheadMs` is a
   * number) the joined samples equal those of `decode` exactly. A decoder that sees the whole clip (WavTokenizer) is run on
   * windows with context on both sides and cross-faded: an approximation, `windowSeconds + contextSeconds` late; docs/streaming.md
   * has its distance from the whole-clip decode.
   *
   * @throws TokenError as `decode`, ConfigError for windows without length, AbortError, DisposedError: from the iterator
   */
  decodeStream(
    source: StreamSource<TokenInput>,
    options: DecodeStreamOptions = {},
  ): StreamResults<DecodedAudio> {
    const plan = {
      open: (stop: AbortSignal) => this.openDecoder(options, stop),
      cut: (chunk: TokenInput) => cutTokens(checkedTokens(chunk, formatOf(this.info))),
    }
    return streamed(plan, source, options.signal)
  }

  /**
   * A stream as an object: `push` samples as they come, each push resolving with the tokens that they complete; its state can be saved
   * and restored elsewhere, say in the next request. `close()` gives its memory back.
   *
   * @throws as `encodeStream`: from the session's methods
   */
  async encodeSession(options: EncodeStreamOptions = {}): Promise<Session<SampleArray, AudioTokens>> {
    const session = await this.openEncoder(options, options.signal ?? new AbortController().signal)
    const { sampleRate, channels } = this.info
    const rate = options.sampleRate ?? sampleRate
    return pushedWhole(session, chunk => cutSamples(chunk, rate, channels), joinedTokens)
  }

  /** The same for tokens to audio. @throws as `decodeStream`: from the session's methods */
  async decodeSession(options: DecodeStreamOptions = {}): Promise<Session<TokenInput, DecodedAudio>> {
    const session = await this.openDecoder(options, options.signal ?? new AbortController().signal)
    const cut = (chunk: TokenInput) => cutTokens(checkedTokens(chunk, formatOf(this.info)))
    return pushedWhole(session, cut, joinedAudio)
  }

  /** `encodeStream` for `pipeThrough`: chunks of samples in, AudioTokens out. */
  encoderStream(options: EncodeStreamOptions = {}): TransformStream<SampleArray, AudioTokens> {
    return transformStream(source => this.encodeStream(source, options))
  }

  /** `decodeStream` for `pipeThrough`: tokens in, chunks of samples out. */
  decoderStream(options: DecodeStreamOptions = {}): TransformStream<TokenInput, DecodedAudio> {
    return transformStream(source => this.decodeStream(source, options))
  }
}

/** The session for chunks of any size and shape, which `cut` checks. */
function pushedWhole<Chunk, Piece, Result>(
  session: Session<Piece, Result>,
  cut: (chunk: Chunk) => Iterable<Piece>,
  join: (results: Result[]) => Result,
): Session<Chunk, Result> {
  return {
    async push(chunk) {
      const results: Result[] = []
      for (const piece of cut(chunk)) {
        const result = await session.push(piece)
        if (result !== undefined) results.push(result)
      }
      return results.length ? join(results) : undefined
    },
    end: () => session.end(),
    save: () => session.save(),
    restore: saved => session.restore(saved),
    close: () => session.close(),
  }
}

function joinedTokens([first, ...others]: AudioTokens[]): AudioTokens {
  return first.concat(...others)
}

function joinedAudio(parts: DecodedAudio[]): DecodedAudio {
  return { ...parts[0], samples: joined(parts.map(part => part.samples)) }
}
