import { ConfigError } from '../errors.js'
import { dot, mean, pairOf, type Samples } from './signals.js'

/** What torchmetrics adds to both energies: the distance from 1 to the next float32. */
const FLOAT32_EPSILON = 2 ** -23

/** Ratio of energies in decibels. */
function decibels(signal: number, noise: number): number {
  return 10 * Math.log10(signal / noise)
}

/**
 * Signal-to-noise ratio in dB: 10 log10(|x|^2 / |x - y|^2), without scaling. Infinite for equal signals.
 * @throws AudioError for empty or non-finite signals
 */
export function snr(reference: Samples, degraded: Samples): number {
  const { reference: x, degraded: y } = pairOf(reference, degraded)
  let noise = 0
  for (let i = 0; i < x.length; i++) noise += (x[i] - y[i]) ** 2
  return decibels(dot(x, x), noise)
}

/** How SI-SDR is computed. */
export interface SiSdrOptions {
  /** Subtract the means first, which makes it SI-SNR (default true; torchmetrics' SI-SDR does not). */
  zeroMean?: boolean
  /** Added to both energies (default 2^-23, as torchmetrics). */
  eps?: number
}

/**
 * Scale-invariant signal-to-distortion ratio in dB (Le Roux et al., "SDR - half-baked or well done?"): the degraded signal is split
 * into its projection on the reference and the rest. Higher is better; Descript's loss is its negative.
 * @throws AudioError for empty or non-finite signals
 */
export function siSdr(reference: Samples, degraded: Samples, options: SiSdrOptions = {}): number {
  const { zeroMean = true, eps = FLOAT32_EPSILON } = options
  const { reference: x, degraded: y } = pairOf(reference, degraded)
  const meanX = zeroMean ? mean(x) : 0
  const meanY = zeroMean ? mean(y) : 0
  let xx = 0
  let xy = 0
  for (let i = 0; i < x.length; i++) {
    xx += (x[i] - meanX) ** 2
    xy += (x[i] - meanX) * (y[i] - meanY)
  }
  const scale = (xy + eps) / (xx + eps)
  let target = 0
  let rest = 0
  for (let i = 0; i < x.length; i++) {
    const projection = scale * (x[i] - meanX)
    target += projection * projection
    rest += (y[i] - meanY - projection) ** 2
  }
  return decibels(target + eps, rest + eps)
}

/**
 * Signal-to-distortion ratio of BSS Eval version 4 in dB: the reference may be filtered by the best `taps` coefficients (default 512)
 * before what is left counts as distortion. Where the normal equations are singular to working precision (pure tones), their diagonal
 * is loaded by 1e-12 of the reference's energy.
 * @throws AudioError for empty or non-finite signals, ConfigError for a silent reference or no taps
 */
export function sdr(reference: Samples, degraded: Samples, options: { taps?: number } = {}): number {
  const { taps = 512 } = options
  const { reference: x, degraded: y } = pairOf(reference, degraded)
  if (!(Number.isInteger(taps) && taps > 0)) throw new ConfigError(`${taps} taps; expected 1 or more`)
  const xx = crossCorrelation(x, x, taps)
  if (!(xx[0] > 0))
    throw new ConfigError('the reference is silent; SDR needs a signal (drop silent clips before averaging)')
  const xy = crossCorrelation(x, y, taps)
  const filter = solveToeplitz(xx, xy) ?? solveToeplitz(loaded(xx), xy)
  if (!filter) throw new ConfigError('the normal equations of SDR are singular; use fewer taps')
  return filteredRatio(x, y, filter)
}

function loaded(autocorrelation: Float64Array): Float64Array {
  return autocorrelation.with(0, autocorrelation[0] * (1 + 1e-12))
}

/** sum_t x[t] y[t + lag] for lag 0 to lags - 1. */
function crossCorrelation(x: Samples, y: Samples, lags: number): Float64Array {
  return Float64Array.from({ length: lags }, (_, lag) =>
    lag < x.length ? dot(x.subarray(0, x.length - lag), y.subarray(lag)) : 0,
  )
}

/** Solves T h = b, T[i][j] = first[|i - j|], by Cholesky's decomposition; undefined where T is not positive definite. */
function solveToeplitz(first: Float64Array, b: Float64Array): Float64Array | undefined {
  const n = b.length
  const lower = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const rowI = lower.subarray(i * n, i * n + j)
      const value = first[i - j] - dot(rowI, lower.subarray(j * n, j * n + j))
      if (i > j) lower[i * n + j] = value / lower[j * n + j]
      else if (value > 0) lower[i * n + i] = Math.sqrt(value)
      else return undefined
    }
  }
  const h = Float64Array.from(b)
  for (let i = 0; i < n; i++) {
    h[i] = (h[i] - dot(h.subarray(0, i), lower.subarray(i * n, i * n + i))) / lower[i * n + i]
  }
  for (let i = n - 1; i >= 0; i--) {
    let value = h[i]
    for (let j = i + 1; j < n; j++) value -= lower[j * n + i] * h[j]
    h[i] = value / lower[i * n + i]
  }
  return h
}

/** |h * x|^2 over |y - h * x|^2, the convolution in full: y is followed by zeros. */
function filteredRatio(x: Samples, y: Samples, filter: Float64Array): number {
  const taps = filter.length
  const padded = new Float64Array(x.length + 2 * (taps - 1))
  padded.set(x, taps - 1)
  const backwards = filter.toReversed()
  let target = 0
  let rest = 0
  for (let t = 0; t < x.length + taps - 1; t++) {
    const projection = dot(backwards, padded.subarray(t, t + taps))
    target += projection * projection
    rest += ((t < y.length ? y[t] : 0) - projection) ** 2
  }
  return decibels(target, rest)
}
