// Clips that are worked off in overlapping segments, each through a graph that sees it whole (EnCodec 48 kHz).
import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { receiver } from './clip.js'
import { type Layer, RowQueue, type RowSink } from './rows.js'
import type { StreamState } from './state.js'

export interface SegmentShape {
  /** Audio channels. */
  channels: number
  /** Samples of a segment; the last may be shorter. */
  length: number
  /** Samples from one segment's first to the next one's. */
  stride: number
  /** Samples per frame. */
  hop: number
}

// What EnCodec adds to a segment's level, so that silence is no division by 0.
const LEAST_LEVEL = 1e-8

/**
 * Samples [T, channels] in; for each segment the frames that `open` makes of it at level 1 (root mean square of its mean over channels).
 * `scaled`: each row of frames ends with that level, f32. (EnCodec, section 3.3 and model.py: _encode_frame)
 */
export function segmentEncoder(shape: SegmentShape, inner: Layer, scaled: boolean): Layer {
  const { channels, length, stride } = shape
  return {
    open: (region, sink) =>
      collected(region, channels, sink, length, (samples, rows, rest) => {
        const local = region.child()
        const width = sink.channels - Number(scaled)
        const level = levelOf(region.heap.f32(samples, rows * channels), channels)
        const frames = receiver(local, width, (pointer, count) => {
          const at = sink.reserve(count)
          const from = local.heap.i32(pointer, count * width)
          const to = local.heap.i32(at, count * sink.channels)
          for (let row = 0; row < count; row++) {
            to.set(from.subarray(row * width, (row + 1) * width), row * sink.channels)
            if (scaled) local.heap.f32(at, count * sink.channels)[(row + 1) * sink.channels - 1] = level
          }
          sink.commit(count)
        })
        const stage = inner.open(local, frames)
        const input = stage.reserve(rows)
        const normalised = local.heap.f32(input, rows * channels)
        normalised.set(local.heap.f32(samples, rows * channels))
        for (let i = 0; i < normalised.length; i++) normalised[i] /= level
        stage.commit(rows)
        stage.end()
        local.free()
        return Math.min(stride, rest)
      }),
  }
}

/**
 * The inverse: rows of `width` (the last f32 is the level) in, samples [T, channels] out. Segments are weighted by triangles and added
 * where they overlap, and the sum divided by that of the weights (EnCodec, utils.py: _linear_overlap_add).
 */
export function segmentDecoder(shape: SegmentShape, inner: Layer, width: number): Layer {
  const { channels, length, hop } = shape
  return {
    open: (region, sink) => {
      const sum = new OverlapAdd(region, shape)
      return collected(
        region,
        width,
        sink,
        Math.ceil(length / hop),
        (frames, rows) => {
          const local = region.child()
          const level = region.heap.f32(frames, rows * width)[width - 1]
          sum.begin(rows * hop)
          const audio = receiver(local, channels, (pointer, count) =>
            sum.add(local.heap.f32(pointer, count * channels), level),
          )
          const stage = inner.open(local, audio)
          const at = stage.reserve(rows)
          local.heap.i32(at, rows * width).set(local.heap.i32(frames, rows * width))
          stage.commit(rows)
          stage.end()
          local.free()
          sum.emit(sink, shape.stride)
          return rows
        },
        state => sum.keep(state),
        () => sum.emit(sink),
      )
    },
  }
}

/** Root mean square of the mean over channels, as f32. */
function levelOf(samples: Float32Array, channels: number): number {
  let squares = 0
  for (let at = 0; at < samples.length; at += channels) {
    let sum = 0
    for (let channel = 0; channel < channels; channel++) sum += samples[at + channel]
    squares += (sum / channels) ** 2
  }
  return Math.fround(Math.sqrt((squares * channels) / samples.length) + LEAST_LEVEL)
}

/**
 * A stage that holds rows until there are `length` of them, or the end: `work(first, rows, all that are held)` says how many to drop.
 */
function collected(
  region: Region,
  channels: number,
  sink: RowSink,
  length: number,
  work: (first: Pointer, rows: number, held: number) => number,
  keep?: (state: StreamState) => void,
  finish?: () => void,
): RowSink {
  const queue = new RowQueue(region, channels)
  const emit = () => {
    const rows = Math.min(length, queue.length)
    queue.drop(work(queue.at(0), rows, queue.length))
  }
  return {
    channels,
    reserve: rows => queue.reserve(rows),
    commit(rows) {
      queue.length += rows
      while (queue.length >= length) emit()
    },
    drain: () => sink.drain(),
    end() {
      while (queue.length) emit()
      finish?.()
      return sink.end()
    },
    keep(state) {
      queue.keep(state)
      keep?.(state)
      sink.keep(state)
    },
  }
}

/** Weighted samples of segments that are not complete yet. */
class OverlapAdd {
  private readonly region: Region
  private readonly shape: SegmentShape
  private readonly sums: Pointer // [length][channels]
  private readonly weights: Pointer // [length]
  /** Samples of the first segment, whose triangle all have. */
  private triangle = 0
  /** Samples that are held. */
  private held = 0
  private position = 0

  constructor(region: Region, shape: SegmentShape) {
    const room = Math.ceil(shape.length / shape.hop) * shape.hop
    this.region = region
    this.shape = shape
    this.sums = region.copy(new Float32Array(room * shape.channels))
    this.weights = region.copy(new Float32Array(room))
  }

  begin(samples: number): void {
    if (this.triangle === 0) this.triangle = samples
    this.position = 0
  }

  /** The next samples of the segment, interleaved. */
  add(samples: Float32Array, level: number): void {
    const { channels } = this.shape
    const rows = samples.length / channels
    const sums = this.region.heap.f32(this.sums + this.position * channels * 4, samples.length)
    const weights = this.region.heap.f32(this.weights + this.position * 4, rows)
    for (let row = 0, i = 0; row < rows; row++) {
      const weight = 0.5 - Math.abs((this.position + row + 1) / (this.triangle + 1) - 0.5)
      weights[row] += weight
      for (let channel = 0; channel < channels; channel++, i++) sums[i] += weight * samples[i] * level
    }
    this.position += rows
    this.held = Math.max(this.held, this.position)
  }

  /** Passes on the first `rows` of what is held, or all. */
  emit(sink: RowSink, rows = this.held): void {
    const { channels } = this.shape
    const { heap } = this.region
    const count = Math.min(rows, this.held)
    if (count === 0) return
    const out = heap.f32(sink.reserve(count), count * channels)
    const sums = heap.f32(this.sums, this.held * channels)
    const weights = heap.f32(this.weights, this.held)
    for (let i = 0; i < out.length; i++) out[i] = sums[i] / weights[Math.floor(i / channels)]
    for (const [array, width] of [
      [sums, channels],
      [weights, 1],
    ] as const) {
      array.copyWithin(0, count * width)
      array.fill(0, (this.held - count) * width)
    }
    this.held -= count
    sink.commit(count) // may move the memory
  }

  keep(state: StreamState): void {
    const { channels } = this.shape
    this.triangle = state.number(this.triangle)
    this.held = state.count(this.held)
    state.memory(this.sums, this.held * channels)
    state.memory(this.weights, this.held)
  }
}
