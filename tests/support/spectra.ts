// Fourier transforms as their definitions say, in f64.

/** Rows of re[bins], im[bins] of `x` [rows][n], bins = n / 2 + 1. */
export function dft(x: ArrayLike<number>, n: number): Float64Array {
  const { cos, sin } = circle(n)
  const bins = n / 2 + 1
  const rows = x.length / n
  const out = new Float64Array(rows * 2 * bins)
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < bins; k++) {
      let re = 0
      let im = 0
      for (let t = 0, turn = 0; t < n; t++, turn = (turn + k) % n) {
        re += x[row * n + t] * cos[turn]
        im -= x[row * n + t] * sin[turn]
      }
      out[row * 2 * bins + k] = re
      out[row * 2 * bins + bins + k] = im
    }
  }
  return out
}

/** Samples [rows][n] of such rows, with the factor 1 / n; imaginary parts of the first and last bin do not count. */
export function inverseDft(spectra: ArrayLike<number>, n: number): Float64Array {
  const { cos, sin } = circle(n)
  const bins = n / 2 + 1
  const rows = spectra.length / (2 * bins)
  const out = new Float64Array(rows * n)
  for (let row = 0; row < rows; row++) {
    const re = row * 2 * bins
    const im = re + bins
    for (let t = 0; t < n; t++) {
      let sum = spectra[re] + (t % 2 ? -1 : 1) * spectra[re + bins - 1]
      for (let k = 1, turn = t; k < bins - 1; k++, turn = (turn + t) % n) {
        sum += 2 * (spectra[re + k] * cos[turn] - spectra[im + k] * sin[turn])
      }
      out[row * n + t] = sum / n
    }
  }
  return out
}

/** Periodic Hann window, f64. */
export function hann(length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => 0.5 * (1 - Math.cos((2 * Math.PI * i) / length)))
}

function circle(n: number): { cos: Float64Array; sin: Float64Array } {
  return {
    cos: Float64Array.from({ length: n }, (_, i) => Math.cos((2 * Math.PI * i) / n)),
    sin: Float64Array.from({ length: n }, (_, i) => Math.sin((2 * Math.PI * i) / n)),
  }
}
