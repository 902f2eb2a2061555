// Short-time Fourier transform, filter banks, and the way back. Plans and windows live as long as a model, stages as long as a stream.
import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { AudioError, ConfigError } from '../errors.js'
import { checkFrames, type FrameShape, fourRows, hannWindow, RealFft, trimmed } from './frames.js'
import { OverlapAdd, type OverlapShape } from './overlap.js'
import { type Layer, type Padding, pointwise, RowQueue, type RowSink, windowed } from './rows.js'

/** Upper limit of exp(log magnitude) in the ISTFT head of Vocos (heads.ISTFTHead). */
const MAGNITUDE_LIMIT = 100

/** Hyper-parameters of a forward transform. */
export interface StftShape extends FrameShape {
  output: 'magnitude' | 'complex'
}

/**
 * Short-time Fourier transform: samples (1 channel) -> spectra, [bins] magnitudes or [2 * bins] re, im.
 * "center" mirrors nFft / 2 samples at both ends and yields floor(samples / hopLength) + 1 frames, as torch.stft (AudioError if there
 * are no more than nFft / 2 samples); "same" sees zeros outside the clip and yields ceil(samples / hopLength).
 */
export class Stft implements Layer {
  /** Elements of an output row. */
  readonly outputs: number
  private readonly shape: StftShape
  private readonly fft: RealFft
  private readonly window: Pointer

  constructor(region: Region, shape: StftShape) {
    checkFrames(shape)
    this.shape = shape
    this.fft = new RealFft(region, shape.nFft)
    this.outputs = shape.output === 'magnitude' ? this.fft.bins : 2 * this.fft.bins
    this.window = hannWindow(region, shape.nFft, shape.windowLength, 0.5)
  }

  /** Spectra of `rows` frames over padded samples, the first starting at `samples`. */
  frames(out: Pointer, samples: Pointer, rows: number): void {
    const { hopLength: hop, output } = this.shape
    this.fft.forward(out, samples, this.window, rows, hop, output === 'magnitude')
  }

  open(region: Region, sink: RowSink): RowSink {
    const { nFft, hopLength: hop, padding } = this.shape
    const side = trimmed(this.shape)
    const around: Padding =
      padding === 'center'
        ? { left: side, right: 0, mode: 'reflect' }
        : { left: side, right: side, mode: 'zero' }
    const window = { channels: 1, span: nFft, stride: hop, padding: around }
    const open = (next: RowSink) =>
      windowed(region, window, fourRows(nFft), next, (out, samples, rows) => this.frames(out, samples, rows))
    return padding === 'center' ? reflected(region, side, hop, sink, open) : open(sink)
  }
}

/**
 * The right end of torch.stft: `side` samples are mirrored about the last one, and a partial hop, which a windowed stage completes,
 * makes no frame.
 */
function reflected(
  region: Region,
  side: number,
  hop: number,
  sink: RowSink,
  open: (sink: RowSink) => RowSink,
): RowSink {
  const tail = new RowQueue(region, 1) // the last side + 1 samples
  let input: Pointer = 0
  let samples = 0
  let owed = Number.POSITIVE_INFINITY
  let frames = 0
  const stage = open({
    channels: sink.channels,
    reserve: rows => sink.reserve(rows),
    commit(rows) {
      const kept = Math.min(rows, owed - frames)
      frames += kept
      if (kept > 0) sink.commit(kept)
    },
    drain: () => sink.drain(),
    end: () => sink.end(),
    keep(state) {
      frames = state.number(frames)
      sink.keep(state)
    },
  })
  const mirror = () => {
    if (samples <= side)
      throw new AudioError(
        `the clip has ${samples} samples; centred frames mirror ${side} at each end and need ${side + 1} at least: add silence`,
      )
    const out = stage.reserve(side)
    region.heap.f32(out, side).set(region.heap.f32(tail.at(0), side).toReversed())
    owed = Math.floor(samples / hop) + 1
    stage.commit(side)
  }
  return {
    channels: 1,
    reserve: rows => (input = stage.reserve(rows)),
    commit(rows) {
      const at = tail.reserve(rows)
      region.heap.f32(at, rows).set(region.heap.f32(input, rows))
      tail.length += rows
      tail.drop(Math.max(0, tail.length - side - 1))
      samples += rows
      stage.commit(rows)
    },
    drain: () => stage.drain(),
    end() {
      if (samples > 0) mirror()
      return stage.end()
    },
    keep(state) {
      samples = state.number(samples)
      tail.keep(state)
      stage.keep(state)
    },
  }
}

/** Hyper-parameters of an inverse transform. */
export interface IstftShape extends OverlapShape {
  /** Rows are log magnitude[bins], phase[bins] as a Vocos head writes them (default; magnitudes end at 100), or re[bins], im[bins]. */
  input?: 'complex' | 'polar'
}

/** Inverse short-time Fourier transform: spectra (2 * bins channels) -> samples (1 channel). Lengths and trims: see OverlapAdd. */
export class Istft implements Layer {
  /** Elements of an input row. */
  readonly inputs: number
  private readonly shape: IstftShape
  private readonly fft: RealFft
  private readonly window: Pointer
  private readonly overlapAdd: OverlapAdd

  constructor(region: Region, shape: IstftShape) {
    const { nFft, windowLength } = shape
    this.shape = shape
    this.fft = new RealFft(region, nFft)
    this.inputs = 2 * this.fft.bins
    this.window = hannWindow(region, nFft, windowLength, 1 / nFft)
    this.overlapAdd = new OverlapAdd(region, shape)
  }

  /** Windowed frames [rows][nFft] of `spectra`, which "polar" overwrites. */
  frames(region: Region, out: Pointer, spectra: Pointer, rows: number): void {
    if (this.shape.input !== 'complex') region.kernels.polarF32(spectra, rows, this.fft.bins, MAGNITUDE_LIMIT)
    this.fft.inverse(out, spectra, this.window, rows)
  }

  open(region: Region, sink: RowSink): RowSink {
    const frames = this.overlapAdd.open(region, sink)
    return windowed(region, pointwise(this.inputs), fourRows(this.inputs), frames, (out, spectra, rows) =>
      this.frames(region, out, spectra, rows),
    )
  }
}

/** A matrix whose rows are zero outside one run of columns: mel triangles, gains spread over bins. */
export class BandedMatrix implements Layer {
  readonly inputs: number
  readonly outputs: number
  private readonly table: Pointer

  /** dense: [outputs][inputs]. */
  constructor(region: Region, dense: Float32Array, outputs: number, inputs: number) {
    if (dense.length !== outputs * inputs)
      throw new ConfigError(
        `the matrix has ${dense.length} elements; expected ${outputs} x ${inputs} = ${outputs * inputs}`,
      )
    this.inputs = inputs
    this.outputs = outputs
    const runs = Array.from({ length: outputs }, (_, row) =>
      nonZeroRun(dense.subarray(row * inputs, (row + 1) * inputs)),
    )
    this.table = region.alloc(runs.reduce((total, { weights }) => total + 2 + weights.length, 0))
    let at = this.table
    for (const { first, weights } of runs) {
      region.heap.i32(at, 2).set([first, weights.length])
      region.heap.f32(at + 8, weights.length).set(weights)
      at += 8 + weights.length * 4
    }
  }

  /** out[rows][outputs] = x[rows][inputs] times the transpose. */
  multiply(region: Region, out: Pointer, x: Pointer, rows: number): void {
    region.kernels.bandedF32(out, x, this.table, rows, this.inputs, this.outputs)
  }

  open(region: Region, sink: RowSink): RowSink {
    const block = fourRows(Math.max(this.inputs, this.outputs))
    return windowed(region, pointwise(this.inputs), block, sink, (out, x, rows) =>
      this.multiply(region, out, x, rows),
    )
  }
}

function nonZeroRun(row: Float32Array): { first: number; weights: Float32Array } {
  let first = 0
  let end = row.length
  while (first < end && row[first] === 0) first++
  while (end > first && row[end - 1] === 0) end--
  return { first, weights: row.subarray(first, end) }
}
