// DAC against its own package and transformers (tests/vectors/make_dac.py).
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError } from '../../src/errors.js'
import type { ModelOptions } from '../../src/models/registry.js'
import { identical, snr } from '../support/compare.js'
import { decode, encode, openModel, recorder, streamedDecode } from '../support/model.js'
import { random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { sameStages } from '../support/stages.js'
import { cases, vectors } from '../support/vectors.js'

const LEAST_SNR = 100 // dB
const CONFIG = JSON.stringify(cases('dac/transformers-expected.safetensors', 'config')[0].about)

/** Layouts: the package's own file, which says its rate, and transformers'. */
const LAYOUTS: readonly [name: string, file: string, options: ModelOptions][] = [
  ['own', 'own.pth', {}],
  ['transformers', 'transformers.safetensors', { config: CONFIG }],
]
const CASES = ['long', 'frame', 'frame_plus_1', 'frame_minus_1', 'short', 'one_sample']

for (const [name, file, options] of LAYOUTS) {
  const { region, model, heap } = await openModel(`vectors/dac/${file}`, options)
  const expected = vectors(`dac/${name}-expected.safetensors`)
  const codebooks = model.info.codebookSizes.length

  test(`${name}: what the file is`, () => {
    assert.is(model.info.family, 'dac')
    assert.is(model.info.sampleRate, 24_000)
    assert.is(model.info.hopLength, 320)
    assert.is(codebooks, 4)
  })

  for (const length of CASES) {
    const codes = expected.get(`${length}.codes`)!.integers

    test(`${name}, ${length}: codes are the reference's, for all codebooks and for the first two`, () => {
      const x = expected.get(`${length}.x`)!.data
      assert.equal(encode(region, model, x), [...codes])
      const few = encode(region, model, x, undefined, undefined, false, 2)
      assert.equal(
        few,
        [...codes].filter((_, i) => i % codebooks < 2),
      )
    })

    test(`${name}, ${length}: audio is the reference's, then zeros to the end of the frame`, () => {
      for (const [count, audio] of [
        [codebooks, expected.get(`${length}.audio`)!.data],
        [2, expected.get(`${length}.few`)!.data],
      ] as const) {
        const chosen = codes.filter((_, i) => i % codebooks < count)
        const ours = decode(region, model, chosen, undefined, count)
        assert.is(ours.length, (320 * codes.length) / codebooks)
        const quality = snr(ours.subarray(0, audio.length), audio)
        assert.ok(quality > LEAST_SNR, `${quality} dB with ${count} codebooks`)
        assert.ok(ours.subarray(audio.length).every(value => value === 0))
      }
    })
  }

  test(`${name}: chunks of any size give the same bits, both ways`, () => {
    const x = expected.get('long.x')!.data
    const codes = expected.get('long.codes')!.integers
    const next = random(5)
    const whole = decode(region, model, codes)
    for (const most of [1, 700, 4000]) {
      const chunks = () => 1 + Math.floor(((next() + 1) / 2) * most)
      assert.equal(encode(region, model, x, undefined, chunks, true), [...codes])
      identical(streamedDecode(region, model, codes, chunks), whole, `chunks of ${most}`)
    }
  })

  test(`${name}: nothing depends on more of the future than the model says`, () => {
    const { encoderLookahead, decoderLookahead, hopLength } = model.info
    const x = expected.get('long.x')!.data
    const codes = expected.get('long.codes')!.integers
    const before = heap.used
    for (const frame of [0, 3]) {
      const cut = x.slice()
      cut.fill(0.5, (frame + 1) * hopLength + encoderLookahead!)
      assert.equal(
        encode(region, model, cut).slice(0, (frame + 1) * codebooks),
        [...codes].slice(0, (frame + 1) * codebooks),
      )
      const seen = frame + 1 + decoderLookahead! / hopLength
      const changed = codes.slice()
      for (let i = seen * codebooks; i < changed.length; i++) changed[i] = (changed[i] + 7) % 64
      const samples = (frame + 1) * hopLength
      identical(
        decode(region, model, changed).slice(0, samples),
        decode(region, model, codes).slice(0, samples),
        `audio of frame ${frame}`,
      )
    }
    assert.is(heap.used, before)
  })
}

test('every layer puts out what the package’s does', async () => {
  const { region, model } = await openModel('vectors/dac/own.pth')
  const expected = vectors('dac/own-expected.safetensors')
  const recorded = recorder(region)
  encode(region, model, expected.get('frame_plus_1.x')!.data, recorded.probe)
  decode(region, model, expected.get('frame_plus_1.codes')!.integers, recorded.probe)
  const ours = ['whole frames', 'codes', 'quantized']
  sameStages(recorded, expected, { one: 'frame_plus_1', least: LEAST_SNR, ours })
})

test('an older file of transformers, whose rate comes with the configuration', async () => {
  const config = JSON.stringify({ sampling_rate: 16_000 })
  const { region, model } = await openModel('vectors/dac/tiny-stride5.safetensors', { config })
  const expected = vectors('dac/tiny-stride5.safetensors')
  const codes = expected.get('__codes')!.integers
  const codebooks = model.info.codebookSizes.length
  const frames = codes.length / codebooks
  const byFrame = Int32Array.from(
    codes,
    (_, i) => codes[(i % codebooks) * frames + Math.floor(i / codebooks)],
  )
  assert.equal(encode(region, model, expected.get('__input')!.data), [...byFrame])
  const wave = expected.get('__wave')!.data
  assert.ok(snr(decode(region, model, byFrame).subarray(0, wave.length), wave) > LEAST_SNR)
})

test('q8, q12 and f16 matrices decode nearly the same audio; halves load alone', async () => {
  const expected = vectors('dac/own-expected.safetensors')
  const codes = expected.get('long.codes')!.integers
  const audio = expected.get('long.audio')!.data
  for (const [dtype, least] of [
    ['f16', 40],
    ['q12', 40],
    ['q8', 25],
  ] as const) {
    const { region, model } = await openModel('vectors/dac/own.pth', { dtype, parts: 'decoder' })
    assert.is(model.info.canEncode, false)
    const quality = snr(decode(region, model, codes).subarray(0, audio.length), audio)
    assert.ok(quality > least && quality < LEAST_SNR, `${dtype}: ${quality} dB`)
  }
  const { region, model } = await openModel('vectors/dac/own.pth', { parts: 'encoder' })
  assert.is(model.info.canDecode, false)
  assert.equal(encode(region, model, expected.get('long.x')!.data), [...codes])
})

test('other checkpoints’ configurations and unknown rates are refused', async () => {
  const open = (config?: string) => openModel('vectors/dac/transformers.safetensors', { config })
  for (const [config, message] of [
    [undefined, /do not tell the sample rate/],
    ['{', /not JSON/],
    ['{"sampling_rate": "fast"}', /sampling_rate is "fast"/],
    ['{"sampling_rate": 24000, "n_codebooks": 9}', /n_codebooks: 4 in the tensors, 9/],
    ['{"sampling_rate": 24000, "downsampling_ratios": [2, 4, 8, 8]}', /2,4,8,5 in the tensors/],
  ] as const)
    await rejects(() => open(config), ConfigError, message)
})

test.run()
