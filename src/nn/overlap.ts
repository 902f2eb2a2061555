// Overlap-add of frames into samples.
import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { ConfigError } from '../errors.js'
import { checkFrames, type FrameShape, fourRows, hannWindow, trimmed } from './frames.js'
import type { Layer, Rest, RowSink } from './rows.js'
import type { StreamState } from './state.js'

/** Hyper-parameters of the sum of overlapping frames. */
export interface OverlapShape extends FrameShape {
  /**
   * What the sum is divided by: "clip", the squared windows of the frames that exist (torch.istft, Vocos); "steady", those of an
   * endless clip, which fades half a window in and out.
   */
  envelope?: 'clip' | 'steady'
}

/**
 * Overlap-add of windowed frames (nFft channels) into samples (1 channel), divided by the overlap-add of the squared window and
 * trimmed: "same" yields frames * hopLength samples, "center" (frames - 1) * hopLength.
 */
export class OverlapAdd implements Layer {
  readonly shape: OverlapShape
  private readonly window: Pointer
  private readonly steady: Pointer // [hop]

  constructor(region: Region, shape: OverlapShape) {
    checkFrames(shape)
    const { nFft, hopLength: hop } = shape
    this.shape = shape
    this.window = hannWindow(region, nFft, shape.windowLength)
    this.steady = region.alloc(hop)
    this.inverseEnvelope(region, this.steady, 0, overlap(shape) - 1)
    if (region.heap.f32(this.steady, hop).includes(0))
      throw new ConfigError(
        `hopLength is ${hop} with a window of ${shape.windowLength ?? nFft}: some samples are in no frame; expected a shorter hop`,
      )
  }

  open(region: Region, sink: RowSink): RowSink {
    return new OverlapStage(region, this, sink)
  }

  /** 1 / sum of squared windows for hop `segment` of a clip, of which `frames` frames exist so far; `scratch` has room for a hop. */
  inverseFor(region: Region, scratch: Pointer, segment: number, frames: number): Pointer {
    const first = Math.max(0, segment - frames + 1)
    const last = Math.min(segment, overlap(this.shape) - 1)
    if (this.shape.envelope === 'steady' || (first === 0 && last === overlap(this.shape) - 1))
      return this.steady
    this.inverseEnvelope(region, scratch, first, last)
    return scratch
  }

  private inverseEnvelope(region: Region, out: Pointer, first: number, last: number): void {
    region.kernels.inverseEnvelopeF32(out, this.window, this.shape.nFft, this.shape.hopLength, first, last)
  }
}

/** One stream through OverlapAdd: sums are kept for the nFft - hop samples that later frames still reach. */
class OverlapStage implements RowSink {
  readonly channels: number
  private readonly region: Region
  private readonly layer: OverlapAdd
  private readonly sink: RowSink
  private readonly block: number
  private readonly sums: Pointer // [(block - 1) * hop + nFft]
  private readonly scratch: Pointer // [hop]
  private input: Pointer = 0
  private room = 0
  private frames = 0

  constructor(region: Region, layer: OverlapAdd, sink: RowSink) {
    const { nFft, hopLength: hop } = layer.shape
    this.channels = nFft
    this.region = region
    this.layer = layer
    this.sink = sink
    this.block = fourRows(nFft)
    this.sums = region.alloc((this.block - 1) * hop + nFft)
    this.scratch = region.alloc(hop)
    region.heap.f32(this.sums, nFft - hop).fill(0)
  }

  reserve(rows: number): Pointer {
    if (rows > this.room) {
      if (this.room) this.region.release(this.input)
      this.input = this.region.alloc(rows * this.channels)
      this.room = rows
    }
    return this.input
  }

  commit(rows: number): void {
    const { nFft, hopLength: hop } = this.layer.shape
    for (let row = 0; row < rows; row += this.block) {
      const count = Math.min(this.block, rows - row)
      const at = this.input + row * nFft * 4
      this.region.heap.f32(this.sums + (nFft - hop) * 4, count * hop).fill(0)
      this.region.kernels.overlapAddRowsF32(this.sums, at, count, nFft, 1, hop)
      this.frames += count
      this.emit((this.frames - count) * hop, this.frames * hop)
      const done = count * hop
      this.region.heap.f32(this.sums, done + nFft - hop).copyWithin(0, done)
    }
  }

  drain(): void {
    this.sink.drain()
  }

  end(): Rest {
    const { nFft, hopLength: hop } = this.layer.shape
    const length = (this.frames - 1) * hop + nFft
    if (this.frames > 0) this.emit(this.frames * hop, length - trimmed(this.layer.shape))
    return this.sink.end()
  }

  keep(state: StreamState): void {
    const { nFft, hopLength: hop } = this.layer.shape
    this.frames = state.number(this.frames)
    state.memory(this.sums, nFft - hop)
    this.sink.keep(state)
  }

  /** Passes on the samples from `start`, which is the first in `sums`, up to `stop`, less those trimmed in front. */
  private emit(start: number, stop: number): void {
    const { hopLength: hop } = this.layer.shape
    const from = Math.max(start, trimmed(this.layer.shape))
    if (from >= stop) return
    const out = this.sink.reserve(stop - from)
    for (let at = from; at < stop; ) {
      const segment = Math.floor(at / hop)
      const count = Math.min((segment + 1) * hop, stop) - at
      const inverse = this.layer.inverseFor(this.region, this.scratch, segment, this.frames)
      const sums = this.sums + (at - start) * 4
      this.region.kernels.multiplyF32(out + (at - from) * 4, sums, inverse + (at - segment * hop) * 4, count)
      at += count
    }
    this.sink.commit(stop - from)
  }
}

/** Frames that reach into one hop. */
function overlap({ nFft, hopLength: hop }: FrameShape): number {
  return Math.ceil(nFft / hop)
}
