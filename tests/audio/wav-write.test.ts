import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeWav } from '../../src/audio/wav.js'
import { encodeSamples, encodeWav, WAV_SAMPLE_FORMATS, wavHeader } from '../../src/audio/wav-write.js'
import { AudioError } from '../../src/errors.js'
import { randomArray } from '../support/random.js'
import { chunk, format, join, pcm16, riff } from './wav-bytes.js'

test('a 16-bit file has the canonical 44-byte header', () => {
  const { bytes } = encodeWav(Float32Array.of(0, 0.5, -1), 24000)
  assert.equal(bytes, riff(chunk('fmt ', format()), chunk('data', pcm16(0, 16384, -32768))))
})

test('integers read from a file are written back unchanged, at every value', () => {
  const all = Float32Array.from({ length: 65536 }, (_, i) => (i - 32768) / 32768)
  const first = encodeWav(all, 8000).bytes
  assert.equal(encodeWav(decodeWav(first).channels, 8000).bytes, first)
  const values24 = randomArray(999, 24).map(x => Math.round(x * 8388607) / 8388608)
  const { bytes, clipped } = encodeWav(values24, 8000, 'pcm24')
  assert.equal(decodeWav(bytes).channels[0], values24)
  assert.is(clipped, 0)
})

test('rounding is half to even, like libsndfile', () => {
  const halves = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.4999].map(x => x / 32768)
  const { bytes } = encodeSamples(Float32Array.from(halves))
  assert.equal(Array.from(new Int16Array(bytes.buffer)), [0, 2, 2, 0, -2, -2, 0])
})

test('samples beyond the range are clipped and counted; floats are kept', () => {
  const loud = Float32Array.of(1, -1, 1.5, -7, 1e30, Number.NEGATIVE_INFINITY, 32767.4 / 32768)
  const { bytes, clipped } = encodeSamples(loud)
  assert.equal(Array.from(new Int16Array(bytes.buffer)), [32767, -32768, 32767, -32768, 32767, -32768, 32767])
  assert.is(clipped, 5)
  const float = encodeWav(loud, 8000, 'float32')
  assert.is(float.clipped, 0)
  assert.equal(decodeWav(float.bytes).channels[0], loud)
})

test('channels are interleaved in every format, odd data is padded', () => {
  const left = Float32Array.of(0.25, -0.25, 0)
  const right = Float32Array.of(0.5, -0.5, 0.125)
  for (const kind of WAV_SAMPLE_FORMATS) {
    const { bytes } = encodeWav([left, right], 44100, kind)
    const wav = decodeWav(bytes)
    assert.equal(wav.channels, [left, right], kind)
    assert.is(wav.sampleRate, 44100)
    assert.equal(wav.warnings, [])
  }
  const odd = encodeWav(Float32Array.of(0.5), 8000, 'pcm24').bytes
  assert.is(odd.length, 48)
  assert.equal(decodeWav(odd).warnings, [])
})

test('a header without a length makes a stream that readers take to its end', () => {
  for (const kind of WAV_SAMPLE_FORMATS) {
    const header = wavHeader({ sampleRate: 24000, format: kind })
    const wav = decodeWav(join(header, encodeSamples(Float32Array.of(0.5, 0.25), kind).bytes))
    assert.equal(Array.from(wav.channels[0]), [0.5, 0.25], kind)
    assert.match(wav.warnings[0], /does not say how long/)
  }
})

test('ragged channels, NaN and files over 4 GiB are errors', () => {
  const isAudioError = (pattern: RegExp) => (error: Error) =>
    error instanceof AudioError && pattern.test(error.message)
  assert.throws(
    () => encodeWav([new Float32Array(3), new Float32Array(2)], 8000),
    isAudioError(/channel 1 has 2 samples, channel 0 has 3/),
  )
  assert.throws(
    () => encodeWav(Float32Array.of(0, Number.NaN), 8000),
    isAudioError(/sample 1 of channel 0 is NaN/),
  )
  assert.throws(() => wavHeader({ sampleRate: 8000, frames: 2 ** 31 }), isAudioError(/do not fit a WAV file/))
})

test.run()
