import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AudioError, ConfigError } from '../../src/errors.js'
import { f0Agreement, pitch } from '../../src/metrics/index.js'
import { degrade, expected, failure, fixture } from './inputs.js'

const test = suite('metrics of pitch')

for (const [clip, figures] of Object.entries<{
  sampleRate: number
  f0: (number | null)[]
  voiced: number[]
  f0Agreement: Record<string, number>
}>(expected.signals)) {
  test(`${clip}: pYIN as librosa, and what follows from it`, () => {
    const x = fixture(clip)
    const track = pitch(x, figures.sampleRate)
    assert.is(track.f0.length, figures.f0.length)
    figures.f0.forEach((hz, t) => {
      const error = hz === null ? Number(!Number.isNaN(track.f0[t])) : Math.abs(track.f0[t] - hz)
      assert.ok(error < 1e-8, `frame ${t}: ${track.f0[t]} Hz, expected ${hz}`)
      const difference = Math.abs(track.voiced[t] - figures.voiced[t])
      assert.ok(difference < 1e-8, `frame ${t}: voiced ${track.voiced[t]}, expected ${figures.voiced[t]}`)
    })
    const agreement = f0Agreement(track.f0, pitch(degrade(x), figures.sampleRate).f0)
    for (const [name, value] of Object.entries(figures.f0Agreement)) {
      const ours = agreement[name as keyof typeof agreement]
      assert.ok(Math.abs(ours - value) < 1e-9, `${name}: ${ours}, expected ${value}`)
    }
  })
}

test('a sine has its frequency, silence has none', () => {
  const sine = Float64Array.from({ length: 16000 }, (_, t) => Math.sin((2 * Math.PI * 220 * t) / 16000))
  const { f0 } = pitch(sine, 16000)
  assert.is(f0.length, 101)
  for (const hz of f0.subarray(5, -5)) assert.ok(Math.abs(1200 * Math.log2(hz / 220)) <= 5, `${hz} Hz`)
  assert.ok(pitch(new Float32Array(16000), 16000).f0.every(Number.isNaN))
})

test('agreement counts gross errors among frames voiced in both', () => {
  const agreement = f0Agreement([100, 100, 100, 0, Number.NaN, 100], [100, 121, 110, 0, 90, 0])
  assert.is(agreement.voicedFrames, 3)
  assert.ok(Math.abs(agreement.gpe - 1 / 3) < 1e-12)
  assert.ok(Math.abs(agreement.vde - 2 / 6) < 1e-12)
  assert.ok(Math.abs(agreement.ffe - 3 / 6) < 1e-12)
  assert.ok(Math.abs(agreement.voicingF1 - 6 / 8) < 1e-12)
})

test('errors say what is wrong', () => {
  assert.throws(() => pitch(new Float32Array(100), 16000, { fMin: 500, fMax: 100 }), failure(ConfigError))
  assert.throws(() => pitch(new Float32Array(100), 16000, { frameLength: 128 }), failure(ConfigError))
  assert.throws(() => pitch(new Float32Array(100).fill(Number.NaN), 16000), failure(AudioError))
  assert.throws(() => f0Agreement([], [100]), failure(AudioError))
})

test.run()
