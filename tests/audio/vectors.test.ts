// Against what other implementations made: torchaudio's resampler, libsndfile's and scipy's WAV files (make_resample.py, make_wav.py).
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { resample } from '../../src/audio/resample.js'
import { decodeWav } from '../../src/audio/wav.js'
import { AudioError } from '../../src/errors.js'
import { identical, maxError } from '../support/compare.js'
import { cases, vectors } from '../support/vectors.js'

test("resampling equals torchaudio's, very short clips included", () => {
  const tensors = vectors('resample.safetensors')
  const names = [...tensors.keys()].filter(name => name.endsWith('.x')).map(name => name.slice(0, -2))
  assert.ok(names.length > 20)
  for (const name of names) {
    const [from, to] = name.split('_T')[0].split('_to_').map(Number)
    const y = resample(tensors.get(`${name}.x`)!.data, from, to)
    const error = maxError(y, tensors.get(`${name}.y`)!.data)
    assert.ok(error < 5e-7, `${name}: ${error}`)
  }
})

test("the response to an impulse is torchaudio's filter, tap by tap", () => {
  const tensors = vectors('resample.safetensors')
  const names = [...tensors.keys()].filter(name => name.endsWith('.taps'))
  assert.ok(names.length >= 5)
  for (const name of names) {
    const { shape, data } = tensors.get(name)!
    const [from, to] = name.replace('.taps', '').split('_to_').map(Number)
    const [up, length] = shape
    const down = (from * up) / to
    const width = (length - down) / 2
    const at = 4 * down
    const y = resample(new Float32Array(10 * down).fill(1, at, at + 1), from, to)
    // Output m is phase m % up of block floor(m / up); its tap `at - block * down + width` meets the impulse.
    const expected = y.map((_, m) => {
      const tap = at - Math.floor(m / up) * down + width
      return tap >= 0 && tap < length ? data[(m % up) * length + tap] : 0
    })
    const error = maxError(y, expected)
    assert.ok(error < 3e-8, `${name}: ${error}`)
  }
})

test('WAV files of other writers, sound, lying and broken', () => {
  const folder = 'wav/expected.safetensors'
  const tensors = vectors(folder)
  const files = cases(folder, '') as { name: string; about: Record<string, number | string> }[]
  assert.ok(files.length > 30)
  for (const { name, about } of files) {
    const bytes = readFileSync(new URL(`../vectors/wav/${name}.wav`, import.meta.url))
    if (about.kind === 'invalid' && name !== 'alaw') {
      assert.throws(
        () => decodeWav(bytes),
        (error: Error) => error instanceof AudioError,
        `${name}: ${about.why}`,
      )
      continue
    }
    const { channels, sampleRate, warnings } = decodeWav(bytes)
    assert.is(
      warnings.length > 0,
      about.kind === 'streamed' || about.kind === 'truncated',
      `${name}: ${warnings}`,
    )
    if (name === 'alaw') continue // one of the formats that we read and the list's author did not
    assert.is(sampleRate, about.rate, name)
    assert.is(channels.length, about.channels, name)
    const expected = tensors.get(name)!.data
    channels.forEach((channel, c) => {
      identical(
        channel,
        expected.filter((_, i) => i % channels.length === c),
        `${name}, channel ${c}`,
      )
    })
  }
})

test.run()
