import { RealFft } from './fft.js'
import { type Pair, pairOf, type Samples } from './signals.js'

/** Hyper-parameters of a short-time Fourier transform; names as in PyTorch. */
export interface StftShape {
  /** A power of two. */
  nFft: number
  hopLength: number
  /** Length of the periodic Hann window, centred in the frame (default nFft). */
  winLength?: number
}

/** Periodic Hann window of `length`, f64. */
export function hann(length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length))
}

/** Frames of a clip that is mirrored by nFft / 2 at both ends, as torch.stft and librosa.stft (center, reflect). */
export class CentredFrames {
  readonly bins: number
  readonly #shape: Required<StftShape>
  readonly #window: Float64Array
  readonly #fft: RealFft
  readonly #frame: Float64Array

  constructor(shape: StftShape) {
    this.#shape = { winLength: shape.nFft, ...shape }
    this.#fft = new RealFft(shape.nFft)
    this.#frame = new Float64Array(shape.nFft)
    this.#window = hann(this.#shape.winLength)
    this.bins = this.#fft.bins
  }

  /** floor(samples / hopLength) + 1. */
  count(samples: number): number {
    return Math.floor(samples / this.#shape.hopLength) + 1
  }

  /** |X|^2 of frame `index` into `out`[bins]. */
  power(out: Float64Array, samples: Samples, index: number): void {
    const { nFft, hopLength, winLength } = this.#shape
    const side = Math.floor((nFft - winLength) / 2)
    const first = index * hopLength - nFft / 2 + side
    const frame = this.#frame.fill(0)
    for (let i = 0; i < winLength; i++)
      frame[side + i] = samples[reflected(first + i, samples.length)] * this.#window[i]
    this.#fft.forward(frame)
    this.#fft.power(out)
  }
}

/** Index of a signal mirrored about its first and last sample, again and again where it is short (numpy's pad, "reflect"). */
function reflected(index: number, length: number): number {
  if (index >= 0 && index < length) return index
  if (length === 1) return 0
  const period = 2 * (length - 1)
  const place = ((index % period) + period) % period
  return place < length ? place : period - place
}

/** Shows the power spectra of both clips to `see`, frame by frame; the arrays are used again. Returns the number of frames. */
export function eachFrame(
  { reference, degraded }: Pair,
  shape: StftShape,
  see: (reference: Float64Array, degraded: Float64Array) => void,
): number {
  const frames = new CentredFrames(shape)
  const x = new Float64Array(frames.bins)
  const y = new Float64Array(frames.bins)
  const count = frames.count(reference.length)
  for (let index = 0; index < count; index++) {
    frames.power(x, reference, index)
    frames.power(y, degraded, index)
    see(x, y)
  }
  return count
}

/**
 * Multi-resolution STFT distance of Parallel WaveGAN and auraloss, with their defaults: spectral convergence of the degraded against
 * the reference magnitudes plus the mean absolute difference of their natural logarithms; mean over FFTs of 1024, 2048 and 512 points
 * (hops 120, 240, 50, windows 600, 1200, 240), magnitudes at least 1e-4.
 * @throws AudioError for empty or non-finite signals
 */
export function multiResolutionStftDistance(reference: Samples, degraded: Samples): number {
  const pair = pairOf(reference, degraded)
  const shapes = [
    { nFft: 1024, hopLength: 120, winLength: 600 },
    { nFft: 2048, hopLength: 240, winLength: 1200 },
    { nFft: 512, hopLength: 50, winLength: 240 },
  ]
  return shapes.reduce((sum, shape) => sum + resolutionDistance(pair, shape), 0) / shapes.length
}

function resolutionDistance(pair: Pair, shape: StftShape): number {
  let difference = 0
  let energy = 0
  let logs = 0
  const frames = eachFrame(pair, shape, (powerX, powerY) => {
    for (let k = 0; k < powerX.length; k++) {
      const x = Math.sqrt(Math.max(powerX[k], 1e-8))
      const y = Math.sqrt(Math.max(powerY[k], 1e-8))
      difference += (x - y) ** 2
      energy += x * x
      logs += Math.abs(Math.log(x / y))
    }
  })
  return Math.sqrt(difference / energy) + logs / (frames * (shape.nFft / 2 + 1))
}

/**
 * Multi-scale STFT distance of Descript's audio codec, with its defaults: windows of 2048 and 512 samples, hops of a quarter,
 * |difference of log10(max(S, 1e-5)^2)| and |difference of S|, each averaged, all added.
 * @throws AudioError for empty or non-finite signals
 */
export function multiScaleStftDistance(reference: Samples, degraded: Samples): number {
  const pair = pairOf(reference, degraded)
  let distance = 0
  for (const nFft of [2048, 512]) {
    let sum = 0
    const frames = eachFrame(pair, { nFft, hopLength: nFft / 4 }, (powerX, powerY) => {
      for (let k = 0; k < powerX.length; k++)
        sum += magnitudeTerms(Math.sqrt(powerX[k]), Math.sqrt(powerY[k]))
    })
    distance += sum / (frames * (nFft / 2 + 1))
  }
  return distance
}

function magnitudeTerms(x: number, y: number): number {
  return 2 * Math.abs(Math.log10(Math.max(x, 1e-5) / Math.max(y, 1e-5))) + Math.abs(x - y)
}

/**
 * Log-spectral distance: the root mean square over bins of the difference of log10(|S|^2 + 1e-10), averaged over frames of 2048
 * samples every 512 (Hann, mirrored ends). There is no standard; times 10 it is in dB.
 * @throws AudioError for empty or non-finite signals
 */
export function logSpectralDistance(reference: Samples, degraded: Samples): number {
  let sum = 0
  const frames = eachFrame(pairOf(reference, degraded), { nFft: 2048, hopLength: 512 }, (powerX, powerY) => {
    let squares = 0
    for (let k = 0; k < powerX.length; k++)
      squares += Math.log10((powerX[k] + 1e-10) / (powerY[k] + 1e-10)) ** 2
    sum += Math.sqrt(squares / powerX.length)
  })
  return sum / frames
}
