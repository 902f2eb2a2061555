import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { identical, maxError } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'
import { dft, hann } from '../support/spectra.js'

const test = suite('assembly/stft')
const { kernels, heap, region } = await freshCore()

function stft(x: Float32Array, nFft: number, hop: number, rows: number, magnitude: boolean): Float32Array {
  const plan = region.alloc(kernels.fftPlanBytes(nFft) / 4)
  kernels.fftPlan(plan, nFft)
  const window = region.alloc(nFft)
  kernels.hannWindow(window, nFft, nFft, 0.5)
  const width = magnitude ? nFft / 2 + 1 : nFft + 2
  const out = region.alloc(rows * width)
  kernels.stftF32(out, region.copy(x), window, rows, hop, plan, magnitude)
  return heap.f32(out, rows * width).slice()
}

test('frames overlap, are windowed and transformed', () => {
  for (const [nFft, hop, rows] of [
    [64, 16, 9],
    [30, 7, 6],
    [12, 12, 3],
    [10, 1, 5],
  ]) {
    const x = randomArray((rows - 1) * hop + nFft, nFft)
    const window = hann(nFft)
    const frames = Float64Array.from({ length: rows * nFft }, (_, i) => {
      const t = i % nFft
      return x[((i - t) / nFft) * hop + t] * window[t]
    })
    const error = maxError(stft(x, nFft, hop, rows, false), dft(frames, nFft))
    assert.ok(error < 2e-6, `${nFft}/${hop}: ${error}`)
  }
})

test('magnitudes are those of the complex rows, bit for bit', () => {
  for (const nFft of [10, 64, 400]) {
    const bins = nFft / 2 + 1
    const x = randomArray(6 * 8 + nFft, nFft)
    const complex = stft(x, nFft, 8, 7, false)
    const expected = Float32Array.from({ length: 7 * bins }, (_, i) => {
      const at = Math.floor(i / bins) * 2 * bins + (i % bins)
      const power =
        Math.fround(complex[at] * complex[at]) + Math.fround(complex[at + bins] * complex[at + bins])
      return Math.sqrt(Math.fround(power))
    })
    identical(stft(x, nFft, 8, 7, true), expected, `${nFft}`)
  }
})

test.run()
