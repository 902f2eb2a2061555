// EnCodec's stereo model against its own package and transformers (tests/vectors/make_encodec48.py).
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { channelsOf, encodeWav } from '../../src/audio/index.js'
import { decodeTokens, encodeTokens } from '../../src/codes/index.js'
import { AudioError, ConfigError } from '../../src/errors.js'
import { AudioTokens, loadTokenizer } from '../../src/index.js'
import { identical, snr } from '../support/compare.js'
import { concat, testFile } from '../support/model.js'
import { rejects } from '../support/rejects.js'
import { cases, vectors } from '../support/vectors.js'

const LEAST_SNR = 100 // dB
const LAYOUTS = [
  ['stereo.th', 'stereo', ['long', 'segment', 'stride', 'part', 'few']],
  ['stereo.safetensors', 'stereo-transformers', ['long', 'part', 'few']],
] as const
const SEGMENT = 20 // frames

const configOf = (name: string) =>
  JSON.stringify(cases(`encodec/${name}-expected.safetensors`, 'config')[0].about)
const config = configOf('stereo')
const load = (file: string, options = {}) =>
  loadTokenizer(testFile(`vectors/encodec/${file}`), { config, deterministic: true, ...options })

/** [frames][codebooks] -> [codebook][frame] */
function byCodebook(codes: Int32Array, codebooks: number): number[][] {
  return Array.from({ length: codebooks }, (_, q) => [...codes].filter((_, i) => i % codebooks === q))
}

for (const [file, name, lengths] of LAYOUTS) {
  const tokenizer = await load(file, { config: configOf(name) })
  const expected = vectors(`encodec/${name}-expected.safetensors`)

  test(`${file}: what it is`, () => {
    const { family, sampleRate, channels, segmentFrames, codebooks, frameRate } = tokenizer.info
    assert.equal(
      [family, sampleRate, channels, segmentFrames, codebooks, frameRate],
      ['encodec', 6400, 2, SEGMENT, 4, 20],
    )
  })

  for (const length of lengths) {
    const x = expected.get(`${length}.x`)!.data
    const stereo = channelsOf({ samples: x, channels: 2 })

    test(`${file}, ${length}: codes and levels are the reference's`, async () => {
      const tokens = await tokenizer.encode(stereo)
      assert.equal(
        tokens.codes.map(row => [...row]),
        byCodebook(expected.get(`${length}.codes`)!.integers, 4),
      )
      const levels = expected.get(`${length}.scales`)!.data
      assert.is(tokens.scales!.length, levels.length)
      for (const [i, level] of levels.entries()) assert.ok(Math.abs(tokens.scales![i] / level - 1) < 1e-6)
      const few = await tokenizer.encode(stereo, { codebooks: 2 })
      assert.equal(few.codes, tokens.codes.slice(0, 2))
      assert.equal(few.scales, tokens.scales)
    })

    test(`${file}, ${length}: audio is the reference's, segments cross-faded`, async () => {
      const { samples, channels, sampleRate } = await tokenizer.decode(await tokenizer.encode(stereo))
      const reference = expected.get(`${length}.audio`)!.data
      assert.equal([channels, sampleRate, samples.length], [2, 6400, reference.length])
      assert.ok(snr(samples, reference) > LEAST_SNR, `${snr(samples, reference)} dB`)
    })
  }
}

test('streams and sessions of any cut, saved in between, equal the whole', async () => {
  const x = vectors('encodec/stereo-expected.safetensors').get('long.x')!.data
  using tokenizer = await load('stereo.th')
  const tokens = await tokenizer.encode(channelsOf({ samples: x, channels: 2 }))
  const { samples } = await tokenizer.decode(tokens)
  const pieces: AudioTokens[] = []
  const cuts = [2, 5000, 12_800, x.length]
  const chunks = cuts.map((end, i) => x.subarray(cuts[i - 1] ?? 0, end))
  for await (const piece of tokenizer.encodeStream(chunks)) pieces.push(piece)
  const joined = pieces[0].concat(...pieces.slice(1))
  assert.equal(joined.toJSON(), tokens.toJSON())
  const parts: Float32Array[] = []
  for await (const part of tokenizer.decodeStream([tokens.slice(0, SEGMENT), tokens.slice(SEGMENT)]))
    parts.push(part.samples)
  identical(concat(parts), samples, 'streamed')

  const first = await tokenizer.decodeSession()
  const begun = await first.push(tokens.slice(0, SEGMENT))
  const second = await tokenizer.decodeSession()
  await second.restore(await first.save())
  const rest = [await second.push(tokens.slice(SEGMENT)), await second.end()]
  const all = [begun, ...rest].flatMap(audio => (audio ? [audio.samples] : []))
  identical(concat(all), samples, 'restored')
  await Promise.all([first.close(), second.close()])
  await rejects(
    () => tokenizer.encodeSession().then(session => session.push(x.subarray(0, 3))),
    AudioError,
    /whole frames of 2/,
  )
})

test('mono is both channels, WAV and other rates go in, more channels do not', async () => {
  const x = vectors('encodec/stereo-expected.safetensors').get('part.x')!.data
  const [left, right] = channelsOf({ samples: x, channels: 2 })
  using tokenizer = await load('stereo.th')
  const mono = await tokenizer.encode(left)
  assert.equal(mono.toJSON(), (await tokenizer.encode([left, left])).toJSON())
  const wav = encodeWav([left, right], 6400, 'float32').bytes
  assert.equal((await tokenizer.encode(wav)).toJSON(), (await tokenizer.encode([left, right])).toJSON())
  assert.is((await tokenizer.encode([left, right], { sampleRate: 3200 })).frames, 5)
  await rejects(
    () => tokenizer.encode([left, right, left]),
    AudioError,
    /3 channels; this model takes 1 or 2/,
  )
})

test('silence has a level just above 0, and decodes to finite samples', async () => {
  using tokenizer = await load('stereo.th')
  const tokens = await tokenizer.encode(new Float32Array(7000))
  assert.ok(tokens.scales!.every(scale => scale > 0 && scale < 2e-8))
  const { samples } = await tokenizer.decode(tokens)
  assert.ok(samples.every(value => Math.abs(value) < 1e-6))
})

test('tokens keep their levels in files and cuts; without levels they are 1', async () => {
  const x = vectors('encodec/stereo-expected.safetensors').get('long.x')!.data
  using tokenizer = await load('stereo.th')
  const tokens = await tokenizer.encode(channelsOf({ samples: x, channels: 2 }))
  for (const format of ['wtok', 'json'] as const) {
    const stored = decodeTokens(encodeTokens(tokens, format))
    assert.equal([stored.segmentFrames, stored.scales], [SEGMENT, tokens.scales])
    assert.equal(stored.codes, tokens.codes)
  }
  assert.throws(() => encodeTokens(tokens, 'npy'), /no room for the levels/)
  assert.equal(AudioTokens.from(tokens.toJSON()).scales, tokens.scales)
  assert.equal(tokens.slice(SEGMENT).scales, tokens.scales!.slice(1))
  assert.throws(() => tokens.slice(3), /cut through a segment of 20 frames/)
  assert.throws(() => tokens.concat(tokens), /end within a segment/)
  assert.throws(
    () => new AudioTokens(tokens.codes, { ...tokens, scales: [1] }),
    /1 levels found for 2 segments/,
  )
  assert.throws(
    () => new AudioTokens(tokens.codes, { ...tokens, scales: [1, Number.NaN] }),
    /the level of segment 1 is NaN/,
  )
  const bare = await tokenizer.decode(tokens.codes)
  const ones = await tokenizer.decode(new AudioTokens(tokens.codes, { ...tokens, scales: [1, 1] }))
  identical(bare.samples, ones.samples)
})

test('smaller weights, halves, features, memory', async () => {
  const x = vectors('encodec/stereo-expected.safetensors').get('long.x')!.data
  const stereo = channelsOf({ samples: x, channels: 2 })
  using exact = await load('stereo.th')
  const tokens = await exact.encode(stereo)
  const { samples } = await exact.decode(tokens)
  for (const [dtype, least] of [
    ['f16', 40],
    ['q8', 20],
  ] as const) {
    using small = await load('stereo.th', { dtype, parts: 'decoder' })
    const quality = snr((await small.decode(tokens)).samples, samples)
    assert.ok(quality > least && quality < LEAST_SNR, `${dtype}: ${quality} dB`)
    await rejects(() => small.encode(stereo), ConfigError, /no encoder/)
  }
  assert.is((await exact.features(stereo)).length, tokens.frames * 12)
  assert.is((await exact.embed(tokens)).length, tokens.frames * 12)
  const before = exact.info.memoryBytes
  for (let i = 0; i < 5; i++) await exact.decode(await exact.encode(stereo))
  assert.is(exact.info.memoryBytes, before)
})

test.run()
