import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { receiver } from '../../src/nn/clip.js'
import { BandedMatrix, Istft, Stft } from '../../src/nn/fourier.js'
import { type FrameShape, RealFft } from '../../src/nn/frames.js'
import { OverlapAdd, type OverlapShape } from '../../src/nn/overlap.js'
import type { Layer } from '../../src/nn/rows.js'
import { identical, maxError } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'
import { dft, hann, inverseDft } from '../support/spectra.js'
import { cases, vectors } from '../support/vectors.js'

const test = suite('nn/fourier')
const { heap, region } = await freshCore()

interface Feeding {
  /** Rows per commit, repeated until the input is used up. */
  cuts?: number[]
  drain?: boolean
}

/** Rows of `outputs` elements that `layer` makes of rows of `inputs` elements. */
function run(
  layer: Layer,
  x: Float32Array,
  inputs: number,
  outputs: number,
  feeding: Feeding = {},
): Float32Array {
  const { cuts = [Number.POSITIVE_INFINITY], drain = false } = feeding
  const parts: number[][] = []
  const stage = layer.open(
    region,
    receiver(region, outputs, (rows, count) => parts.push([...heap.f32(rows, count * outputs)])),
  )
  assert.is(stage.channels, inputs)
  const rows = x.length / inputs
  for (let row = 0, i = 0; row < rows; i++) {
    const count = Math.min(cuts[i % cuts.length], rows - row)
    const from = row * inputs
    heap.f32(stage.reserve(count), count * inputs).set(x.subarray(from, from + count * inputs))
    stage.commit(count)
    if (drain) stage.drain()
    row += count
  }
  stage.end()
  return Float32Array.from(parts.flat())
}

/** re[bins], im[bins] rows out of PyTorch's two tensors. */
function complexRows(name: string, bins: number): Float32Array {
  const re = tensors.get(`${name}.re`)!.data
  const im = tensors.get(`${name}.im`)!.data
  return Float32Array.from({ length: 2 * re.length }, (_, i) => {
    const at = Math.floor(i / (2 * bins)) * bins + (i % bins)
    return (i % (2 * bins) < bins ? re : im)[at]
  })
}

const tensors = vectors('kernels.safetensors')
const CHUNKS: Feeding[] = [
  { cuts: [1] },
  { cuts: [1], drain: true },
  { cuts: [3, 1, 7], drain: true },
  { cuts: [5, 130] },
]

/** The inverse as its definition says: frames, windows, sums, division, trim, in f64. */
function exactIstft(spectra: Float32Array, shape: OverlapShape): Float64Array {
  const { nFft, hopLength: hop, windowLength = nFft, padding, envelope } = shape
  const frames = inverseDft(spectra, nFft)
  const rows = frames.length / nFft
  const window = new Float64Array(nFft)
  window.set(hann(windowLength), (nFft - windowLength) / 2)
  const length = (rows - 1) * hop + nFft
  const sums = new Float64Array(length)
  const squares = new Float64Array(length)
  const reach = envelope === 'steady' ? nFft : 0
  for (let row = -reach; row < rows + reach; row++) {
    for (let t = 0; t < nFft; t++) {
      const at = row * hop + t
      if (at < 0 || at >= length) continue
      squares[at] += window[t] ** 2
      if (row >= 0 && row < rows) sums[at] += window[t] * frames[row * nFft + t]
    }
  }
  const trim = padding === 'center' ? nFft / 2 : (nFft - hop) / 2
  return sums.map((sum, i) => sum / squares[i]).subarray(trim, length - trim)
}

test('PyTorch: torch.stft, centred, reflected', () => {
  const found = cases('kernels.safetensors', 'stft_')
  assert.ok(found.length > 0)
  for (const { name, about } of found) {
    const stft = new Stft(region, {
      nFft: about.n_fft,
      hopLength: about.hop,
      padding: 'center',
      output: 'complex',
    })
    const bins = about.n_fft / 2 + 1
    const actual = run(stft, tensors.get(`${name}.x`)!.data, 1, 2 * bins)
    const error = maxError(actual, complexRows(name, bins))
    assert.ok(error < 1e-6 * Math.sqrt(about.n_fft), `${name}: ${error}`)
  }
})

test('PyTorch: torch.istft and the "same" inverse of Vocos', () => {
  const found = cases('kernels.safetensors', 'istft_')
  assert.ok(found.length > 0)
  for (const { name, about } of found) {
    const padding = name.includes('same') ? 'same' : 'center'
    const istft = new Istft(region, { nFft: about.n_fft, hopLength: about.hop, padding, input: 'complex' })
    const actual = run(istft, complexRows(name, about.n_fft / 2 + 1), about.n_fft + 2, 1)
    const error = maxError(actual, tensors.get(`${name}.y`)!.data)
    assert.ok(error < 1e-6, `${name}: ${error}`)
  }
})

test('inverses of 1, 2, 3 and 9 frames agree with the definition, both trims, both envelopes, any window', () => {
  for (const shape of [
    { nFft: 64, hopLength: 16 },
    { nFft: 60, hopLength: 14 },
    { nFft: 64, hopLength: 16, windowLength: 40 },
  ]) {
    for (const padding of ['same', 'center'] as const) {
      for (const envelope of ['clip', 'steady'] as const) {
        for (const frames of [1, 2, 3, 9]) {
          const whole: OverlapShape = { ...shape, padding, envelope }
          const x = randomArray(frames * (shape.nFft + 2), frames, 8)
          const actual = run(new Istft(region, { ...whole, input: 'complex' }), x, shape.nFft + 2, 1)
          const expected = exactIstft(x, whole)
          const hops = padding === 'same' ? frames : frames - 1
          assert.is(actual.length, hops * shape.hopLength)
          const reachable = expected.map(value => (Math.abs(value) < 1e3 ? value : Number.NaN))
          for (let i = 0; i < actual.length; i++) {
            if (!Number.isNaN(reachable[i]))
              assert.ok(
                Math.abs(actual[i] - reachable[i]) < 3e-5,
                `${JSON.stringify(whole)} ${frames}: sample ${i}`,
              )
          }
        }
      }
    }
  }
})

test('the head of Vocos: log magnitudes and phases, magnitudes limited to 100', () => {
  const [nFft, hopLength, frames] = [64, 16, 5]
  const bins = nFft / 2 + 1
  const x = randomArray(frames * 2 * bins, 8, 6)
  const complex = x.map((_, i) => {
    const part = Math.floor(i / bins) % 2
    const magnitude = Math.min(Math.exp(x[i - part * bins]), 100)
    return magnitude * (part ? Math.sin(x[i]) : Math.cos(x[i + bins]))
  })
  const actual = run(new Istft(region, { nFft, hopLength, padding: 'same' }), x, 2 * bins, 1)
  const error = maxError(actual, exactIstft(complex, { nFft, hopLength, padding: 'same' }))
  assert.ok(error < 3e-5, `${error}`)
})

test('inverses are the same bit for bit however the frames arrive', () => {
  for (const [nFft, hopLength] of [
    [64, 16],
    [60, 14],
    [1280, 320],
  ]) {
    for (const padding of ['same', 'center'] as const) {
      const istft = new Istft(region, { nFft, hopLength, padding })
      for (const frames of [2, 131]) {
        const x = randomArray(frames * (nFft + 2), frames, 3)
        const whole = run(istft, x, nFft + 2, 1)
        for (const feeding of CHUNKS)
          identical(run(istft, x, nFft + 2, 1, feeding), whole, JSON.stringify(feeding))
      }
    }
  }
})

test('forward transforms are the same bit for bit however the samples arrive', () => {
  for (const [nFft, hopLength, length] of [
    [64, 16, 1000],
    [60, 14, 31],
    [1280, 320, 5000],
  ]) {
    for (const padding of ['same', 'center'] as const) {
      for (const output of ['magnitude', 'complex'] as const) {
        const stft = new Stft(region, { nFft, hopLength, padding, output })
        const x = randomArray(length, nFft)
        const whole = run(stft, x, 1, stft.outputs)
        for (const feeding of CHUNKS)
          identical(run(stft, x, 1, stft.outputs, feeding), whole, JSON.stringify(feeding))
      }
    }
  }
})

test('"same" frames: one per started hop, zeros outside the clip', () => {
  const shape: FrameShape = { nFft: 64, hopLength: 16, windowLength: 40, padding: 'same' }
  const stft = new Stft(region, { ...shape, output: 'complex' })
  const window = new Float64Array(64)
  window.set(hann(40), 12)
  for (const length of [1, 15, 16, 17, 64, 307]) {
    const x = randomArray(length, length)
    const rows = Math.ceil(length / 16)
    const frames = Float64Array.from({ length: rows * 64 }, (_, i) => {
      const t = i % 64
      return (x[((i - t) / 64) * 16 + t - 24] ?? 0) * window[t]
    })
    const error = maxError(run(stft, x, 1, 66), dft(frames, 64))
    assert.ok(error < 3e-6, `${length}: ${error}`)
  }
})

test('"center" frames: floor(samples / hopLength) + 1', () => {
  const stft = new Stft(region, { nFft: 64, hopLength: 16, padding: 'center', output: 'magnitude' })
  for (const length of [33, 47, 48, 49, 100, 1600]) {
    const frames = run(stft, randomArray(length, 1), 1, 33).length / 33
    assert.is(frames, Math.floor(length / 16) + 1, `${length}`)
  }
})

test('"center" refuses clips too short to mirror, and makes nothing of no samples', () => {
  const stft = new Stft(region, { nFft: 64, hopLength: 16, padding: 'center', output: 'magnitude' })
  assert.throws(
    () => run(stft, randomArray(32, 1), 1, 33),
    (error: Error & { code: string }) =>
      error.code === 'AUDIO' && /has 32 samples.*need 33/.test(error.message),
  )
  assert.is(run(stft, new Float32Array(0), 1, 33).length, 0)
})

test('banded matrices multiply as dense ones do', () => {
  const [inputs, outputs, rows] = [21, 5, 37]
  const dense = new Float32Array(outputs * inputs)
  for (const [row, first, last] of [
    [0, 0, 0],
    [1, 3, 9],
    [3, 0, 20],
    [4, 20, 20],
  ]) {
    dense.subarray(row * inputs + first, row * inputs + last + 1).set(randomArray(last - first + 1, row))
  }
  const x = randomArray(rows * inputs, 9)
  const matrix = new BandedMatrix(region, dense, outputs, inputs)
  const actual = run(matrix, x, inputs, outputs)
  const expected = actual.map((_, i) => {
    const [row, output] = [Math.floor(i / outputs), i % outputs]
    return x
      .subarray(row * inputs, (row + 1) * inputs)
      .reduce((sum, value, k) => sum + value * dense[output * inputs + k], 0)
  })
  assert.ok(maxError(actual, expected) < 1e-6)
  for (const feeding of CHUNKS) identical(run(matrix, x, inputs, outputs, feeding), actual)
  assert.throws(
    () => new BandedMatrix(region, dense, outputs, inputs + 1),
    /has 105 elements; expected 5 x 22/,
  )
})

test('the inverse of the forward transform is the signal, whole hops of it', () => {
  for (const padding of ['same', 'center'] as const) {
    for (const windowLength of [64, 48]) {
      const shape = { nFft: 64, hopLength: 16, windowLength, padding }
      const x = randomArray(16 * 21, 4)
      const spectra = run(new Stft(region, { ...shape, output: 'complex' }), x, 1, 66)
      const back = run(new Istft(region, { ...shape, input: 'complex' }), spectra, 66, 1)
      const error = maxError(back, x)
      assert.ok(error < 1e-5, `${padding} ${windowLength}: ${error}`)
    }
  }
})

test('a drained stage owes only the samples that later frames still reach', () => {
  const istft = new Istft(region, { nFft: 64, hopLength: 16, padding: 'same' })
  let samples = 0
  const stage = istft.open(
    region,
    receiver(region, 1, (_, count) => {
      samples += count
    }),
  )
  for (let frames = 1; frames <= 6; frames++) {
    heap.f32(stage.reserve(1), 66).fill(0)
    stage.commit(1)
    stage.drain()
    assert.is(samples, Math.max(0, frames * 16 - 24))
  }
  stage.end()
  assert.is(samples, 6 * 16)
})

test('memory does not grow with the clip', () => {
  const istft = new Istft(region, { nFft: 64, hopLength: 16, padding: 'same' })
  const used = (frames: number) => {
    const before = heap.used
    run(istft, randomArray(frames * 66, 1), 66, 1, { cuts: [10] })
    return heap.used - before
  }
  assert.is(used(3000), used(6000))
})

test('sizes that cannot be transformed or joined are refused with the size', () => {
  const refused = (make: () => unknown, message: RegExp) =>
    assert.throws(
      make,
      (error: Error & { code: string }) => error.code === 'CONFIG' && message.test(error.message),
    )
  for (const nFft of [0, -4, 7, 14, 2.5, 1282, Number.NaN])
    refused(() => new RealFft(region, nFft), /nFft is/)
  const same = { nFft: 64, padding: 'same' } as const
  for (const hopLength of [0, 65, 15, 1.5])
    refused(() => new OverlapAdd(region, { ...same, hopLength }), /hopLength is/)
  refused(() => new OverlapAdd(region, { nFft: 64, hopLength: 33, padding: 'center' }), /hopLength is 33/)
  refused(() => new OverlapAdd(region, { ...same, hopLength: 16, windowLength: 65 }), /window has 65/)
  refused(() => new OverlapAdd(region, { ...same, hopLength: 32, windowLength: 20 }), /in no frame/)
})

test.run()
