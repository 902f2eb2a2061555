// Language-Codec and Vocos against the packages that they are made of (tests/vectors/make_vocos.py).
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Region } from '../../bindings/memory.js'
import { AudioError, ConfigError, loadTokenizer, TokenError } from '../../src/index.js'
import type { Model } from '../../src/models/model.js'
import { receiver } from '../../src/nn/clip.js'
import { identical, snr } from '../support/compare.js'
import { converted } from '../support/converted.js'
import { concat, decode, encode, openModel, push, testFile } from '../support/model.js'
import { random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { vectors } from '../support/vectors.js'

const LEAST_SNR = 90 // dB
const CASES = ['long', 'frame', 'frame_plus_1', 'frame_minus_1', 'short', 'one_sample']
const exact = { deterministic: true }

/** What a stream makes of codes that come in chunks of so many frames. */
function streamed(region: Region, model: Model, codes: Int32Array, chunks: () => number) {
  const local = region.child()
  const parts: Float32Array[] = []
  const sink = receiver(local, 1, (rows, count) => parts.push(local.heap.f32(rows, count).slice()))
  push(local, model.decoder!(local, sink), codes, chunks, true)
  local.free()
  return concat(parts)
}

function good(ours: Float32Array, reference: Float32Array, least = LEAST_SNR): void {
  assert.is(ours.length, reference.length)
  const quality = snr(ours, reference)
  assert.ok(quality >= least, `${quality} dB`)
}

const language = await openModel('vectors/languagecodec/tiny.ckpt')
const expected = vectors('languagecodec/expected.safetensors')

for (const length of CASES)
  test(`Language-Codec, ${length}: codes and audio are the reference's, with all codebooks and with three`, () => {
    const { region, model } = language
    const codes = expected.get(`${length}.codes`)!.integers
    const x = expected.get(`${length}.x`)!.data
    assert.equal(encode(region, model, x), [...codes])
    const few = codes.filter((_, i) => i % 8 < 3)
    assert.equal(encode(region, model, x, undefined, undefined, false, 3), [...few])
    assert.equal(
      encode(region, model, x, undefined, undefined, false, 2),
      [...codes].filter((_, i) => i % 8 < 2),
    )
    good(decode(region, model, codes), expected.get(`${length}.audio`)!.data)
    good(decode(region, model, few, undefined, 3), expected.get(`${length}.few`)!.data)
  })

test('Language-Codec: chunks of any size give the same bits, and nothing sees more of the future than the model says', () => {
  const { region, model } = language
  const codes = expected.get('long.codes')!.integers
  const x = expected.get('long.x')!.data
  const whole = decode(region, model, codes)
  const next = random(5)
  for (const most of [1, 700, 4000]) {
    const chunks = () => 1 + Math.floor(((next() + 1) / 2) * most)
    assert.equal(encode(region, model, x, undefined, chunks, true), [...codes])
    identical(streamed(region, model, codes, chunks), whole, `chunks of ${most}`)
  }
  const { encoderLookahead, decoderLookahead, hopLength } = model.info
  const cut = x.slice()
  cut.fill(0.5, 3 * hopLength + encoderLookahead!)
  assert.equal(encode(region, model, cut).slice(0, 3 * 8), [...codes.slice(0, 3 * 8)])
  const changed = codes.slice()
  const seen = 1 + decoderLookahead! / hopLength
  changed.fill(5, seen * 8)
  identical(decode(region, model, changed).slice(0, hopLength), whole.slice(0, hopLength))
})

test('Vocos of EnCodec’s codes: each bitrate has its norms; tokens are EnCodec’s', async () => {
  const { region, model } = await openModel('vectors/vocos/encodec.bin')
  const reference = vectors('vocos/encodec-expected.safetensors')
  for (const count of [2, 4, 8, 16]) {
    const codes = reference.get(`${count}.codes`)!.integers
    const audio = decode(region, model, codes, undefined, count)
    good(audio, reference.get(`${count}.audio`)!.data)
    if (count === 16)
      identical(
        streamed(region, model, codes, () => 2),
        audio,
      )
  }
  const fixed = await openModel('vectors/vocos/encodec.bin', { bandwidthId: 1 })
  const [four, two] = [4, 2].map(count => reference.get(`${count}.codes`)!.integers)
  good(decode(fixed.region, fixed.model, four, undefined, 4), reference.get('4.audio')!.data)
  const other = decode(fixed.region, fixed.model, two, undefined, 2)
  assert.ok(snr(other, reference.get('2.audio')!.data) < 40)

  const vocos = await loadTokenizer(testFile('vectors/vocos/encodec.bin'), exact)
  assert.equal([vocos.info.family, vocos.info.tokensOf, vocos.info.codebooks], ['vocos', 'encodec', 16])
  const encodec = await loadTokenizer(testFile('vectors/encodec/own.th'), exact)
  const tokens = await encodec.encode(new Float32Array(2000).fill(0.1))
  assert.is((await vocos.decode(tokens)).samples.length, 7 * 320)
  await rejects(() => vocos.encode(new Float32Array(2000)), ConfigError, /no encoder/)
  const frames = await vocos.embed(new Array(16).fill([1, 2, 3]))
  identical(
    (await vocos.synthesize(frames)).samples,
    (await vocos.decode(new Array(16).fill([1, 2, 3]))).samples,
  )
})

test('Vocos of mel frames: features and audio are the reference’s', async () => {
  const vocos = await loadTokenizer(testFile('vectors/vocos/mel.bin'), exact)
  const reference = vectors('vocos/mel-expected.safetensors')
  for (const length of ['long', 'hops', 'least']) {
    const features = await vocos.features(reference.get(`${length}.x`)!.data)
    good(features, reference.get(`${length}.features`)!.data, 80)
    const given = reference.get(`${length}.features`)!.data
    good((await vocos.synthesize(given)).samples, reference.get(`${length}.audio`)!.data)
  }
  assert.equal([vocos.info.codebooks, vocos.info.bitrate, vocos.info.canDecode], [0, 0, false])
  await rejects(() => vocos.encode(new Float32Array(2000)), ConfigError, /features\(\) and synthesize\(\)/)
  await rejects(() => vocos.decode([1]), TokenError, /this model has 0/)
  await rejects(() => vocos.synthesize(new Float32Array(101)), AudioError, /whole frames of 100/)
  const bad = new Float32Array(300)
  bad[250] = Number.NaN
  await rejects(() => vocos.synthesize(bad), AudioError, /value 50 of frame 2 is NaN/)
  assert.is((await vocos.synthesize(new Float32Array(0))).samples.length, 0)
})

test('synthesize: frames of a codec are its decoder’s input; WavTokenizer’s sees whole clips', async () => {
  const encodec = await loadTokenizer(testFile('vectors/encodec/own.th'), exact)
  const tokens = await encodec.encode(new Float32Array(2000).fill(0.1))
  identical(
    (await encodec.synthesize(await encodec.embed(tokens))).samples,
    (await encodec.decode(tokens)).samples,
  )
  const whole = await loadTokenizer(testFile('vectors/wavtokenizer/tiny-75.ckpt'), exact)
  await rejects(() => whole.synthesize(new Float32Array(512)), ConfigError, /use decode\(\)/)
})

test('converted files are the same models, and smaller in less than f32', async () => {
  const path = testFile('vectors/languagecodec/tiny.ckpt')
  const x = expected.get('long.x')!.data
  const first = await loadTokenizer(path, exact)
  const tokens = await first.encode(x)
  const audio = (await first.decode(tokens)).samples
  const same = await loadTokenizer(await converted(path), exact)
  assert.equal((await same.encode(x)).codes, tokens.codes)
  identical((await same.decode(tokens)).samples, audio)
  for (const [dtype, least] of [
    ['f16', 50],
    ['q8', 25],
  ] as const) {
    const reduced = await loadTokenizer(await converted(path, { dtype }), exact)
    good((await reduced.decode(tokens)).samples, audio, least)
  }
  const half = await loadTokenizer(await converted(path, { parts: 'decoder' }), exact)
  identical((await half.decode(tokens)).samples, audio)
  await rejects(() => half.encode(x), ConfigError, /no encoder/)

  for (const name of ['encodec', 'mel']) {
    const file = testFile(`vectors/vocos/${name}.bin`)
    const [before, after] = [
      await loadTokenizer(file, exact),
      await loadTokenizer(await converted(file), exact),
    ]
    const frames = new Float32Array(40 * (name === 'mel' ? 100 : 4)).map((_, i) => (i % 7) / 7)
    identical((await after.synthesize(frames)).samples, (await before.synthesize(frames)).samples)
    await rejects(() => loadTokenizer(file, { parts: 'encoder' }), ConfigError, /has no encoder/)
  }
})

test.run()
