import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { receiver } from '../../src/nn/clip.js'
import { hannWindow, RealFft } from '../../src/nn/frames.js'
import { OverlapAdd } from '../../src/nn/overlap.js'
import { identical, maxError } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'
import { vectors } from '../support/vectors.js'

const test = suite('assembly/excitation')
const { kernels, heap, region } = await freshCore()
const stages = vectors('mini/synth.safetensors')
const vector = (name: string) => stages.get(`vectors.${name}`)!
const RATE = 24000
const HOP = 320
const N_FFT = 1280
const BINS = N_FFT / 2 + 1
const LIMIT = 11500
const FIRST = -(N_FFT - HOP) / 2

function noise(start: number, count: number): Float32Array {
  const out = region.copy(new Float32Array(count + 4).fill(7))
  kernels.noiseF32(out, start, count)
  assert.equal([...heap.f32(out + 4 * count, 4)], [7, 7, 7, 7])
  return heap.f32(out, count).slice()
}

test('noise is the hash of the sample index, scaled to unit variance', () => {
  const index = new BigInt64Array(vector('hash_index').integers.buffer)
  const hashes = new BigInt64Array(vector('hash').integers.buffer)
  index.forEach((at, i) => {
    const expected = Math.fround(Number(BigInt.asIntN(32, hashes[i])) * (Math.sqrt(3) / 2 ** 31))
    assert.is(noise(Number(BigInt.asIntN(32, at)), 1)[0], expected, `sample ${at}`)
  })
  const whole = vector('noise').data
  identical(noise(FIRST, whole.length), whole)
  for (const [start, count] of [
    [0, 1],
    [5, 3],
    [320, 322],
  ])
    identical(noise(FIRST + start, count), whole.subarray(start, start + count))
  const energy = noise(0, 40000).reduce((sum, value) => sum + value * value, 0) / 40000
  assert.ok(Math.abs(energy - 1) < 0.02)
})

/** Samples from `n` on, of a pitch that is `f0` at frame centres and constant beyond the ends. */
function harmonics(
  f0: ArrayLike<number>,
  n: number,
  count: number,
  phase: number,
  cut = count,
): Float32Array {
  const out = region.alloc(count)
  for (let done = 0; done < count; ) {
    const centre = n + done - HOP / 2
    const frame = Math.floor(centre / HOP)
    const first = centre - frame * HOP
    const length = Math.min(cut, count - done, HOP - first)
    const at = (index: number) => f0[Math.min(Math.max(index, 0), f0.length - 1)]
    kernels.harmonicsF32(out + 4 * done, phase, at(frame), at(frame + 1), first, length, HOP, RATE, LIMIT)
    done += length
  }
  return heap.f32(out, count).slice()
}

function freshPhase(turn = 0): number {
  const phase = region.alloc(2)
  new Float64Array(heap.kernels.memory.buffer, phase, 1)[0] = turn
  return phase
}

test('harmonics are the sum of cosines below the limit', () => {
  for (const f0 of [
    [55, 500],
    [500, 55],
    [140, 140],
    [77.3, 78],
  ]) {
    const actual = harmonics(f0, HOP / 2, HOP, freshPhase(0.3))
    let phase = 0.3
    for (let i = 0; i < HOP; i++) {
      const f = f0[0] + (i / HOP) * (f0[1] - f0[0])
      phase += f / RATE
      let sum = 0
      for (let k = 1; k <= Math.floor(LIMIT / f); k++) sum += Math.cos(2 * Math.PI * k * phase)
      const expected = sum * Math.sqrt((2 * f) / RATE)
      assert.ok(
        Math.abs(actual[i] - expected) < 1e-6,
        `${f0}: sample ${i} is ${actual[i]}, expected ${expected}`,
      )
    }
  }
})

test('at phase 0 all harmonics are at their peak', () => {
  for (const offset of [0, 1e-9, -1e-9]) {
    const [value] = harmonics([100, 100], HOP / 2, 1, freshPhase(1 - 100 / RATE + offset))
    assert.is(value, Math.fround(115 * Math.sqrt(200 / RATE)))
  }
})

test('harmonics of a pitch track are those of the reference', () => {
  const expected = vector('harmonics').data
  const actual = harmonics(vector('f0').data, FIRST, expected.length, freshPhase())
  const error = maxError(actual, expected)
  assert.ok(error < 1e-6, `${error}`)
})

test('harmonics are the same bit for bit however the samples are cut', () => {
  const f0 = vector('f0').data
  const whole = harmonics(f0, FIRST, 2000, freshPhase())
  for (const cut of [1, 7, 160]) identical(harmonics(f0, FIRST, 2000, freshPhase(), cut), whole, `${cut}`)
})

test('spectra are mixed by shares of power, limited to 0..1', () => {
  for (const bins of [1, 3, 4, 6, 641]) {
    const rows = 3
    const [h, w] = [randomArray(rows * 2 * bins, bins), randomArray(rows * 2 * bins, bins + 1)]
    const shares = randomArray(rows * bins, 5).map(u => 0.5 + 0.6 * u)
    const [mixed, power] = [region.copy(h), region.copy(shares)]
    kernels.mixSpectraF32(mixed, power, region.copy(w), power, rows, bins)
    const expected = h.map((value, i) => {
      const share = Math.min(Math.max(shares[Math.floor(i / (2 * bins)) * bins + (i % bins)], 0), 1)
      return Math.sqrt(share) * value + Math.sqrt(1 - share) * w[i]
    })
    assert.ok(maxError(heap.f32(mixed, h.length), expected) < 3e-7, `${bins}`)
    const magnitudes = shares.map((_, i) => {
      const at = Math.floor(i / bins) * 2 * bins + (i % bins)
      return Math.hypot(expected[at], expected[at + bins])
    })
    assert.ok(maxError(heap.f32(power, shares.length), magnitudes) < 3e-7, `${bins}`)
  }
})

test('spectra are shaped by logarithmic gains', () => {
  for (const bins of [1, 3, 4, 6, 641]) {
    const [e, gains] = [randomArray(3 * 2 * bins, bins), randomArray(3 * bins, bins + 1, 5)]
    const shaped = region.copy(e)
    kernels.shapeSpectraF32(shaped, region.copy(gains), 3, bins)
    heap.f32(shaped, e.length).forEach((value, i) => {
      const expected = e[i] * Math.exp(gains[Math.floor(i / (2 * bins)) * bins + (i % bins)])
      assert.ok(
        Math.abs(value - expected) <= 3e-7 * Math.abs(expected),
        `${bins}: ${value}, expected ${expected}`,
      )
    })
  }
})

/** [frames][bins]: shares of power placed at the middle of their bands, linear between, constant outside. */
function spreadShares(shares: Float32Array, edges: number[]): Float32Array {
  const middle = edges.slice(1).map((edge, i) => (edge + edges[i]) / 2)
  const bands = middle.length
  return Float32Array.from({ length: (shares.length / bands) * BINS }, (_, i) => {
    const row = Math.floor(i / BINS) * bands
    const hz = ((i % BINS) * RATE) / N_FFT
    const above = middle.findIndex(m => m >= hz)
    if (above === 0) return shares[row]
    if (above < 0) return shares[row + bands - 1]
    const r = (hz - middle[above - 1]) / (middle[above] - middle[above - 1])
    return shares[row + above - 1] + r * (shares[row + above] - shares[row + above - 1])
  })
}

test('the kernels joined are the reference: mixed spectra, and audio as far as three frames decide it', () => {
  const rows = 3
  const fft = new RealFft(region, N_FFT)
  const analysis = hannWindow(region, N_FFT, 800, 0.5)
  const [harmonic, noisy] = ['harmonics', 'noise'].map(name => {
    const spectra = region.alloc(rows * 2 * BINS)
    fft.forward(spectra, region.copy(vector(name).data), analysis, rows, HOP)
    return spectra
  })
  const shares = spreadShares(vector('share').data.subarray(0, rows * 5), [0, 1000, 2000, 4000, 6000, 9000])
  kernels.mixSpectraF32(harmonic, region.alloc(rows * BINS), noisy, region.copy(shares), rows, BINS)
  for (let row = 0; row < rows; row++) {
    for (const [part, name] of ['excitation_real', 'excitation_imag'].entries()) {
      const actual = heap.f32(harmonic + (2 * row + part) * BINS * 4, BINS)
      const error = maxError(actual, vector(name).data.subarray(row * BINS, (row + 1) * BINS))
      assert.ok(error < 2e-4, `${name} ${row}: ${error}`)
    }
  }
  kernels.shapeSpectraF32(harmonic, region.copy(vector('log_gain').data), rows, BINS)

  const audio: number[] = []
  const shape = {
    nFft: N_FFT,
    hopLength: HOP,
    windowLength: 800,
    padding: 'same',
    envelope: 'steady',
  } as const
  const stage = new OverlapAdd(region, shape).open(
    region,
    receiver(region, 1, (samples, count) => audio.push(...heap.f32(samples, count))),
  )
  fft.inverse(stage.reserve(rows), harmonic, hannWindow(region, N_FFT, 800, 1 / N_FFT), rows)
  stage.commit(rows)
  stage.end()
  const decided = rows * HOP - 240
  const error = maxError(
    Float32Array.from(audio.slice(0, decided)),
    vector('audio').data.subarray(0, decided),
  )
  assert.ok(error < 1e-5, `${error}`)
})

test.run()
