import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type AudioInput, toMono } from '../../src/audio/input.js'
import { encodeWav } from '../../src/audio/wav-write.js'
import { AudioError } from '../../src/errors.js'
import { random } from '../support/random.js'

const options = { defaultSampleRate: 24000 }
const throwsAudio = (audio: unknown, pattern: RegExp, extra = {}) =>
  assert.throws(
    () => toMono(audio as AudioInput, { ...options, ...extra }),
    (error: Error) => error instanceof AudioError && pattern.test(error.message),
  )

test('mono samples are used as they are, at the given or the default rate', () => {
  const samples = Float32Array.of(0.1, 0.2)
  assert.is(toMono(samples, options).samples, samples)
  assert.is(toMono(samples, options).sampleRate, 24000)
  assert.is(toMono(samples, { ...options, sampleRate: 16000 }).sampleRate, 16000)
})

test('channels are averaged', () => {
  const three = [Float32Array.of(0, 3), Float32Array.of(0.5, 0), Float32Array.of(1, 0)]
  assert.equal(Array.from(toMono(three, options).samples), [0.5, 1])
  assert.is(toMono([three[2]], options).samples, three[2])
})

test('the mean of two channels has the bits of an f32 mean', () => {
  const next = random(2)
  const left = Float32Array.from({ length: 999 }, next)
  const right = Float32Array.from({ length: 999 }, next)
  const expected = left.map((x, i) => Math.fround(x + right[i]) / 2)
  assert.equal(toMono([left, right], options).samples, expected)
})

test('16-bit integers are divided by 32768', () => {
  assert.equal(Array.from(toMono(Int16Array.of(-32768, 16384), options).samples), [-1, 0.5])
})

test('AudioBuffers and WAV bytes bring their own rate', () => {
  const channels = [Float32Array.of(0.5, 0), Float32Array.of(0, 0.5)]
  const buffer = { numberOfChannels: 2, sampleRate: 48000, getChannelData: (c: number) => channels[c] }
  assert.equal(toMono(buffer, options), { samples: Float32Array.of(0.25, 0.25), sampleRate: 48000 })
  const { bytes } = encodeWav(channels, 44100, 'float32')
  for (const audio of [bytes, bytes.buffer, Buffer.from(bytes)]) {
    assert.equal(toMono(audio, options), { samples: Float32Array.of(0.25, 0.25), sampleRate: 44100 })
  }
  assert.is(toMono(bytes, { ...options, sampleRate: 44100 }).sampleRate, 44100)
  throwsAudio(bytes, /says 44100 Hz but the sampleRate option says 16000 Hz/, { sampleRate: 16000 })
})

test('empty audio is an error', () => {
  throwsAudio(new Float32Array(0), /empty \(0 samples\)/)
  throwsAudio(encodeWav(new Float32Array(0), 8000).bytes, /empty \(0 samples\)/)
  throwsAudio([], /no channels/)
  throwsAudio(new Uint8Array(0), /empty \(0 bytes\)/)
})

test('a NaN or infinite sample is named with its channel', () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    throwsAudio(
      [new Float32Array(5), Float32Array.of(0, 0, 0, bad, 0)],
      new RegExp(`sample 3 of channel 1 is ${bad}`),
    )
  }
})

test('channels of different length, wrong rates and wrong kinds are errors', () => {
  throwsAudio([new Float32Array(3), new Float32Array(4)], /channel 1 has 4 samples, channel 0 has 3/)
  for (const sampleRate of [0, -1, 1.5, Number.NaN]) {
    throwsAudio(new Float32Array(3), /positive whole number of Hz/, { sampleRate })
  }
  throwsAudio([0.1, 0.2], /got a plain array; use Float32Array\.from/)
  throwsAudio('speech.wav', /got a string/)
  throwsAudio(undefined, /got undefined/)
  throwsAudio(null, /got null/)
  throwsAudio(new Float64Array(2), /object of type Float64Array/)
  throwsAudio({ samples: 1 }, /object of type Object/)
  throwsAudio(new TextEncoder().encode('fLaC....'), /not a WAV file: this is a FLAC file/)
})

test.run()
