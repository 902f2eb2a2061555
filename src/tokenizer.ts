import type { KernelBuild } from '../bindings/load.js'
import type { Region } from '../bindings/memory.js'
import { type AudioInput, type SampleArray, toMono } from './audio/input.js'
import { resample } from './audio/resample.js'
import { Engine } from './engine.js'
import { AudioError, ConfigError } from './errors.js'
import type { Model } from './models/model.js'
import { receiver } from './nn/clip.js'
import { finish, type RowSink } from './nn/rows.js'
import type { RunOptions } from './schedule.js'
import {
  codebooksOf,
  cutTokens,
  type DecodedAudio,
  DecodeSession,
  decodeClip,
  EncodeSession,
  formatOf,
  joined,
  pushFrames,
  pushSamples,
  WindowSession,
} from './sessions.js'
import {
  type DecodeOptions,
  type DecodeStreamOptions,
  type EncodeOptions,
  type EncodeStreamOptions,
  StreamingTokenizer,
  type TokenizerInfo,
} from './streaming.js'
import type { Session } from './streams.js'
import { checkedTokens, interleave, type TokenInput } from './token_input.js'
import { AudioTokens } from './tokens.js'

/** Of the time of an encoder that sees the whole clip (DM-Codec): what it does while the clip comes. */
const SHARE_BEFORE_THE_END = 0.5

/** Audio to tokens and back, with one model. Calls are queued: each runs alone. Made by `loadTokenizer`. */
export class AudioTokenizer extends StreamingTokenizer implements Disposable {
  readonly #engine: Engine
  readonly #build: KernelBuild

  /** @internal `weights`: everything that the model holds in its core. */
  constructor(weights: Region, model: Model, build: KernelBuild) {
    super()
    this.#engine = new Engine(weights, model)
    this.#build = build
  }

  /** @throws DisposedError */
  get info(): TokenizerInfo {
    const { heap } = this.#engine
    const { encoderLookahead, decoderLookahead, codebookDim: _, ...model } = this.#engine.model.info
    const frameRate = model.sampleRate / model.hopLength
    const bits = model.codebookSizes.reduce((sum, size) => sum + Math.ceil(Math.log2(size)), 0)
    const ms = (samples: number | undefined) => samples && (1000 * samples) / model.sampleRate
    return {
      ...model,
      frameRate,
      codebooks: model.codebookSizes.length,
      bitrate: bits * frameRate,
      encoderLookaheadMs: ms(encoderLookahead),
      decoderLookaheadMs: ms(decoderLookahead),
      build: this.#build,
      threads: heap.team?.threads ?? 1,
      memoryBytes: heap.capacity,
    }
  }

  /**
   * Audio to tokens: ceil(T / hopLength) frames for T samples at the model's rate. Other rates are resampled, channels averaged.
   *
   * @throws AudioError for empty audio or a sample that is not finite, TokenError for codebooks that the model has not, AbortError,
   *   DisposedError
   */
  async encode(audio: AudioInput, options: EncodeOptions = {}): Promise<AudioTokens> {
    const { model } = this.#engine
    const count = codebooksOf(model.info, options.codebooks)
    const codes: number[][] = Array.from({ length: count }, () => [])
    await this.#analyse(audio, options, region =>
      model.encoder(
        region,
        receiver(region, count, (pointer, rows) => {
          for (const [i, code] of region.heap.i32(pointer, rows * count).entries())
            codes[i % count].push(code)
        }),
      ),
    )
    return new AudioTokens(codes, formatOf(model.info, count))
  }

  /** The encoder's output before quantization: [frames][codebookDim], row-major. Errors as `encode`. */
  async features(audio: AudioInput, options: EncodeOptions = {}): Promise<Float32Array<ArrayBuffer>> {
    const parts: Float32Array[] = []
    await this.#analyse(audio, options, region =>
      this.#engine.model.features(region, this.#vectors(region, parts)),
    )
    return joined(parts)
  }

  /**
   * Tokens to audio: frames * hopLength samples.
   *
   * @throws TokenError for codes outside their codebook, ragged or from another kind of model; AbortError, DisposedError
   */
  async decode(tokens: TokenInput, options: DecodeOptions = {}): Promise<DecodedAudio> {
    const { sampleRate } = this.#engine.model.info
    const checked = checkedTokens(tokens, formatOf(this.#engine.model.info))
    const samples =
      options.chunkSeconds === undefined || this.#engine.model.decoder
        ? await decodeClip(this.#engine, checked.codes, options)
        : await this.#decodeWindows(checked, options)
    return { samples, sampleRate }
  }

  /**
   * Audio of frames that are not quantized: of what `features` gives, or of `embed`'s vectors, which then sound as `decode`.
   * frames * hopLength samples; one hop fewer of a Vocos of mel frames.
   *
   * @param frames [frames][codebookDim], row-major
   * @throws ConfigError where the decoder sees the whole clip (WavTokenizer), AudioError for half a frame or a value that is not
   *   finite, AbortError, DisposedError
   */
  async synthesize(frames: Float32Array, options: RunOptions = {}): Promise<DecodedAudio> {
    const { model } = this.#engine
    const { codebookDim, sampleRate, family } = model.info
    if (!model.synthesis)
      throw new ConfigError(`${family} decodes whole clips of tokens, not frames; use decode()`)
    checkFrames(frames, codebookDim)
    const parts: Float32Array[] = []
    await this.#engine.call(options.signal, async region => {
      const sink = receiver(region, 1, (pointer, count) =>
        parts.push(region.heap.f32(pointer, count).slice()),
      )
      const stage = model.synthesis!(region, sink)
      await this.#engine.slice(pushFrames(this.#engine, stage, frames), 'decode', options)
      stage.end()
    })
    return { samples: joined(parts), sampleRate }
  }

  /** Codebook vectors of tokens: [frames][codebookDim], row-major. Errors as `decode`. */
  async embed(tokens: TokenInput): Promise<Float32Array<ArrayBuffer>> {
    const { codes, frames } = checkedTokens(tokens, formatOf(this.#engine.model.info))
    const parts: Float32Array[] = []
    await this.#engine.call(undefined, async region => {
      const stage = this.#engine.model.lookup(region, this.#vectors(region, parts), codes.length)
      interleave(codes, region.heap.i32(stage.reserve(frames), frames * codes.length))
      stage.commit(frames)
      stage.end()
    })
    return joined(parts)
  }

  /** @internal */
  openEncoder(options: EncodeStreamOptions, signal: AbortSignal): Session<SampleArray, AudioTokens> {
    return new EncodeSession(this.#engine, options, signal)
  }

  /** @internal */
  openDecoder(options: DecodeStreamOptions, signal: AbortSignal): Session<AudioTokens, DecodedAudio> {
    return this.#engine.model.decoder
      ? new DecodeSession(this.#engine, signal)
      : new WindowSession(this.#engine, options, signal)
  }

  /** Gives all memory back. Calls under way and later ones fail with DisposedError. */
  dispose(): void {
    this.#engine.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  async #decodeWindows(tokens: AudioTokens, options: DecodeOptions): Promise<Float32Array<ArrayBuffer>> {
    const { signal, onProgress, chunkSeconds } = options
    const session = new WindowSession(this.#engine, { windowSeconds: chunkSeconds }, signal)
    const samples = new Float32Array(tokens.frames * this.#engine.model.info.hopLength)
    let filled = 0
    const append = (audio: DecodedAudio | undefined) => {
      if (!audio) return
      samples.set(audio.samples, filled)
      filled += audio.samples.length
      onProgress?.({ phase: 'decode', loaded: filled / samples.length, total: 1 })
    }
    for (const piece of cutTokens(tokens)) append(await session.push(piece))
    append(await session.end())
    return samples
  }

  /** A last stage that copies rows of codebookDim into `parts`. */
  #vectors(region: Region, parts: Float32Array[]): RowSink {
    const { codebookDim } = this.#engine.model.info
    return receiver(region, codebookDim, (pointer, rows) =>
      parts.push(region.heap.f32(pointer, rows * codebookDim).slice()),
    )
  }

  /** Pushes audio, mixed down and resampled, through the stage that `open` gives. */
  async #analyse(
    audio: AudioInput,
    options: EncodeOptions,
    open: (region: Region) => RowSink,
  ): Promise<void> {
    const rate = this.#engine.model.info.sampleRate
    const mono = toMono(audio, { sampleRate: options.sampleRate, defaultSampleRate: rate })
    await this.#engine.call(options.signal, async region => {
      const samples = resample(mono.samples, mono.sampleRate, rate)
      await this.#engine.slice(pushClip(this.#engine, open(region), samples), 'encode', options)
    })
  }
}

/** Pushes all samples of a clip and ends it; yields the share done. */
function* pushClip(engine: Engine, stage: RowSink, samples: Float32Array): Generator<number> {
  const share = engine.model.info.encoderLookahead === undefined ? SHARE_BEFORE_THE_END : 1
  for (const done of pushSamples(engine, stage, samples)) yield share * done
  for (const done of finish(stage)) yield share + (1 - share) * done
}

function checkFrames(frames: Float32Array, dim: number): void {
  if (frames.length % dim !== 0)
    throw new AudioError(`${frames.length} values found; expected whole frames of ${dim}`)
  const bad = frames.findIndex(value => !Number.isFinite(value))
  if (bad >= 0)
    throw new AudioError(
      `value ${bad % dim} of frame ${Math.floor(bad / dim)} is ${frames[bad]}; expected a finite number`,
    )
}
