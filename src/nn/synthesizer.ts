// The waveform by construction (training/SPEC.md, sections 4 to 6): harmonics of the pitch and noise are mixed per frequency, scaled
// so that their bands have the predicted levels, transformed back and overlapped. Local in time: frame t needs the pitch of t + 2.
import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { shareMatrix, spreadMatrix, triangles, widenedMelPoints } from './bands.js'
import { BandedMatrix } from './fourier.js'
import { hannWindow, RealFft } from './frames.js'
import { OverlapAdd } from './overlap.js'
import { type Layer, type Rest, RowQueue, type RowSink } from './rows.js'
import type { StreamState } from './state.js'

/** Hyper-parameters, as they stand in the file. Frequencies in Hz, sizes in samples. */
export interface SynthesizerConfig {
  n_fft: number
  window: number
  bands: number
  min_width: number
  f_max: number
  harmonic_limit: number
  f0_min: number
  f0_max: number
  aperiodicity_hz: readonly number[]
}

const FRAMES = 16 // per block
const AHEAD = 2 // frames whose pitch a frame's window reaches
const LEAST_MAGNITUDE = 1e-5
const F0_CENTRE = 140 // Hz: what a head output of 0 means
const F0_STEPS = 4 // per Hz: the phase adds up the pitch, so that a last bit of the head's output would become another phase

/** Rows of [bands][log F0][harmonic shares] (outputs of a linear head) -> samples, hop of them a row. */
export class Synthesizer implements Layer {
  /** Samples of later frames that the last sample of a frame needs. */
  readonly lookahead: number
  /** Columns of an input row. */
  readonly channels: number
  readonly config: SynthesizerConfig
  readonly sampleRate: number
  readonly hop: number
  readonly fft: RealFft
  readonly bands: BandedMatrix // bins -> bands
  readonly spread: BandedMatrix // bands -> bins
  readonly shares: BandedMatrix // shares -> bins
  readonly analysis: Pointer // window, as forward transforms want it
  readonly synthesis: Pointer // window, as inverse transforms want it
  readonly overlapAdd: OverlapAdd

  constructor(region: Region, config: SynthesizerConfig, sampleRate: number, hop: number) {
    const { n_fft: nFft, window, bands, f_max, min_width, aperiodicity_hz } = config
    const bins = nFft / 2 + 1
    const points = widenedMelPoints(bands + 2, f_max, min_width)
    const filters = triangles(points, bins, sampleRate)
    const shares = aperiodicity_hz.length - 1
    this.config = config
    this.sampleRate = sampleRate
    this.hop = hop
    this.channels = bands + 1 + shares
    this.lookahead = (AHEAD + 2) * hop // a sample is out when no later frame's nFft samples reach it
    this.fft = new RealFft(region, nFft)
    this.bands = new BandedMatrix(region, filters, bands, bins)
    this.spread = new BandedMatrix(region, spreadMatrix(filters, bands, bins), bins, bands)
    this.shares = new BandedMatrix(region, shareMatrix(aperiodicity_hz, bins, sampleRate), bins, shares)
    this.analysis = hannWindow(region, nFft, window, 0.5)
    this.synthesis = hannWindow(region, nFft, window, 1 / nFft)
    this.overlapAdd = new OverlapAdd(region, {
      nFft,
      hopLength: hop,
      windowLength: window,
      padding: 'same',
      envelope: 'steady',
    })
  }

  open(region: Region, sink: RowSink): RowSink {
    return new SynthesizerStage(region, this, this.overlapAdd.open(region, sink))
  }
}

/** Harmonics and noise, sample by sample, from the first frame's window on; fed one frame's pitch at a time. */
class Excitation {
  readonly harmonics: RowQueue
  readonly noise: RowQueue
  private readonly region: Region
  private readonly layer: Synthesizer
  private readonly phase: Pointer // f64, cycles
  private next: number // absolute index of the next sample
  private pitch = 0 // Hz, of the last frame

  constructor(region: Region, layer: Synthesizer) {
    this.region = region
    this.layer = layer
    this.harmonics = new RowQueue(region, 1)
    this.noise = new RowQueue(region, 1)
    this.phase = region.copy([0, 0])
    this.next = -(layer.config.n_fft - layer.hop) / 2
  }

  /** Samples up to the middle of a new frame's hop: the pitch glides there from the frame before, or stands still before the first. */
  glideTo(pitch: number): void {
    const { hop } = this.layer
    if (this.pitch === 0) this.extend(pitch, pitch, hop / 2 - this.next)
    else this.extend(this.pitch, pitch, hop)
    this.pitch = pitch
  }

  /** Samples up to the end of the last frame's window: the pitch stands still. */
  finish(): void {
    this.extend(this.pitch, this.pitch, this.layer.config.n_fft / 2)
  }

  drop(samples: number): void {
    this.harmonics.drop(samples)
    this.noise.drop(samples)
  }

  keep(state: StreamState): void {
    this.next = state.number(this.next)
    this.pitch = state.number(this.pitch)
    state.memory(this.phase, 2)
    this.harmonics.keep(state)
    this.noise.keep(state)
  }

  private extend(from: number, to: number, count: number): void {
    const { hop, sampleRate, config } = this.layer
    const { kernels } = this.region
    const harmonics = this.harmonics.reserve(count)
    kernels.harmonicsF32(harmonics, this.phase, from, to, 0, count, hop, sampleRate, config.harmonic_limit)
    kernels.noiseF32(this.noise.reserve(count), this.next, count)
    this.harmonics.length += count
    this.noise.length += count
    this.next += count
  }
}

class SynthesizerStage implements RowSink {
  readonly channels: number
  private readonly region: Region
  private readonly layer: Synthesizer
  private readonly sink: RowSink
  private readonly controls: RowQueue
  private readonly excitation: Excitation
  private readonly spectra: Pointer // [FRAMES][2 * bins]
  private readonly noise: Pointer // [FRAMES][2 * bins]
  private readonly perBin: Pointer // [FRAMES][bins]: shares, then magnitudes, then gains
  private readonly perBand: Pointer // [FRAMES][bands]: log levels, then log gains
  private readonly levels: Pointer // [FRAMES][bands]: log levels of the excitation
  private readonly shares: Pointer // [FRAMES][shares]

  constructor(region: Region, layer: Synthesizer, sink: RowSink) {
    const { bins } = layer.fft
    const { bands } = layer.config
    this.channels = layer.channels
    this.region = region
    this.layer = layer
    this.sink = sink
    this.controls = new RowQueue(region, layer.channels)
    this.excitation = new Excitation(region, layer)
    this.spectra = region.alloc(FRAMES * 2 * bins)
    this.noise = region.alloc(FRAMES * 2 * bins)
    this.perBin = region.alloc(FRAMES * bins)
    this.perBand = region.alloc(FRAMES * bands)
    this.levels = region.alloc(FRAMES * bands)
    this.shares = region.alloc(FRAMES * layer.channels)
  }

  reserve(rows: number): Pointer {
    return this.controls.reserve(rows)
  }

  commit(rows: number): void {
    const first = this.controls.length
    this.controls.length += rows
    for (let row = first; row < first + rows; row++) this.excitation.glideTo(this.pitchOf(row))
    while (this.controls.length >= FRAMES + AHEAD) this.synthesise(FRAMES)
  }

  drain(): void {
    this.synthesiseAll(AHEAD)
    this.sink.drain()
  }

  end(): Rest {
    if (this.controls.length) this.excitation.finish()
    this.synthesiseAll(0)
    return this.sink.end()
  }

  keep(state: StreamState): void {
    this.controls.keep(state)
    this.excitation.keep(state)
    this.sink.keep(state)
  }

  /** All frames but the last `kept`. */
  private synthesiseAll(kept: number): void {
    while (this.controls.length > kept) this.synthesise(Math.min(FRAMES, this.controls.length - kept))
  }

  /** Hz, from column `bands` of a row. */
  private pitchOf(row: number): number {
    const { bands, f0_min, f0_max } = this.layer.config
    const { heap, kernels } = this.region
    const scratch = heap.f32(this.levels, 1)
    scratch[0] = 0.5 * heap.f32(this.controls.at(row) + 4 * bands, 1)[0]
    kernels.expF32(this.levels, this.levels, 1)
    const hz = Math.min(Math.max(F0_CENTRE * scratch[0], f0_min), f0_max)
    return Math.round(hz * F0_STEPS) / F0_STEPS
  }

  /** Shapes the next `rows` frames and passes them on. */
  private synthesise(rows: number): void {
    const { layer, region, excitation, spectra, noise, perBin, perBand, levels } = this
    const { fft, hop, analysis, config } = layer
    const { kernels } = region
    const bins = fft.bins
    const size = rows * config.bands
    this.readControls(rows)
    fft.forward(spectra, excitation.harmonics.at(0), analysis, rows, hop)
    fft.forward(noise, excitation.noise.at(0), analysis, rows, hop)
    layer.shares.multiply(region, perBin, this.shares, rows)
    kernels.mixSpectraF32(spectra, perBin, noise, perBin, rows, bins)
    layer.bands.multiply(region, levels, perBin, rows)
    kernels.logF32(levels, levels, size, LEAST_MAGNITUDE)
    kernels.affineF32(levels, levels, size, -1, 0)
    kernels.addF32(perBand, levels, size)
    layer.spread.multiply(region, perBin, perBand, rows)
    kernels.shapeSpectraF32(spectra, perBin, rows, bins)
    fft.inverse(this.sink.reserve(rows), spectra, layer.synthesis, rows)
    this.controls.drop(rows)
    excitation.drop(rows * hop)
    this.sink.commit(rows)
  }

  /** Log levels of the bands, 3 y - 1, and harmonic shares, 1 / (1 + exp(-y)). */
  private readControls(rows: number): void {
    const { heap, kernels } = this.region
    const { bands } = this.layer.config
    const shares = this.channels - bands - 1
    for (let row = 0; row < rows; row++) {
      const at = this.controls.at(row)
      kernels.affineF32(this.perBand + row * bands * 4, at, bands, 3, -1)
      kernels.affineF32(this.shares + row * shares * 4, at + (bands + 1) * 4, shares, -1, 0)
    }
    kernels.expF32(this.shares, this.shares, rows * shares)
    const values = heap.f32(this.shares, rows * shares)
    for (let i = 0; i < values.length; i++) values[i] = 1 / (1 + values[i])
  }
}
