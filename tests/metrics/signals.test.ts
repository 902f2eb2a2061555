import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AudioError, ConfigError } from '../../src/errors.js'
import {
  estimatedOffset,
  logSpectralDistance,
  melAlpha,
  melCepstralDistortion,
  melDistance,
  multiResolutionStftDistance,
  multiScaleStftDistance,
  type Samples,
  sdr,
  siSdr,
  snr,
  stoi,
} from '../../src/metrics/index.js'
import { randomArray } from '../support/random.js'
import { degrade, expected, failure, fixture } from './inputs.js'

const test = suite('metrics of signals')

type Measure = (x: Samples, y: Samples, rate: number) => number

/** Name in expected.json, our function, and how far apart they may be. */
const METRICS: readonly [name: string, tolerance: number, measure: Measure][] = [
  ['snr', 1e-9, snr],
  ['siSdr', 1e-6, (x, y) => siSdr(x, y, { zeroMean: false })],
  ['siSnr', 1e-6, (x, y) => siSdr(x, y)],
  ['sdr', 1e-9, (x, y) => sdr(x, y)],
  ['stoi', 1e-9, (x, y, rate) => stoi(x, y, rate)],
  ['estoi', 1e-9, (x, y, rate) => stoi(x, y, rate, { extended: true })],
  ['melTraining', 1e-6, (x, y, rate) => melDistance(x, y, rate)],
  ['melEvaluation', 1e-6, (x, y, rate) => melDistance(x, y, rate, 'evaluation')],
  ['multiScaleStft', 1e-6, multiScaleStftDistance],
  ['multiResolutionStft', 1e-6, multiResolutionStftDistance],
  ['logSpectral', 1e-6, logSpectralDistance],
  ['mcd', 1e-6, (x, y, rate) => melCepstralDistortion(x, y, rate)],
  ['mcd_dtw', 1e-6, (x, y, rate) => melCepstralDistortion(x, y, rate, { dtw: true })],
]

for (const [clip, figures] of Object.entries<Record<string, number>>(expected.signals)) {
  test(`${clip}: as the reference packages`, () => {
    const x = fixture(clip)
    const y = degrade(x)
    for (const [name, tolerance, measure] of METRICS) {
      const value = measure(x, y, figures.sampleRate)
      const error = Math.abs(value - figures[name])
      if (process.env.WAVTOK_SHOW_METRICS) console.log(clip, name, value, error.toExponential(1))
      assert.ok(error <= tolerance, `${name}: ${value}, expected ${figures[name]} within ${tolerance}`)
    }
    assert.ok(Math.abs(melAlpha(figures.sampleRate) - figures.melAlpha) < 1e-12)
  })
}

test('equal clips: no distance, full intelligibility', () => {
  const x = fixture('speech-16k')
  assert.is(snr(x, x), Number.POSITIVE_INFINITY)
  assert.ok(siSdr(x, x) > 80)
  assert.ok(sdr(x, x) > 200, `${sdr(x, x)} dB`)
  assert.ok(Math.abs(stoi(x, x, 16000) - 1) < 1e-9)
  assert.ok(Math.abs(stoi(x, x, 16000, { extended: true }) - 1) < 1e-9)
  for (const distance of [melDistance(x, x, 16000), multiScaleStftDistance(x, x), logSpectralDistance(x, x)])
    assert.is(distance, 0)
  assert.is(melCepstralDistortion(x, x, 16000), 0)
})

test('a delay and a gain cost SNR, not SDR', () => {
  const x = randomArray(4000, 1)
  const y = Float32Array.from(x, (_, t) => 0.5 * (x[t - 40] ?? 0))
  assert.ok(sdr(x, y) > 15, `${sdr(x, y)} dB`)
  assert.ok(snr(x, y) < 0)
  assert.ok(siSdr(x, y) < -10)
})

test('the offset is found within 20 ms and never applied', () => {
  const x = fixture('speech-16k')
  const late = Float64Array.from(x, (_, t) => x[t - 37] ?? 0)
  assert.is(estimatedOffset(x, late, 16000), 37)
  assert.is(estimatedOffset(late, x, 16000), -37)
  assert.is(estimatedOffset(x, x, 16000), 0)
  assert.ok(siSdr(x, late) < 0)
})

test('the longer clip is cut', () => {
  const x = randomArray(3000, 2)
  const y = randomArray(3000, 3)
  assert.is(snr(x, y.subarray(0, 2000)), snr(x.subarray(0, 2000), y.subarray(0, 2000)))
})

test('STOI of less than 30 frames is 1e-5, as published', () => {
  const x = randomArray(3000, 4)
  assert.is(stoi(x, x, 10000), 1e-5)
})

test('clips shorter than a window are mirrored as often as it takes', () => {
  for (const length of [1, 2, 5]) {
    const x = randomArray(length, 5)
    assert.is(multiScaleStftDistance(x, x), 0)
    assert.ok(multiScaleStftDistance(x, randomArray(length, 6)) > 0)
  }
})

test('errors say what is wrong', () => {
  const x = randomArray(100, 7)
  const broken = x.with(3, Number.NaN)
  assert.throws(() => snr(x, new Float32Array(0)), failure(AudioError, /0 samples/))
  assert.throws(() => siSdr(x, broken), failure(AudioError, /sample 3/))
  assert.throws(() => sdr(new Float32Array(100), x), failure(ConfigError, /silent/))
  assert.throws(() => stoi(x, x, 44100.5), failure(AudioError))
  assert.throws(() => melDistance(x, x, 0), failure(AudioError))
})

test.run()
