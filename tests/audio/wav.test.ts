import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeWav } from '../../src/audio/wav.js'
import { AudioError } from '../../src/errors.js'
import { chunk, extensible, format, join, pcm16, riff, text, u16, u32 } from './wav-bytes.js'

const fmt = (fields = {}) => chunk('fmt ', format(fields))
const data = (bytes: Uint8Array, claimed?: number) => chunk('data', bytes, claimed)
const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)
const doubles = (...values: number[]) => new Uint8Array(Float64Array.from(values).buffer)
const throwsAudio = (bytes: Uint8Array, pattern: RegExp) =>
  assert.throws(
    () => decodeWav(bytes),
    (error: Error) => error instanceof AudioError && pattern.test(error.message),
  )

test('integer PCM of every width is scaled to [-1, 1)', () => {
  const cases: [number, Uint8Array, number[]][] = [
    [8, new Uint8Array([0, 128, 255, 64]), [-1, 0, 127 / 128, -0.5]],
    [16, pcm16(-32768, 0, 32767, -16384), [-1, 0, 32767 / 32768, -0.5]],
    [
      24,
      new Uint8Array([0, 0, 0x80, 0, 0, 0, 255, 255, 0x7f, 1, 0, 0]),
      [-1, 0, 8388607 / 8388608, 1 / 8388608],
    ],
    [32, join(u32(0x80000000), u32(0), u32(0x40000000)), [-1, 0, 0.5]],
  ]
  for (const [bits, bytes, expected] of cases) {
    const wav = decodeWav(riff(fmt({ bits }), data(bytes)))
    assert.equal(Array.from(wav.channels[0]), expected.map(Math.fround), `${bits} bits`)
    assert.is(wav.bitsPerSample, bits)
    assert.is(wav.format, 'pcm')
    assert.equal(wav.warnings, [])
  }
})

test('32- and 64-bit floats are taken as they are, also beyond [-1, 1]', () => {
  assert.equal(
    Array.from(decodeWav(riff(fmt({ tag: 3, bits: 32 }), data(floats(0.25, -3)))).channels[0]),
    [0.25, -3],
  )
  const wide = decodeWav(riff(fmt({ tag: 3, bits: 64 }), data(doubles(0.1, 7))))
  assert.equal(Array.from(wide.channels[0]), [Math.fround(0.1), 7])
  assert.is(wide.format, 'float')
})

test('A-law and mu-law follow the tables of ITU-T G.711', () => {
  const aLaw = decodeWav(
    riff(fmt({ tag: 6, bits: 8 }), data(new Uint8Array([0xd5, 0x55, 0x80, 0x2a, 0xaa, 0x00]))),
  )
  assert.equal(
    Array.from(aLaw.channels[0], x => x * 32768),
    [8, -8, 5504, -32256, 32256, -5504],
  )
  const muLaw = decodeWav(
    riff(fmt({ tag: 7, bits: 8 }), data(new Uint8Array([0xff, 0x7f, 0x80, 0x00, 0xfe, 0x8f]))),
  )
  assert.equal(
    Array.from(muLaw.channels[0], x => Math.abs(x * 32768)),
    [0, 0, 32124, 32124, 8, 16764],
  )
  assert.ok(muLaw.channels[0][2] > 0 && muLaw.channels[0][3] < 0)
})

test('channels are taken apart, any count and rate', () => {
  const wav = decodeWav(riff(fmt({ channels: 3, rate: 11025 }), data(pcm16(1, 2, 3, 4, 5, 6))))
  assert.is(wav.sampleRate, 11025)
  assert.equal(
    wav.channels.map(c => Array.from(c, x => x * 32768)),
    [
      [1, 4],
      [2, 5],
      [3, 6],
    ],
  )
})

test('WAVE_FORMAT_EXTENSIBLE: sub-format and narrow samples left-justified in their container', () => {
  const wav = decodeWav(riff(chunk('fmt ', extensible({ bits: 24 }, 20)), data(new Uint8Array([0, 0, 0x40]))))
  assert.equal(Array.from(wav.channels[0]), [0.5])
  const float = decodeWav(riff(chunk('fmt ', extensible({ tag: 3, bits: 32 }, 32)), data(floats(0.75))))
  assert.equal(Array.from(float.channels[0]), [0.75])
  assert.is(float.format, 'float')
})

test('other chunks before, between and after; odd sizes with and without the padding byte', () => {
  const odd = chunk('LIST', text('abc'))
  const unpadded = odd.subarray(0, 11)
  const sound = pcm16(100, 200)
  for (const file of [
    riff(odd, fmt(), chunk('junk', text('x')), data(sound), odd),
    riff(unpadded, fmt(), unpadded, data(sound)),
    riff(data(sound), odd, fmt()),
  ]) {
    const wav = decodeWav(file)
    assert.equal(
      Array.from(wav.channels[0], x => x * 32768),
      [100, 200],
    )
    assert.equal(wav.warnings, [])
  }
})

test('RF64: the 64-bit size of the ds64 chunk is used', () => {
  const sizes = join(u32(0), u32(0), u32(4), u32(0), u32(2), u32(0), u32(0))
  const body = join(chunk('ds64', sizes), fmt(), data(pcm16(7, 8), 0xffffffff), chunk('LIST', text('tail')))
  const wav = decodeWav(join(text('RF64'), u32(0xffffffff), text('WAVE'), body))
  assert.equal(
    Array.from(wav.channels[0], x => x * 32768),
    [7, 8],
  )
  assert.equal(wav.warnings, [])
})

test('sizes that lie are read as far as whole frames exist, with a warning', () => {
  const sound = pcm16(1, 2, 3, 4)
  for (const claimed of [0, 0xffffffff, 0x7ffff000, 9]) {
    const wav = decodeWav(riff(fmt(), data(sound, claimed)))
    assert.is(wav.channels[0].length, 4, `claimed ${claimed}`)
    assert.is(wav.warnings.length, 1, `claimed ${claimed}`)
  }
  const cut = decodeWav(riff(fmt({ channels: 2 }), data(sound)).subarray(0, -1))
  assert.is(cut.channels[0].length, 1)
  assert.is(cut.warnings.length, 2)
  assert.match(cut.warnings[1], /last 3 bytes are not a whole frame/)
})

test('an empty data chunk is an empty clip; a promised one without bytes is an error', () => {
  assert.is(decodeWav(riff(fmt(), data(new Uint8Array()))).channels[0].length, 0)
  assert.is(decodeWav(riff(fmt(), data(new Uint8Array()), chunk('LIST', text('ab')))).channels[0].length, 0)
  throwsAudio(riff(fmt(), data(new Uint8Array(), 100)), /truncated.*claims 100 bytes/)
  throwsAudio(riff(fmt({ channels: 4 }), data(pcm16(1, 2))), /ends inside its first frame \(4 of 8 bytes\)/)
})

test('a wrong frame size in the header is repaired', () => {
  const wav = decodeWav(riff(fmt({ channels: 2, blockAlign: 7 }), data(pcm16(1, 2, 3, 4))))
  assert.equal(
    Array.from(wav.channels[1], x => x * 32768),
    [2, 4],
  )
  assert.match(wav.warnings[0], /frame size of 7 bytes is wrong; read as 4/)
})

test('what is not a WAV file is named, with the way out', () => {
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(), /empty \(0 bytes\)/],
    [text('ID3\x04aaaaaaaaaaa'), /MP3.*ffmpeg -i in\.mp3/],
    [new Uint8Array([0xff, 0xfb, 0x90, 0]), /MP3/],
    [new Uint8Array([0xff, 0xf1, 0x50, 0x80]), /AAC/],
    [text('fLaC\0\0\0\x22'), /FLAC.*in\.flac/],
    [text(`OggS${'\0'.repeat(24)}OpusHead`), /Opus/],
    [text(`OggS${'\0'.repeat(24)}\x01vorbis`), /Ogg/],
    [text('\0\0\0\x20ftypM4A '), /M4A/],
    [text('FORM\0\0\0\0AIFC'), /AIFF/],
    [text('RIFX\0\0\0\0WAVE'), /big-endian/],
    [text('RIFF\0\0\0\0AVI '), /RIFF file of type 'AVI '/],
    [text('RIFF\0\0'), /cut off inside its header/],
    [text('{"codes":[1]}'), /first bytes: 7b 22 63 6f/],
  ]
  for (const [bytes, pattern] of cases) throwsAudio(bytes, pattern)
})

test('headers that make no sense are named', () => {
  const sound = data(pcm16(1, 2))
  throwsAudio(riff(sound), /no 'fmt ' chunk/)
  throwsAudio(riff(fmt()), /no 'data' chunk/)
  throwsAudio(riff(fmt(), chunk('LIST', text('ab'), 1e9)), /'LIST' at byte 36 claims 1000000000 bytes/)
  throwsAudio(riff(chunk('fmt ', u16(1)), sound), /'fmt ' chunk has 2 bytes/)
  throwsAudio(riff(fmt({ channels: 0 }), sound), /0 channels/)
  throwsAudio(riff(fmt({ rate: 0 }), sound), /0 Hz/)
  throwsAudio(riff(fmt({ bits: 0 }), sound), /0-bit pcm/)
  throwsAudio(riff(fmt({ bits: 64 }), sound), /64-bit pcm/)
  throwsAudio(riff(fmt({ tag: 3, bits: 16 }), sound), /16-bit float/)
  throwsAudio(riff(fmt({ tag: 2, bits: 4 }), sound), /compressed \(Microsoft ADPCM\).*ffmpeg/)
  throwsAudio(riff(fmt({ tag: 0x55 }), sound), /compressed \(MP3\)/)
  throwsAudio(riff(fmt({ tag: 0x1234 }), sound), /format 0x1234/)
})

test('a view into a larger buffer is read from its own offset', () => {
  const file = riff(fmt(), data(pcm16(5, 6)))
  const shifted = join(new Uint8Array(3), file).subarray(3)
  assert.equal(
    Array.from(decodeWav(shifted).channels[0], x => x * 32768),
    [5, 6],
  )
  assert.equal(
    Array.from(decodeWav(file.buffer).channels[0], x => x * 32768),
    [5, 6],
  )
})

test('the speech fixtures have the lengths that their table states', () => {
  const cases: [string, number, number, number][] = [
    ['speech.wav', 24000, 1, 123330],
    ['speech-16k.wav', 16000, 1, 60240],
    ['speech-44k-stereo.wav', 44100, 2, 66150],
  ]
  for (const [name, rate, channels, frames] of cases) {
    const wav = decodeWav(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)))
    assert.is(wav.sampleRate, rate, name)
    assert.is(wav.channels.length, channels, name)
    assert.is(wav.channels[0].length, frames, name)
    assert.equal(wav.warnings, [], name)
  }
})

test.run()
