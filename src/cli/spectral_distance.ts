const WINDOW = 512
const HOP = 256
/** Power below the loudest bin that counts as silence, dB. */
const FLOOR_DB = 80

/**
 * Log-spectral distance of two signals in dB: the root mean square difference of their power spectra (windows of 512, Hann), per
 * window over all bins, the mean of windows. Waveforms whose phases differ, as those of a vocoder do, can be compared.
 */
export function spectralDistance(signal: Float32Array, other: Float32Array): number {
  const [a, b] = [powerSpectra(signal), powerSpectra(other)]
  const floor = Math.max(1e-20, a.reduce((most, power) => Math.max(most, power), 0) * 10 ** (-FLOOR_DB / 10))
  const bins = WINDOW / 2 + 1
  let sum = 0
  for (let start = 0; start < a.length; start += bins) {
    let squares = 0
    for (let i = start; i < start + bins; i++)
      squares += (10 * Math.log10(Math.max(a[i], floor) / Math.max(b[i], floor))) ** 2
    sum += Math.sqrt(squares / bins)
  }
  return a.length > 0 ? sum / (a.length / bins) : 0
}

/** [windows, bins] */
function powerSpectra(signal: Float32Array): Float64Array {
  const bins = WINDOW / 2 + 1
  const windows = Math.max(0, Math.floor((signal.length - WINDOW) / HOP) + 1)
  const result = new Float64Array(windows * bins)
  const re = new Float64Array(WINDOW)
  const im = new Float64Array(WINDOW)
  for (let w = 0; w < windows; w++) {
    for (let i = 0; i < WINDOW; i++)
      re[i] = signal[w * HOP + i] * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW))
    im.fill(0)
    fourier(re, im)
    for (let i = 0; i < bins; i++) result[w * bins + i] = re[i] ** 2 + im[i] ** 2
  }
  return result
}

/** In place, radix 2. */
function fourier(re: Float64Array, im: Float64Array): void {
  const n = re.length
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]]
  }
  for (let size = 2; size <= n; size *= 2)
    for (let k = 0; k < size / 2; k++) {
      const [cos, sin] = [Math.cos((2 * Math.PI * k) / size), -Math.sin((2 * Math.PI * k) / size)]
      for (let i = k; i < n; i += size) {
        const j = i + size / 2
        const [x, y] = [re[j] * cos - im[j] * sin, re[j] * sin + im[j] * cos]
        ;[re[j], im[j]] = [re[i] - x, im[i] - y]
        re[i] += x
        im[i] += y
      }
    }
}
