// Real Fourier transforms of frames, bound to the kernels: what the short-time transforms share.
import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { ConfigError } from '../errors.js'
import { blockRows } from './rows.js'

/** Real Fourier transforms of `nFft` samples: even, with no prime factor but 2, 3 and 5. Rows are transformed four at a time. */
export class RealFft {
  readonly nFft: number
  /** nFft / 2 + 1. */
  readonly bins: number
  private readonly region: Region
  private readonly plan: Pointer

  constructor(region: Region, nFft: number) {
    const bytes = Number.isInteger(nFft) && nFft > 0 ? region.kernels.fftPlanBytes(nFft) : 0
    if (bytes === 0)
      throw new ConfigError(
        `nFft is ${nFft}; expected an even number whose prime factors are 2, 3 and 5, such as 1280 or 2400`,
      )
    this.nFft = nFft
    this.bins = nFft / 2 + 1
    this.region = region
    this.plan = region.alloc(bytes / 4)
    region.kernels.fftPlan(this.plan, nFft)
  }

  /**
   * Spectra of `rows` frames that start `hop` samples apart: out[rows][2 * bins] as re, im; or magnitudes [rows][bins].
   * `window` is half of the analysis window: hannWindow(..., 0.5).
   */
  forward(
    out: Pointer,
    samples: Pointer,
    window: Pointer,
    rows: number,
    hop: number,
    magnitude = false,
  ): void {
    this.region.kernels.stftF32(out, samples, window, rows, hop, this.plan, magnitude)
  }

  /**
   * frames[rows][nFft] = window * irfft(spectra[rows][2 * bins]), re then im in each row. `window` is the synthesis window over
   * nFft: hannWindow(..., 1 / nFft).
   */
  inverse(frames: Pointer, spectra: Pointer, window: Pointer, rows: number): void {
    this.region.kernels.irfftF32(frames, spectra, window, rows, this.plan)
  }
}

/** Periodic Hann window of `length` samples in the middle of `size`, times `scale`. */
export function hannWindow(region: Region, size: number, length = size, scale = 1): Pointer {
  if (!(length > 0 && length <= size))
    throw new ConfigError(`the window has ${length} samples; expected 1 to nFft = ${size}`)
  const window = region.alloc(size)
  region.kernels.hannWindow(window, size, length, scale)
  return window
}

/** What all short-time transforms are told. */
export interface FrameShape {
  /** Samples per frame. */
  nFft: number
  /** Samples between frames. */
  hopLength: number
  /** Samples of the Hann window, centred in the frame (default: nFft). */
  windowLength?: number
  /**
   * "center": frame t is centred on sample t * hopLength (torch.stft). "same": on the middle of hop t, so that hops and frames are as many.
   */
  padding: 'center' | 'same'
}

/** Samples of padding in front, trimmed again by the inverse. */
export function trimmed({ nFft, hopLength: hop, padding }: FrameShape): number {
  return padding === 'center' ? nFft / 2 : (nFft - hop) / 2
}

/** Refuses a hop with which the frames of `shape` would not meet. */
export function checkFrames({ nFft, hopLength: hop, padding }: FrameShape): void {
  const fits = Number.isInteger(hop) && hop > 0 && hop <= (padding === 'center' ? nFft / 2 : nFft)
  if (!fits || (padding === 'same' && hop % 2 === 1))
    throw new ConfigError(
      padding === 'center'
        ? `hopLength is ${hop}; expected 1 to ${nFft / 2}, half of nFft, for padding "center"`
        : `hopLength is ${hop}; expected an even number up to nFft = ${nFft} for padding "same"`,
    )
}

/** Rows per block, a multiple of four: the kernels work on four frames at a time. */
export function fourRows(channels: number): number {
  return blockRows(channels) & ~3
}
