// Whole clips and chunks on their way into graphs and out of them.
import type { SampleArray } from './audio/input.js'
import type { Engine } from './engine.js'
import { AudioError } from './errors.js'
import type { ModelInfo } from './models/model.js'
import { receiver } from './nn/clip.js'
import { finish, type RowSink } from './nn/rows.js'
import type { RunOptions, Turns } from './schedule.js'
import { interleave, rowWidth } from './token_input.js'
import type { AudioTokens } from './tokens.js'

/** Decoded audio. */
export interface DecodedAudio {
  /** [T], or where there are channels [T][channels]. */
  readonly samples: Float32Array<ArrayBuffer>
  /** Interleaved channels; absent: 1. */
  readonly channels?: number
  /** Hz. */
  readonly sampleRate: number
}

/** Seconds of audio pushed at a time: a tile, and the grain of progress and abort. */
const TILE_SECONDS = 0.25
/** @internal Frames pushed at a time. */
export const TILE_FRAMES = 64
/** Of the time of an encoder that sees the whole clip (DM-Codec): what it does while the clip comes. */
const SHARE_BEFORE_THE_END = 0.5
/** Chunks of a stream are worked off in pieces of this length. */
const PIECE_SECONDS = 1

/** @internal Pushes samples tile by tile into `stage`; yields the share done. */
export function* pushSamples(engine: Engine, stage: RowSink, samples: Float32Array): Generator<number> {
  const { channels } = stage
  const tile = Math.round(engine.model.info.sampleRate * TILE_SECONDS) * channels
  for (let start = 0; start < samples.length; start += tile) {
    const part = samples.subarray(start, start + tile)
    const rows = part.length / channels
    engine.heap.f32(stage.reserve(rows), part.length).set(part)
    stage.commit(rows)
    yield (start + part.length) / samples.length
  }
}

/** @internal Pushes all samples of a clip and ends it; yields the share done. */
export function* pushClip(engine: Engine, stage: RowSink, samples: Float32Array): Generator<number> {
  const share = engine.model.info.encoderLookahead === undefined ? SHARE_BEFORE_THE_END : 1
  for (const done of pushSamples(engine, stage, samples)) yield share * done
  for (const done of finish(stage)) yield share + (1 - share) * done
}

/** @internal Samples of a model, with what they are. */
export function audioOf(
  { sampleRate, channels }: Pick<ModelInfo, 'sampleRate' | 'channels'>,
  samples: Float32Array<ArrayBuffer>,
): DecodedAudio {
  return channels === undefined ? { samples, sampleRate } : { samples, sampleRate, channels }
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
  tokens: AudioTokens,
  options: RunOptions,
  turns?: Turns,
): Promise<Float32Array<ArrayBuffer>> {
  const { codes, frames } = tokens
  const { channels = 1 } = engine.model.info
  const parts: Float32Array[] = []
  if (frames === 0) return Promise.resolve(joined(parts))
  return engine.call(options.signal, async region => {
    const size = frames * rowWidth(tokens, codes.length)
    const codesAt = region.alloc(size)
    interleave(tokens, region.heap.i32(codesAt, size))
    const sink = receiver(region, channels, (pointer, count) =>
      parts.push(region.heap.f32(pointer, count * channels).slice()),
    )
    await engine.slice(
      engine.model.decode(region, codesAt, frames, sink, undefined, codes.length),
      'decode',
      options,
      turns,
    )
    return joined(parts)
  })
}

/** @internal Checks a chunk of samples, mono or interleaved, and cuts it into pieces. */
export function* cutSamples(chunk: SampleArray, sampleRate: number, channels = 1): Generator<SampleArray> {
  const kind = Object.prototype.toString.call(chunk).slice(8, -1)
  if (kind !== 'Float32Array' && kind !== 'Int16Array')
    throw new AudioError(`a stream of audio consists of mono Float32Array or Int16Array chunks; got ${kind}`)
  if (chunk.length % channels)
    throw new AudioError(
      `a chunk has ${chunk.length} samples; expected whole frames of ${channels} interleaved channels`,
    )
  const size = Math.ceil(sampleRate * PIECE_SECONDS) * channels
  for (let start = 0; start < chunk.length; start += size) yield chunk.subarray(start, start + size)
}

/** @internal Cuts checked tokens into pieces. */
export function* cutTokens(tokens: AudioTokens): Generator<AudioTokens> {
  const group = tokens.segmentFrames ?? tokens.strideOf(0)
  const size = Math.ceil((tokens.frameRate * PIECE_SECONDS) / group) * group
  if (tokens.frames <= size) {
    if (tokens.frames > 0) yield tokens
  } else for (let start = 0; start < tokens.frames; start += size) yield tokens.slice(start, start + size)
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
