import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeWav } from '../../src/audio/index.js'
import { decodeAudio } from '../../src/cli/audio_file.js'
import { withBench } from './harness.js'

const RATE = 24000
const vector = (name: string) => readFileSync(new URL(`../vectors/compressed/${name}`, import.meta.url))
const speech = decodeWav(
  readFileSync(new URL('../fixtures/speech.wav', import.meta.url)),
).channels[0].subarray(0, RATE)

/** Largest normalised correlation of `heard` with the speech for delays of up to 0.1 s, after which codecs may begin. */
function likeness(heard: Float32Array, rate: number): number {
  const step = rate / RATE
  let best = 0
  for (let delay = 0; delay < 0.1 * rate; delay++) {
    let [product, energy, heardEnergy] = [0, 0, 0]
    for (let i = 0; i < RATE; i += 5) {
      const y = heard[Math.round(i * step) + delay] ?? 0
      product += speech[i] * y
      energy += speech[i] ** 2
      heardEnergy += y ** 2
    }
    best = Math.max(best, product / Math.sqrt(energy * heardEnergy))
  }
  return best
}

test('FLAC gives every sample of the WAV file', async () => {
  const { channels, sampleRate, warnings } = await decodeAudio(vector('speech.flac'))
  assert.is(sampleRate, RATE)
  assert.equal(warnings, [])
  assert.is(channels[0].length, RATE)
  assert.ok(channels[0].every((x, i) => Math.abs(x - speech[i]) <= 1 / 32768))
})

for (const name of ['mp3', 'ogg', 'opus'])
  test(`${name}: a second of the same speech`, async () => {
    const { channels, sampleRate } = await decodeAudio(vector(`speech.${name}`))
    const seconds = channels[0].length / sampleRate
    assert.ok(seconds >= 0.99 && seconds < 1.15, `${seconds} s`)
    assert.ok(likeness(channels[0], sampleRate) > 0.9)
  })

test('a FLAC file that is cut off says how much could be read; nonsense is refused', async () => {
  const { channels, warnings } = await decodeAudio(vector('speech.flac').subarray(0, 12000))
  assert.ok(channels[0].length > 0 && channels[0].length < RATE)
  assert.match(warnings[0], new RegExp(`cut off: ${channels[0].length} of ${RATE} samples`))
  for (const head of [
    'fLaC nonsense',
    'ID3 nonsense',
    'OggS nonsense',
    '\x1a\x45\xdf\xa3 nonsense',
    '....ftypM4A nonsense',
  ])
    try {
      await decodeAudio(Buffer.from(head, 'latin1'))
      assert.unreachable(head)
    } catch (error) {
      assert.is((error as { code?: string }).code, 'AUDIO', `${head}: ${error}`)
    }
  try {
    await decodeAudio(Buffer.from('text'))
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, /not a WAV file: this is something else/)
  }
})

test(
  'a directory of several formats is encoded whole; info explains each',
  withBench(async bench => {
    for (const name of ['flac', 'mp3', 'opus'])
      bench.write(`in/${name}/speech.${name}`, vector(`speech.${name}`))
    assert.is(await bench.run('encode', '@in', '-o', '@out/', '--json'), 0)
    assert.equal(
      bench.files.filter(name => name.startsWith('out')),
      ['out/flac/speech.wtok', 'out/mp3/speech.wtok', 'out/opus/speech.wtok'],
    )
    assert.is(await bench.run('info', '@in/flac/speech.flac', '--json'), 0)
    const [about] = bench.json
    assert.is(about.frames, RATE)
    assert.is(about.kind, 'audio')
    assert.not('bitsPerSample' in about)
  }),
)

test.run()
