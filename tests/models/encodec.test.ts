// EnCodec against its own package and transformers (tests/vectors/make_encodec.py).
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError } from '../../src/errors.js'
import type { ModelOptions } from '../../src/models/registry.js'
import { identical, snr } from '../support/compare.js'
import { decode, encode, openModel, streamedDecode } from '../support/model.js'
import { random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { cases, vectors } from '../support/vectors.js'

const LEAST_SNR = 100 // dB; measured 120 and more
const MUSIC = JSON.stringify(cases('encodec/music-expected.safetensors', 'config')[0].about)

/** Layouts: the package's own file, transformers' new one, and a configuration that is not causal and has no shortcuts. */
const LAYOUTS: readonly [name: string, file: string, options: ModelOptions][] = [
  ['own', 'own.th', {}],
  ['transformers', 'transformers.safetensors', {}],
  ['music', 'music.safetensors', { config: MUSIC }],
]
const CASES = ['long', 'frame', 'frame_plus_1', 'frame_minus_1', 'short', 'one_sample']

for (const [name, file, options] of LAYOUTS) {
  const { region, model, heap } = await openModel(`vectors/encodec/${file}`, options)
  const expected = vectors(`encodec/${name}-expected.safetensors`)
  const codebooks = model.info.codebookSizes.length

  for (const length of CASES) {
    const x = expected.get(`${length}.x`)!.data
    const codes = expected.get(`${length}.codes`)!.integers

    test(`${name}, ${length}: codes are the reference's, for all codebooks and for the first three`, () => {
      assert.equal(encode(region, model, x), [...codes])
      const few = encode(region, model, x, undefined, undefined, false, 3)
      assert.equal(
        few,
        [...codes].filter((_, i) => i % codebooks < 3),
      )
    })

    test(`${name}, ${length}: audio is the reference's`, () => {
      const audio = decode(region, model, codes)
      const reference = expected.get(`${length}.audio`)!.data
      assert.is(audio.length, reference.length)
      assert.ok(snr(audio, reference) > LEAST_SNR, `${snr(audio, reference)} dB`)
      const few = codes.filter((_, i) => i % codebooks < 3)
      const ours = decode(region, model, few, undefined, 3)
      const quality = snr(ours, expected.get(`${length}.few`)!.data)
      assert.ok(quality > LEAST_SNR, `${quality} dB with three codebooks`)
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
      const parts = streamedDecode(region, model, codes, chunks)
      identical(parts, whole, `chunks of ${most}`)
    }
  })

  test(`${name}: nothing depends on more of the future than the model says`, () => {
    const { encoderLookahead, decoderLookahead, hopLength } = model.info
    const x = expected.get('long.x')!.data
    const codes = expected.get('long.codes')!.integers
    const before = heap.used
    for (const frame of [0, 6]) {
      const end = (frame + 1) * hopLength + encoderLookahead!
      const cut = x.slice()
      cut.fill(0.5, end)
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

test('transformers’ layout with weight_g and weight_v, 8 of 32 codebooks in use', async () => {
  const { region, model } = await openModel('vectors/encodec/tiny.safetensors')
  const expected = vectors('encodec/tiny.safetensors')
  const codes = expected.get('__codes')!.integers
  const frames = codes.length / 8
  const byFrame = Int32Array.from(codes, (_, i) => codes[(i % 8) * frames + Math.floor(i / 8)])
  assert.equal(encode(region, model, expected.get('__input')!.data), [...byFrame])
  assert.ok(snr(decode(region, model, byFrame), expected.get('__wave')!.data) > LEAST_SNR)
})

test('other checkpoints’ configurations and nonsense are refused', async () => {
  const open = (config: unknown) =>
    openModel('vectors/encodec/transformers.safetensors', {
      config: typeof config === 'string' ? config : JSON.stringify(config),
    })
  for (const [config, message] of [
    ['{', /not JSON/],
    ['[]', /no JSON object/],
    [{ num_filters: 32 }, /num_filters: 2 in the tensors, 32/],
    [{ upsampling_ratios: [8, 5, 4, 4] }, /upsampling_ratios: 8,5,4,2 in the tensors/],
    [{ sampling_rate: -1 }, /sampling_rate is -1/],
    [{ pad_mode: 'toString' }, /pad_mode is "toString"/],
    [{ use_causal_conv: 'no' }, /use_causal_conv is "no"/],
  ] as const)
    await rejects(() => open(config), ConfigError, message)
})

test.run()
