// What happens to the chunks of one stream: each session holds a graph, its rows and nothing else, whatever the clip's length.
import { Region } from '../bindings/memory.js'
import type { SampleArray } from './audio/input.js'
import { Resampler } from './audio/resample.js'
import type { Engine } from './engine.js'
import { AudioError, ConfigError, TokenError } from './errors.js'
import type { ModelInfo } from './models/model.js'
import { receiver } from './nn/clip.js'
import { finish, type RowSink } from './nn/rows.js'
import { StreamState } from './nn/state.js'
import { sealed, unsealed } from './saved.js'
import { type RunOptions, Turns } from './schedule.js'
import type { Session } from './streams.js'
import { interleave } from './token_input.js'
import { AudioTokens, type TokenFormat } from './tokens.js'
import { CrossFade, type Window, type WindowOptions, WindowPlan } from './windows.js'

/** Decoded audio, mono. */
export interface DecodedAudio {
  readonly samples: Float32Array<ArrayBuffer>
  /** Hz. */
  readonly sampleRate: number
}

/** Seconds of audio pushed at a time: a tile, and the grain of progress and abort. */
const TILE_SECONDS = 0.25
/** Frames pushed at a time. */
const TILE_FRAMES = 64
/** Chunks of a stream are worked off in pieces of this length. */
const PIECE_SECONDS = 1

/** @internal Format of the tokens that a model makes and takes, of its first `codebooks` (default: all). */
export function formatOf(
  model: Pick<ModelInfo, 'codebookSizes' | 'sampleRate' | 'hopLength' | 'family' | 'tokensOf'>,
  codebooks?: number,
): TokenFormat {
  const { codebookSizes, sampleRate, hopLength, family, tokensOf = family } = model
  const sizes = codebookSizes.slice(0, codebooks)
  return { codebookSizes: sizes, sampleRate, frameRate: sampleRate / hopLength, model: tokensOf }
}

/** @internal How many codebooks to encode with. @throws TokenError for more than the model has, or none */
export function codebooksOf({ codebookSizes }: Pick<ModelInfo, 'codebookSizes'>, wanted?: number): number {
  const most = codebookSizes.length
  if (wanted === undefined) return most
  if (Number.isInteger(wanted) && wanted >= 1 && wanted <= most) return wanted
  throw new TokenError(`codebooks is ${wanted}; this model has ${most === 1 ? '1' : `1 to ${most}`}`)
}

/** @internal Pushes samples tile by tile into `stage`; yields the share done. */
export function* pushSamples(engine: Engine, stage: RowSink, samples: Float32Array): Generator<number> {
  const tile = Math.round(engine.model.info.sampleRate * TILE_SECONDS)
  for (let start = 0; start < samples.length; start += tile) {
    const part = samples.subarray(start, start + tile)
    const target = stage.reserve(part.length)
    engine.heap.f32(target, part.length).set(part)
    stage.commit(part.length)
    yield (start + part.length) / samples.length
  }
}

/** @internal Pushes rows of the stage's width; yields the share done. */
export function* pushFrames(engine: Engine, stage: RowSink, frames: Float32Array): Generator<number> {
  const tile = TILE_FRAMES * stage.channels
  for (let start = 0; start < frames.length; start += tile) {
    const part = frames.subarray(start, start + tile)
    const rows = part.length / stage.channels
    engine.heap.f32(stage.reserve(rows), part.length).set(part)
    stage.commit(rows)
    yield (start + part.length) / frames.length
  }
}

/** @internal Decodes a whole clip, each call seeing only it. */
export function decodeClip(
  engine: Engine,
  codes: readonly Uint16Array[],
  options: RunOptions,
  turns?: Turns,
): Promise<Float32Array<ArrayBuffer>> {
  const frames = codes[0].length
  const samples = new Float32Array(frames * engine.model.info.hopLength)
  if (frames === 0) return Promise.resolve(samples)
  return engine.call(options.signal, async region => {
    const codesAt = region.alloc(frames * codes.length)
    interleave(codes, region.heap.i32(codesAt, frames * codes.length))
    let filled = 0
    const sink = receiver(region, 1, (pointer, count) => {
      samples.set(region.heap.f32(pointer, count), filled)
      filled += count
    })
    await engine.slice(
      engine.model.decode(region, codesAt, frames, sink, undefined, codes.length),
      'decode',
      options,
      turns,
    )
    return samples
  })
}

/** @internal Checks a chunk of mono samples and cuts it into pieces. */
export function* cutSamples(chunk: SampleArray, sampleRate: number): Generator<SampleArray> {
  const kind = Object.prototype.toString.call(chunk).slice(8, -1)
  if (kind !== 'Float32Array' && kind !== 'Int16Array')
    throw new AudioError(`a stream of audio consists of mono Float32Array or Int16Array chunks; got ${kind}`)
  const size = Math.ceil(sampleRate * PIECE_SECONDS)
  for (let start = 0; start < chunk.length; start += size) yield chunk.subarray(start, start + size)
}

/** @internal Cuts checked tokens into pieces. */
export function* cutTokens(tokens: AudioTokens): Generator<AudioTokens> {
  const size = Math.ceil(tokens.frameRate * PIECE_SECONDS)
  if (tokens.frames <= size) {
    if (tokens.frames > 0) yield tokens
  } else for (let start = 0; start < tokens.frames; start += size) yield tokens.slice(start, start + size)
}

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
  readonly #resampler: Resampler
  readonly #sampleRate: number
  readonly #codebooks: number
  #received = 0
  #codes: number[][] = []

  /** `sampleRate`: Hz, of the samples to come. */
  constructor(
    engine: Engine,
    { sampleRate, codebooks }: { sampleRate?: number; codebooks?: number },
    signal: AbortSignal,
  ) {
    super(engine, signal)
    const { info } = engine.model
    this.#codebooks = codebooksOf(info, codebooks)
    this.#sampleRate = sampleRate ?? info.sampleRate
    this.#resampler = new Resampler(this.#sampleRate, info.sampleRate)
  }

  async push(piece: SampleArray): Promise<AudioTokens | undefined> {
    const samples = this.#checked(piece)
    await this.step('encode', stage => pushSamples(this.engine, stage, this.#resampler.push(samples)), false)
    return this.#take()
  }

  async end(): Promise<AudioTokens | undefined> {
    if (this.#received === 0) return undefined
    await this.step('encode', stage => pushSamples(this.engine, stage, this.#resampler.end()), true)
    return this.#take()
  }

  protected describe(): unknown {
    return ['encode', this.#sampleRate, this.#codebooks]
  }

  protected keep(state: StreamState): void {
    this.#received = state.number(this.#received)
    this.#resampler.keep(state)
  }

  protected openStage(region: Region): RowSink {
    const count = this.#codebooks
    this.#codes = Array.from({ length: count }, () => [])
    const sink = receiver(region, count, (pointer, rows) => {
      for (const [i, code] of region.heap.i32(pointer, rows * count).entries())
        this.#codes[i % count].push(code)
    })
    return this.engine.model.encoder(region, sink)
  }

  #take(): AudioTokens | undefined {
    if (!this.#codes[0]?.length) return undefined
    const tokens = new AudioTokens(this.#codes, formatOf(this.engine.model.info, this.#codebooks))
    this.#codes = this.#codes.map(() => [])
    return tokens
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
    const sink = receiver(region, 1, (pointer, count) =>
      this.#parts.push(region.heap.f32(pointer, count).slice()),
    )
    return this.engine.model.decoder!(region, sink, undefined, this.#codebooks)
  }

  *#pushCodes(stage: RowSink, tokens: AudioTokens): Generator<number> {
    for (let start = 0; start < tokens.frames; start += TILE_FRAMES) {
      const count = Math.min(TILE_FRAMES, tokens.frames - start)
      const codes = tokens.codes.map(row => row.subarray(start, start + count))
      interleave(codes, this.engine.heap.i32(stage.reserve(count), count * codes.length))
      stage.commit(count)
      yield (start + count) / tokens.frames
    }
  }

  #take(): DecodedAudio | undefined {
    const samples = joined(this.#parts)
    this.#parts = []
    return samples.length ? { samples, sampleRate: this.engine.model.info.sampleRate } : undefined
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
    const { codes } = this.#held!.slice(window.first - this.#start, window.last - this.#start)
    const options = { signal: this.#signal }
    return this.#fade.join(await decodeClip(this.#engine, codes, options, this.#turns), window)
  }
}

/** @internal The parts one after another. */
export function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const result = new Float32Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}
