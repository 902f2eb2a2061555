/** Fourier transform of real rows in f64, sizes that are powers of two: one complex transform of half the size. */
export class RealFft {
  readonly size: number
  /** size / 2 + 1. */
  readonly bins: number
  /** Spectrum of the last `forward`. */
  readonly re: Float64Array
  readonly im: Float64Array
  readonly #cos: Float64Array // of turns k / size
  readonly #sin: Float64Array
  readonly #reversed: Uint32Array

  /** @throws RangeError unless `size` is a power of two, 4 at least. */
  constructor(size: number) {
    const bits = Math.log2(size)
    if (!Number.isInteger(bits) || size < 4)
      throw new RangeError(`an FFT of ${size} points; metrics transform powers of two, 4 at least`)
    this.size = size
    this.bins = size / 2 + 1
    this.re = new Float64Array(this.bins)
    this.im = new Float64Array(this.bins)
    this.#cos = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size))
    this.#sin = Float64Array.from({ length: size / 2 }, (_, k) => Math.sin((2 * Math.PI * k) / size))
    const half = size / 2
    this.#reversed = new Uint32Array(half)
    for (let i = 1; i < half; i++) this.#reversed[i] = (this.#reversed[i >> 1] >> 1) | (i & 1 ? half >> 1 : 0)
  }

  /** Transforms `size` samples into `re` and `im`. */
  forward(samples: Float64Array): void {
    const { re, im } = this
    const half = this.size / 2
    for (let i = 0; i < half; i++) {
      const from = 2 * this.#reversed[i]
      re[i] = samples[from]
      im[i] = samples[from + 1]
    }
    this.#butterflies(half)
    this.#untangle(half)
  }

  /** |X|^2 of the last `forward`, into `out`[bins]. */
  power(out: Float64Array): void {
    for (let k = 0; k < this.bins; k++) out[k] = this.re[k] * this.re[k] + this.im[k] * this.im[k]
  }

  #butterflies(half: number): void {
    const { re, im } = this
    for (let span = 1; span < half; span *= 2) {
      const step = half / span
      for (let start = 0; start < half; start += 2 * span)
        for (let i = start, turn = 0; i < start + span; i++, turn += step) {
          const j = i + span
          const cos = this.#cos[turn]
          const sin = this.#sin[turn]
          const x = re[j] * cos + im[j] * sin
          const y = im[j] * cos - re[j] * sin
          re[j] = re[i] - x
          im[j] = im[i] - y
          re[i] += x
          im[i] += y
        }
    }
  }

  /** Even and odd samples were the real and imaginary parts: their two spectra, then the spectrum of all. */
  #untangle(half: number): void {
    const { re, im } = this
    re[half] = re[0] - im[0]
    re[0] += im[0]
    im[half] = im[0] = 0
    for (let k = 1; k <= half / 2; k++) {
      const other = half - k
      const evenRe = (re[k] + re[other]) / 2
      const evenIm = (im[k] - im[other]) / 2
      const oddRe = (im[k] + im[other]) / 2
      const oddIm = (re[other] - re[k]) / 2
      const cos = this.#cos[k]
      const sin = this.#sin[k]
      const x = oddRe * cos + oddIm * sin
      const y = oddIm * cos - oddRe * sin
      re[k] = evenRe + x
      im[k] = evenIm + y
      re[other] = evenRe - x
      im[other] = y - evenIm
    }
  }
}
