import { instantiateKernels } from '../../bindings/load.js'
import { Heap, Region } from '../../bindings/memory.js'
import { receiver } from '../nn/clip.js'
import { Stft } from '../nn/fourier.js'

/** What a spectrogram is to show. */
export interface SpectrogramShape {
  /** Most columns; each holds at least one frame. */
  columns: number
  rows: number
  /** Frequency at the upper edge, Hz. */
  topHz: number
}

/** Levels over time and frequency. */
export interface Spectrogram {
  readonly columns: number
  readonly rows: number
  /** Time at the right edge: the clip's length rounded up to a whole hop. */
  readonly seconds: number
  /** dB relative to a sine of full scale, [rows][columns], highest frequency first; at least FLOOR_DB. */
  readonly decibels: Float32Array<ArrayBuffer>
}

/** What silence is drawn as, dB. */
export const FLOOR_DB = -140

/** Long enough to part the harmonics of a low voice, short enough to show its onsets. */
const WINDOW_SECONDS = 0.021
const HOPS_PER_WINDOW = 4
const TILE_SAMPLES = 8192

/**
 * Spectrogram of mono audio: Hann windows of about 21 ms, four per window length, mean power per column. The same numbers on every
 * engine; any length from one sample on.
 *
 * @param samples [T]
 * @param sampleRate Hz
 */
export async function spectrogram(
  samples: Float32Array,
  sampleRate: number,
  shape: SpectrogramShape,
): Promise<Spectrogram> {
  const nFft = Math.max(32, 2 ** Math.round(Math.log2(sampleRate * WINDOW_SECONDS)))
  const hopLength = nFft / HOPS_PER_WINDOW
  const frames = Math.ceil(samples.length / hopLength)
  const columns = Math.min(shape.columns, frames)
  const bins = nFft / 2 + 1
  const power = new Float64Array(columns * bins)
  const counts = new Uint32Array(columns)
  const { kernels } = await instantiateKernels(true)
  const region = new Region(new Heap(kernels))
  const stft = new Stft(region, { nFft, hopLength, padding: 'same', output: 'magnitude' })
  let frame = 0
  const pool = receiver(region, bins, (rows, count) => {
    const magnitudes = region.heap.f32(rows, count * bins)
    for (let row = 0; row < count; row++, frame++) {
      const column = Math.floor((frame * columns) / frames)
      counts[column]++
      for (let bin = 0; bin < bins; bin++) power[column * bins + bin] += magnitudes[row * bins + bin] ** 2
    }
  })
  const stage = stft.open(region, pool)
  for (let start = 0; start < samples.length; start += TILE_SAMPLES) {
    const part = samples.subarray(start, start + TILE_SAMPLES)
    region.heap.f32(stage.reserve(part.length), part.length).set(part)
    stage.commit(part.length)
  }
  stage.end()
  const fullScale = (nFft / 4) ** 2 // |STFT|^2 of a sine of amplitude 1: half the sum of the window, squared
  const bands = rowBins(shape, sampleRate / nFft, bins)
  const decibels = new Float32Array(shape.rows * columns).fill(FLOOR_DB)
  for (const [row, [first, last]] of bands.entries())
    for (let column = 0; column < columns; column++) {
      let most = 0
      for (let bin = first; bin <= last; bin++) most = Math.max(most, power[column * bins + bin])
      const level = 10 * Math.log10(most / counts[column] / fullScale)
      decibels[row * columns + column] = Math.max(FLOOR_DB, level)
    }
  return { columns, rows: shape.rows, seconds: (frames * hopLength) / sampleRate, decibels }
}

/** First and last bin of each row from the top; rows beyond the Nyquist frequency have none. */
function rowBins({ rows, topHz }: SpectrogramShape, binHz: number, bins: number): [number, number][] {
  return Array.from({ length: rows }, (_, row) => {
    const low = ((rows - 1 - row) * topHz) / rows / binHz
    const first = Math.round(low)
    const last = Math.max(first, Math.round(low + topHz / rows / binHz) - 1)
    return first < bins ? [first, Math.min(last, bins - 1)] : [0, -1]
  })
}

/** The loudest level, dB. */
export function peakDecibels({ decibels }: Spectrogram): number {
  return decibels.reduce((most, level) => Math.max(most, level), FLOOR_DB)
}

/** Levels as bytes: `topDb` is 255, `rangeDb` below it and less is 0. [rows][columns] */
export function shades({ decibels }: Spectrogram, topDb: number, rangeDb = 80): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(decibels, level =>
    Math.round(255 * Math.min(1, Math.max(0, (level - topDb) / rangeDb + 1))),
  )
}
