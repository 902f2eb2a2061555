import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Resampler, resample } from '../../src/audio/resample.js'
import { AudioError } from '../../src/errors.js'
import { identical, maxError } from '../support/compare.js'
import { random, randomArray } from '../support/random.js'

/** torchaudio's formula written out: every tap in f64 from Math.sin, zero padding, one loop per output sample. */
function plainResample(x: Float32Array, from: number, to: number): Float64Array {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))
  const o = from / gcd(from, to)
  const n = to / gcd(from, to)
  const base = 0.99 * Math.min(o, n)
  const width = Math.ceil((6 * o) / base)
  return Float64Array.from({ length: Math.ceil((n * x.length) / o) }, (_, m) => {
    const r = m % n
    let sum = 0
    for (let i = -width; i < width + o; i++) {
      const t = Math.min(6, Math.max(-6, (Math.fround(-r / n) + i / o) * base))
      const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t)
      const tap = Math.fround(sinc * Math.cos((Math.PI * t) / 12) ** 2 * (base / o))
      sum += tap * (x[((m - r) / n) * o + i] ?? 0)
    }
    return sum
  })
}

test('equals the written-out formula at many rate pairs and lengths', () => {
  const pairs = [
    [8000, 24000],
    [16000, 24000],
    [22050, 24000],
    [44100, 24000],
    [48000, 24000],
    [24000, 16000],
    [24000, 44100],
    [7919, 24000],
    [192000, 8000],
  ]
  for (const [from, to] of pairs) {
    for (const length of [1, 2, 3, 50, 331]) {
      const x = randomArray(length, from + length)
      const error = maxError(resample(x, from, to), plainResample(x, from, to))
      assert.ok(error < 3e-7, `${from} -> ${to}, ${length} samples: ${error}`)
    }
  }
})

test('any chunking gives the same bits as one shot', () => {
  const next = random(5)
  for (const [from, to] of [
    [44100, 24000],
    [16000, 24000],
    [48000, 24000],
    [11025, 48000],
    [96000, 7999],
  ]) {
    const x = randomArray(3000, from)
    const whole = resample(x, from, to)
    for (const longest of [1, 7, 400]) {
      const resampler = new Resampler(from, to)
      const parts: number[] = []
      for (let at = 0; at < x.length; ) {
        const size = Math.floor((next() + 1) * 0.5 * (longest + 1))
        parts.push(...resampler.push(x.subarray(at, at + size)))
        at += size
      }
      parts.push(...resampler.end())
      identical(Float32Array.from(parts), whole, `${from} -> ${to} in chunks of up to ${longest}`)
    }
  }
})

test('a clip longer than the internal slice equals the same clip pushed at once', () => {
  const x = randomArray(200_000, 1)
  const resampler = new Resampler(44100, 24000)
  const head = resampler.push(x)
  const tail = resampler.end()
  const whole = resample(x, 44100, 24000)
  identical(Float32Array.from([...head, ...tail]), whole)
  assert.is(whole.length, Math.ceil((200_000 * 80) / 147))
})

test('a sine well below both Nyquist limits comes out as that sine', () => {
  const tone = (rate: number, length: number) =>
    Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * 440 * i) / rate))
  const y = resample(tone(44100, 44100), 44100, 24000)
  const expected = tone(24000, 24000)
  assert.ok(maxError(y.subarray(100, -100), expected.subarray(100, -100)) < 2e-3)
})

test('a push returns samples as soon as their inputs are there, and does not keep the chunk', () => {
  const resampler = new Resampler(48000, 24000)
  const chunk = new Float32Array(480).fill(1)
  const first = resampler.push(chunk)
  assert.ok(first.length >= 240 - 8, `${first.length} of 240 samples after 10 ms`)
  chunk.fill(Number.NaN)
  assert.ok(Array.from(resampler.push(new Float32Array(480))).every(Number.isFinite))
})

test('equal rates pass through unchanged', () => {
  const x = randomArray(10, 3)
  assert.is(resample(x, 24000, 24000), x)
  const resampler = new Resampler(24000, 24000)
  identical(resampler.push(x), x)
  assert.is(resampler.end().length, 0)
})

test('no input gives no output', () => {
  assert.is(resample(new Float32Array(0), 44100, 24000).length, 0)
  assert.is(new Resampler(44100, 24000).end().length, 0)
})

test('unrelated rates work; absurd ones are refused with advice instead of taking gigabytes', () => {
  const x = randomArray(2000, 9)
  assert.is(resample(x, 44101, 24000).length, Math.ceil((2000 * 24000) / 44101))
  assert.throws(
    () => resample(x, 767_999, 383_998),
    (error: Error) =>
      error instanceof AudioError && /filter taps \(limit 4194304\).*in two steps/.test(error.message),
  )
})

test('rates that are not positive whole numbers, and use after end, are errors', () => {
  for (const rate of [0, -8000, 22050.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => resample(new Float32Array(1), rate, 24000), /positive whole numbers of Hz, got/)
    assert.throws(() => new Resampler(24000, rate), /positive whole numbers of Hz, got/)
  }
  const resampler = new Resampler(16000, 24000)
  resampler.end()
  assert.throws(() => resampler.push(new Float32Array(1)), /ended/)
  assert.throws(() => resampler.end(), /ended/)
})

test('60 s from 48 kHz take well under a second', () => {
  const x = new Float32Array(60 * 48000).fill(0.5)
  const start = performance.now()
  resample(x, 48000, 24000)
  const milliseconds = performance.now() - start
  assert.ok(milliseconds < 2000, `${milliseconds} ms`)
})

test.run()
