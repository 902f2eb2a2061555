import type { KernelBuild } from '../bindings/load.js'
import { type Heap, Region } from '../bindings/memory.js'
import { type AudioInput, toMono } from './audio/input.js'
import { resample } from './audio/resample.js'
import { DisposedError, TokenError, throwIfAborted } from './errors.js'
import type { Model } from './models/model.js'
import { receiver } from './nn/clip.js'
import type { RowSink } from './nn/rows.js'
import { Queue, type RunOptions, runSliced } from './schedule.js'
import { AudioTokens } from './tokens.js'

/** What a loaded tokenizer is. Rates in Hz. */
export interface TokenizerInfo {
  readonly family: string
  readonly sampleRate: number
  /** Samples per frame. */
  readonly hopLength: number
  /** Frames per second. */
  readonly frameRate: number
  readonly codebooks: number
  readonly codebookSizes: readonly number[]
  /** Bits per second of packed codes. */
  readonly bitrate: number
  readonly parameters: number
  readonly dtype: 'f32'
  readonly canEncode: boolean
  readonly canDecode: boolean
  /** Milliseconds of future that a token needs beyond its own frame. */
  readonly encoderLookaheadMs?: number
  /** Milliseconds of later tokens that a sample needs; absent where the decoder sees the whole clip. */
  readonly decoderLookaheadMs?: number
  /** Which build of the core runs. */
  readonly build: KernelBuild
  /** Size of the WebAssembly memory now, weights included. */
  readonly memoryBytes: number
  /** Hyper-parameters, as found in the checkpoint. */
  readonly config: Readonly<Record<string, unknown>>
}

export interface EncodeOptions extends RunOptions {
  /** Sample rate of raw samples, Hz (default: the model's). AudioBuffers and WAV bytes bring their own. */
  sampleRate?: number
}

/** Decoded audio, mono. */
export interface DecodedAudio {
  readonly samples: Float32Array<ArrayBuffer>
  /** Hz. */
  readonly sampleRate: number
}

/** Codes in any of the accepted shapes; bare numbers are codes of one codebook. */
export type TokenInput = AudioTokens | ArrayLike<number> | readonly ArrayLike<number>[]

/** Seconds of audio pushed at a time: a tile, and the grain of progress and abort. */
const TILE_SECONDS = 0.25

/** Audio to tokens and back, with one model. Calls are queued: each runs alone. Made by `loadTokenizer`. */
export class AudioTokenizer implements Disposable {
  readonly #model: Model
  readonly #build: KernelBuild
  readonly #queue = new Queue()
  #heap: Heap | undefined

  constructor(heap: Heap, model: Model, build: KernelBuild) {
    this.#heap = heap
    this.#model = model
    this.#build = build
  }

  /** @throws DisposedError */
  get info(): TokenizerInfo {
    const { heap } = this
    const { encoderLookahead, decoderLookahead, codebookDim: _, ...model } = this.#model.info
    const frameRate = model.sampleRate / model.hopLength
    const bits = model.codebookSizes.reduce((sum, size) => sum + Math.ceil(Math.log2(size)), 0)
    const ms = (samples: number | undefined) => samples && (1000 * samples) / model.sampleRate
    return {
      ...model,
      frameRate,
      codebooks: model.codebookSizes.length,
      bitrate: bits * frameRate,
      dtype: 'f32',
      encoderLookaheadMs: ms(encoderLookahead),
      decoderLookaheadMs: ms(decoderLookahead),
      build: this.#build,
      memoryBytes: heap.capacity,
    }
  }

  /**
   * Audio to tokens: ceil(T / hopLength) frames for T samples at the model's rate. Other rates are resampled, channels averaged.
   *
   * @throws AudioError for empty audio or a sample that is not finite, AbortError, DisposedError
   */
  async encode(audio: AudioInput, options: EncodeOptions = {}): Promise<AudioTokens> {
    const { codebookSizes, sampleRate, hopLength, family } = this.#model.info
    const count = codebookSizes.length
    const codes: number[][] = codebookSizes.map(() => [])
    await this.#analyse(audio, options, region =>
      this.#model.encoder(
        region,
        receiver(region, count, (pointer, rows) => {
          for (const [i, code] of region.heap.i32(pointer, rows * count).entries())
            codes[i % count].push(code)
        }),
      ),
    )
    return new AudioTokens(codes, {
      codebookSizes,
      frameRate: sampleRate / hopLength,
      sampleRate,
      model: family,
    })
  }

  /** The encoder's output before quantization: [frames][codebookDim], row-major. Errors as `encode`. */
  async features(audio: AudioInput, options: EncodeOptions = {}): Promise<Float32Array<ArrayBuffer>> {
    const parts: Float32Array[] = []
    await this.#analyse(audio, options, region => this.#model.features(region, this.#vectors(region, parts)))
    return joined(parts)
  }

  /**
   * Tokens to audio: frames * hopLength samples.
   *
   * @throws TokenError for codes outside their codebook, ragged or from another kind of model; AbortError, DisposedError
   */
  async decode(tokens: TokenInput, options: RunOptions = {}): Promise<DecodedAudio> {
    const { sampleRate, hopLength } = this.#model.info
    const { codes, frames } = this.#checked(tokens)
    const samples = new Float32Array(frames * hopLength)
    let filled = 0
    if (frames === 0) return { samples, sampleRate }
    await this.#run(options, async region => {
      const codesAt = copyInterleaved(region, codes, frames)
      const sink = receiver(region, 1, (pointer, count) => {
        samples.set(region.heap.f32(pointer, count), filled)
        filled += count
      })
      await runSliced(this.#model.decode(region, codesAt, frames, sink), 'decode', options)
    })
    return { samples, sampleRate }
  }

  /** Codebook vectors of tokens: [frames][codebookDim], row-major. Errors as `decode`. */
  async embed(tokens: TokenInput): Promise<Float32Array<ArrayBuffer>> {
    const { codes, frames } = this.#checked(tokens)
    const parts: Float32Array[] = []
    await this.#run({}, async region => {
      const stage = this.#model.lookup(region, this.#vectors(region, parts))
      const codesAt = copyInterleaved(region, codes, frames)
      const target = stage.reserve(frames)
      const size = 4 * frames * codes.length
      region.heap.bytes(target, size).set(region.heap.bytes(codesAt, size))
      stage.commit(frames)
      stage.end()
    })
    return joined(parts)
  }

  /** Gives all memory back. Calls under way and later ones fail with DisposedError. */
  dispose(): void {
    this.#heap = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** The core's memory; throws DisposedError. */
  private get heap(): Heap {
    if (!this.#heap) throw new DisposedError()
    return this.#heap
  }

  /** A last stage that copies rows of codebookDim into `parts`. */
  #vectors(region: Region, parts: Float32Array[]): RowSink {
    const { codebookDim } = this.#model.info
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
    const rate = this.#model.info.sampleRate
    const mono = toMono(audio, { sampleRate: options.sampleRate, defaultSampleRate: rate })
    await this.#run(options, async region => {
      const samples = resample(mono.samples, mono.sampleRate, rate)
      await runSliced(this.#push(open(region), samples, Math.round(rate * TILE_SECONDS)), 'encode', options)
    })
  }

  *#push(stage: RowSink, samples: Float32Array, tile: number): Generator<number> {
    for (let start = 0; start < samples.length; start += tile) {
      const part = samples.subarray(start, start + tile)
      const target = stage.reserve(part.length)
      this.heap.f32(target, part.length).set(part)
      stage.commit(part.length)
      yield (start + part.length) / samples.length
    }
    stage.end()
  }

  /** Runs one call alone, with a region of its own that is freed whatever happens. */
  #run(options: RunOptions, call: (region: Region) => Promise<void>): Promise<void> {
    return this.#queue.run(async () => {
      throwIfAborted(options.signal)
      const region = new Region(this.heap)
      try {
        await call(region)
      } finally {
        region.free()
      }
      if (!this.#heap) throw new DisposedError()
    })
  }

  #checked(tokens: TokenInput): AudioTokens {
    const { codebookSizes, sampleRate, hopLength, family } = this.#model.info
    const format = { codebookSizes, sampleRate, frameRate: sampleRate / hopLength, model: family }
    if (tokens instanceof AudioTokens && (tokens.model !== family || tokens.frameRate !== format.frameRate))
      throw new TokenError(
        `these tokens were made by ${tokens.model} at ${tokens.frameRate}/s; this model is ${family} at ${format.frameRate}/s`,
      )
    const codes = codebooksOf(tokens)
    if (codes.length !== codebookSizes.length)
      throw new TokenError(`${codes.length} codebooks of codes found; this model has ${codebookSizes.length}`)
    return new AudioTokens(codes, format)
  }
}

function codebooksOf(tokens: TokenInput): readonly ArrayLike<number>[] {
  if (tokens instanceof AudioTokens) return tokens.codes
  return typeof tokens[0] === 'object'
    ? (tokens as readonly ArrayLike<number>[])
    : [tokens as ArrayLike<number>]
}

function copyInterleaved(region: Region, codes: readonly Uint16Array[], frames: number): number {
  const count = codes.length
  const pointer = region.alloc(frames * count)
  const target = region.heap.i32(pointer, frames * count)
  codes.forEach((row, codebook) => {
    for (let frame = 0; frame < frames; frame++) target[frame * count + codebook] = row[frame]
  })
  return pointer
}

function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const result = new Float32Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}
