// What happens to the chunks of one stream: each session holds a graph, its rows and nothing else, whatever the clip's length.
import { Region } from '../bindings/memory.js'
import { interleaved, split } from './audio/channels.js'
import type { SampleArray } from './audio/input.js'
import { Resampler } from './audio/resample.js'
import type { Engine } from './engine.js'
import { AudioError, ConfigError, TokenError } from './errors.js'
import { receiver } from './nn/clip.js'
import { finish, type RowSink } from './nn/rows.js'
import { StreamState } from './nn/state.js'
import { audioOf, type DecodedAudio, decodeClip, joined, pushSamples, TILE_FRAMES } from './pieces.js'
import { sealed, unsealed } from './saved.js'
import { Turns } from './schedule.js'
import type { Session } from './streams.js'
import { CodeCollector, codebooksOf, formatOf, interleave } from './token_input.js'
import { AudioTokens } from './tokens.js'
import { CrossFade, type Window, type WindowOptions, WindowPlan } from './windows.js'

/** A graph that stays open between pieces. */
abstract class GraphSession {
  protected readonly engine: Engine
  protected readonly signal: AbortSignal
  readonly #region: Region
  readonly #turns = new Turns()
  #stage: RowSink | undefined
  #ended = false

  constructor(engine: Engine, signal: AbortSignal) {
    this.engine = engine
    this.signal = signal
    this.#region = new Region(engine.heap)
  }

  protected abstract openStage(region: Region): RowSink

  /** What the session was made for: sessions that differ in this cannot take over from each other. */
  protected abstract describe(): unknown

  /** Saves or restores what the session keeps beside its graph; called before the graph is opened. */
  protected abstract keep(state: StreamState): void

  /** Runs one step alone, then everything that can be computed is. */
  protected step(
    phase: 'encode' | 'decode',
    work: (stage: RowSink) => Generator<number>,
    isLast: boolean,
  ): Promise<void> {
    return this.engine.exclusive(this.signal, async () => {
      if (this.#ended) throw new ConfigError('the clip has ended; open a new session for the next one')
      if (this.#turns.due) await this.#turns.take()
      this.#stage ??= this.openStage(this.#region)
      await this.engine.slice(work(this.#stage), phase, { signal: this.signal }, this.#turns)
      if (isLast) await this.engine.slice(finish(this.#stage), phase, { signal: this.signal }, this.#turns)
      else this.#stage.drain()
      this.#ended ||= isLast
    })
  }

  save(): Promise<Uint8Array<ArrayBuffer>> {
    return this.engine.exclusive(this.signal, async () => {
      if (this.#ended) throw new ConfigError('the clip has ended; a session can be saved before that')
      const state = new StreamState(this.engine.heap)
      this.#keepAll(state)
      return sealed(state.bytes(), this.#description)
    })
  }

  restore(saved: Uint8Array): Promise<void> {
    return this.engine.exclusive(this.signal, async () => {
      if (this.#stage) throw new ConfigError('a session takes over a saved state before anything is pushed')
      const state = new StreamState(this.engine.heap, unsealed(saved, this.#description))
      this.#ended = true // of no use, should what follows fail
      this.#keepAll(state)
      state.finish()
      this.#ended = false
    })
  }

  #keepAll(state: StreamState): void {
    this.keep(state)
    this.#stage ??= this.openStage(this.#region)
    this.#stage.keep(state)
  }

  get #description(): string {
    const { family, parameters, dtype, encoderDtype, config } = this.engine.model.info
    return JSON.stringify([this.describe(), family, parameters, dtype, encoderDtype, config])
  }

  close(): Promise<void> {
    return this.engine.free(this.#region)
  }
}

/** @internal Samples in, tokens out, each as soon as its look-ahead has arrived. */
export class EncodeSession extends GraphSession implements Session<SampleArray, AudioTokens> {
  /** One for each channel. */
  readonly #resamplers: readonly Resampler[]
  readonly #sampleRate: number
  readonly #codebooks: number
  #received = 0
  #codes: CodeCollector

  /** `sampleRate`: Hz, of the samples to come. */
  constructor(
    engine: Engine,
    { sampleRate, codebooks }: { sampleRate?: number; codebooks?: number },
    signal: AbortSignal,
  ) {
    super(engine, signal)
    const { info } = engine.model
    this.#codebooks = codebooksOf(info, codebooks)
    this.#codes = new CodeCollector(this.#codebooks, info)
    this.#sampleRate = sampleRate ?? info.sampleRate
    this.#resamplers = Array.from(
      { length: info.channels ?? 1 },
      () => new Resampler(this.#sampleRate, info.sampleRate),
    )
  }

  async push(piece: SampleArray): Promise<AudioTokens | undefined> {
    const samples = this.#checked(piece)
    const parts = split(samples, this.#resamplers.length)
    await this.#pushAll(
      this.#resamplers.map((resampler, i) => () => resampler.push(parts[i])),
      false,
    )
    return this.#take()
  }

  async end(): Promise<AudioTokens | undefined> {
    if (this.#received === 0) return undefined
    await this.#pushAll(
      this.#resamplers.map(resampler => () => resampler.end()),
      true,
    )
    return this.#take()
  }

  #pushAll(channels: readonly (() => Float32Array)[], isLast: boolean): Promise<void> {
    const samples = () => interleaved(channels.map(channel => channel()))
    return this.step('encode', stage => pushSamples(this.engine, stage, samples()), isLast)
  }

  protected describe(): unknown {
    return ['encode', this.#sampleRate, this.#codebooks]
  }

  protected keep(state: StreamState): void {
    this.#received = state.number(this.#received)
    for (const resampler of this.#resamplers) resampler.keep(state)
  }

  protected openStage(region: Region): RowSink {
    const { width } = this.#codes
    const sink = receiver(region, width, (pointer, rows) =>
      this.#codes.push(region.heap.i32(pointer, rows * width)),
    )
    return this.engine.model.encoder(region, sink)
  }

  #take(): AudioTokens | undefined {
    const { codes, scales } = this.#codes.take()
    if (codes[0].length === 0) return undefined
    return new AudioTokens(codes, { ...formatOf(this.engine.model.info, this.#codebooks), scales })
  }

  #checked(piece: SampleArray): Float32Array {
    const floats =
      piece.BYTES_PER_ELEMENT === 2
        ? Float32Array.from(piece, value => value / 32768)
        : (piece as Float32Array)
    const bad = floats.findIndex(value => !Number.isFinite(value))
    if (bad >= 0)
      throw new AudioError(
        `sample ${this.#received + bad} of the stream is ${floats[bad]}; every sample must be a finite number`,
      )
    this.#received += floats.length
    return floats
  }
}

/** @internal Tokens in, samples out, for decoders that stream exactly. */
export class DecodeSession extends GraphSession implements Session<AudioTokens, DecodedAudio> {
  #parts: Float32Array[] = []
  #received = 0
  #codebooks = 0

  async push(tokens: AudioTokens): Promise<DecodedAudio | undefined> {
    if (this.#codebooks === 0) this.#codebooks = tokens.codebooks
    if (this.#codebooks !== tokens.codebooks)
      throw new TokenError(
        `the stream's tokens have ${this.#codebooks} codebooks, these ${tokens.codebooks}; a stream keeps to one number`,
      )
    this.#received += tokens.frames
    await this.step('decode', stage => this.#pushCodes(stage, tokens), false)
    return this.#take()
  }

  async end(): Promise<DecodedAudio | undefined> {
    if (this.#received === 0) return undefined
    await this.step('decode', nothing, true)
    return this.#take()
  }

  protected describe(): unknown {
    return ['decode']
  }

  protected keep(state: StreamState): void {
    this.#received = state.number(this.#received)
    this.#codebooks = state.count(this.#codebooks, this.engine.model.info.codebookSizes.length)
  }

  protected openStage(region: Region): RowSink {
    const { channels = 1 } = this.engine.model.info
    const sink = receiver(region, channels, (pointer, count) =>
      this.#parts.push(region.heap.f32(pointer, count * channels).slice()),
    )
    return this.engine.model.decoder!(region, sink, undefined, this.#codebooks)
  }

  *#pushCodes(stage: RowSink, tokens: AudioTokens): Generator<number> {
    for (let start = 0; start < tokens.frames; start += TILE_FRAMES) {
      const count = Math.min(TILE_FRAMES, tokens.frames - start)
      interleave(tokens, this.engine.heap.i32(stage.reserve(count), count * stage.channels), start)
      stage.commit(count)
      yield (start + count) / tokens.frames
    }
  }

  #take(): DecodedAudio | undefined {
    const samples = joined(this.#parts)
    this.#parts = []
    return samples.length ? audioOf(this.engine.model.info, samples) : undefined
  }
}

function* nothing(): Generator<number> {}

/** @internal Tokens in, samples out, window by window: an approximation for decoders that see a whole clip. */
export class WindowSession implements Session<AudioTokens, DecodedAudio> {
  readonly #engine: Engine
  readonly #signal: AbortSignal | undefined
  readonly #plan: WindowPlan
  readonly #fade: CrossFade
  readonly #turns = new Turns()
  #held: AudioTokens | undefined
  #start = 0

  constructor(engine: Engine, options: WindowOptions, signal?: AbortSignal) {
    const { sampleRate, hopLength } = engine.model.info
    this.#engine = engine
    this.#signal = signal
    this.#plan = new WindowPlan(options, sampleRate / hopLength, hopLength)
    this.#fade = new CrossFade(this.#plan.fade)
  }

  push(tokens: AudioTokens): Promise<DecodedAudio | undefined> {
    this.#held = this.#held ? this.#held.concat(tokens) : tokens
    return this.#decodeReady(false)
  }

  end(): Promise<DecodedAudio | undefined> {
    return this.#decodeReady(true)
  }

  async save(): Promise<never> {
    throw new ConfigError(
      'this decoder sees whole clips and streams in windows; only sessions of streaming decoders can be saved',
    )
  }

  restore(): Promise<never> {
    return this.save()
  }

  async close(): Promise<void> {
    this.#held = undefined
  }

  async #decodeReady(ended: boolean): Promise<DecodedAudio | undefined> {
    const parts: Float32Array[] = []
    for (;;) {
      const window = this.#plan.take(this.#start + (this.#held?.frames ?? 0), ended)
      if (!window) break
      parts.push(await this.#decode(window))
      this.#held = this.#held!.slice(this.#plan.first - this.#start)
      this.#start = this.#plan.first
    }
    if (parts.length === 0) return undefined
    return { samples: joined(parts), sampleRate: this.#engine.model.info.sampleRate }
  }

  async #decode(window: Window): Promise<Float32Array> {
    const tokens = this.#held!.slice(window.first - this.#start, window.last - this.#start)
    const options = { signal: this.#signal }
    return this.#fade.join(await decodeClip(this.#engine, tokens, options, this.#turns), window)
  }
}
