import { inflateSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  codeColour,
  encodePng,
  envelope,
  FLOOR_DB,
  LEVEL_SCALES,
  levelColour,
  peak,
  peakDecibels,
  shades,
  spectrogram,
  ticks,
} from '../../src/plots/index.js'

const test = suite('plots/pictures')

function tone(hz: number, sampleRate: number, length: number, amplitude = 1): Float32Array {
  return Float32Array.from({ length }, (_, t) => amplitude * Math.sin((2 * Math.PI * hz * t) / sampleRate))
}

test('a PNG file has the chunks, sizes and pixels that were given', async () => {
  const pixels = Uint8Array.from({ length: 5 * 3 * 3 }, (_, i) => (i * 37) % 256)
  const bytes = Buffer.from(await encodePng({ width: 5, height: 3, samplesPerPixel: 3, pixels }))
  assert.is(bytes.subarray(1, 4).toString(), 'PNG')
  assert.equal([...bytes.subarray(16, 29)], [0, 0, 0, 5, 0, 0, 0, 3, 8, 2, 0, 0, 0])
  const size = bytes.readUInt32BE(33)
  assert.is(bytes.subarray(37, 41).toString(), 'IDAT')
  const rows = inflateSync(bytes.subarray(41, 41 + size))
  const expected = [0, 1, 2].flatMap(y => [0, ...pixels.subarray(y * 15, (y + 1) * 15)])
  assert.equal([...rows], expected)
  // The end chunk is the same in every PNG file, with a checksum that the standard gives.
  assert.is(bytes.subarray(-12).toString('hex'), '0000000049454e44ae426082')
})

test('a tone of full scale is 0 dB in its own row and nowhere else', async () => {
  for (const sampleRate of [8000, 16000, 24000, 44100]) {
    const shape = { columns: 20, rows: 64, topHz: 4000 }
    const hz = 1531
    const picture = await spectrogram(tone(hz, sampleRate, sampleRate), sampleRate, shape)
    const row = shape.rows - 1 - Math.floor((hz * shape.rows) / shape.topHz)
    for (let column = 1; column < picture.columns - 1; column++) {
      const levels = Array.from(
        { length: shape.rows },
        (_, r) => picture.decibels[r * picture.columns + column],
      )
      const loudest = levels.indexOf(Math.max(...levels))
      assert.ok(Math.abs(loudest - row) <= 1, `${sampleRate} Hz: row ${loudest}, expected ${row}`)
      assert.ok(Math.abs(levels[loudest]) < 1.5, `${sampleRate} Hz: ${levels[loudest]} dB`) // Hann: at most 1.4 dB between bins
      for (const [r, level] of levels.entries())
        if (Math.abs(r - row) > 8) assert.ok(level < -50, `${sampleRate} Hz: ${level} dB in row ${r}`)
    }
  }
})

test('time runs from left to right, and rows beyond the Nyquist frequency are empty', async () => {
  const samples = new Float32Array(24000)
  samples.set(tone(1000, 24000, 12000).subarray(0, 12000), 12000)
  const { columns, rows, decibels, seconds } = await spectrogram(samples, 24000, {
    columns: 10,
    rows: 32,
    topHz: 16000,
  })
  assert.is(columns, 10)
  assert.ok(seconds >= 1 && seconds < 1.01)
  const row = rows - 1 - 2
  assert.ok(decibels[row * columns + 3] < -100)
  assert.ok(decibels[row * columns + 7] > -3)
  assert.ok(decibels.subarray(0, 7 * columns).every(level => level === FLOOR_DB))
})

test('the shortest clips and silence have a picture', async () => {
  for (const length of [1, 2, 127, 128, 129]) {
    const picture = await spectrogram(new Float32Array(length), 24000, {
      columns: 100,
      rows: 16,
      topHz: 12000,
    })
    assert.is(picture.columns, Math.ceil(length / 128))
    assert.is(peakDecibels(picture), FLOOR_DB)
    assert.ok(shades(picture, 0).every(shade => shade === 0))
  }
})

test('shades are linear in dB and end at both ends', () => {
  const picture = { columns: 4, rows: 1, seconds: 1, decibels: Float32Array.of(10, 0, -40, -90) }
  assert.equal([...shades(picture, 0)], [255, 255, 128, 0])
})

test('an envelope holds every sample once', () => {
  const samples = Float32Array.of(0, 0.5, -1, 0.25, -0.125, 0.75, 0.0625)
  const { low, high } = envelope(samples, 3)
  assert.equal([...low], [0, -1, -0.125])
  assert.equal([...high], [0.5, 0.25, 0.75])
  assert.is(envelope(samples, 100).low.length, 7)
  assert.is(peak(samples), 1)
})

test('ticks are round, start at zero and end within the axis', () => {
  assert.equal(ticks(5.14, 12), [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5])
  assert.equal(ticks(12, 6), [0, 2, 4, 6, 8, 10, 12])
  assert.equal(ticks(0.3, 3), [0, 0.1, 0.2, 0.3])
  assert.equal(ticks(3600, 6), [0, 1000, 2000, 3000])
})

test('codes that follow each other look different, and a code always looks the same', () => {
  const distance = (a: number, b: number) => Math.hypot(...codeColour(a).map((c, i) => c - codeColour(b)[i]))
  for (let code = 0; code < 4095; code++) assert.ok(distance(code, code + 1) > 60, `${code}`)
  assert.equal(codeColour(0), [194, 99, 131])
})

test('level scales begin and end at their stops', () => {
  const { light } = LEVEL_SCALES
  assert.equal(levelColour(light, 0), light[0])
  assert.equal(levelColour(light, 1), light.at(-1))
  assert.equal(levelColour(light, 2), light.at(-1))
  assert.equal(levelColour(light, 0.2), light[1])
})

test.run()
