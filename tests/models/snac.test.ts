// SNAC against its own package (tests/vectors/make_snac.py), through the models and through the tokenizer.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeTokens, encodeTokens } from '../../src/codes/index.js'
import { ConfigError, TokenError } from '../../src/errors.js'
import { AudioTokens, createWorkerTokenizer, loadTokenizer } from '../../src/index.js'
import { identical, snr } from '../support/compare.js'
import { concat, decode, encode, openModel, recorder, streamedDecode, testFile } from '../support/model.js'
import { random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { sameStages } from '../support/stages.js'
import { cases, vectors } from '../support/vectors.js'

const LEAST_SNR = 100 // dB
const CASES = ['long', 'frame', 'frame_plus_1', 'frame_minus_1', 'short', 'one_sample']
const STRIDES = [4, 2, 1]

const configOf = (name: string) =>
  JSON.stringify(cases(`snac/${name}-expected.safetensors`, 'config')[0].about)

/** The reference's codes, [codebook][frame / stride]. */
function codesOf(expected: ReturnType<typeof vectors>, length: string): number[][] {
  return STRIDES.map((_, i) => [...expected.get(`${length}.codes${i}`)!.integers])
}

/** The same frame by frame, codes for several frames repeated, as models have them. */
function repeated(codes: readonly number[][]): Int32Array {
  const frames = codes[0].length * STRIDES[0]
  return Int32Array.from({ length: frames * codes.length }, (_, i) => {
    const [frame, codebook] = [Math.floor(i / codes.length), i % codes.length]
    return codes[codebook][Math.floor(frame / STRIDES[codebook])]
  })
}

for (const name of ['24k', '44k']) {
  const options = { config: configOf(name) }
  const { region, model, heap } = await openModel(`vectors/snac/${name}.bin`, options)
  const expected = vectors(`snac/${name}-expected.safetensors`)

  for (const length of CASES) {
    const codes = repeated(codesOf(expected, length))

    test(`${name}, ${length}: codes are the reference's, for all codebooks and for the coarsest`, () => {
      const x = expected.get(`${length}.x`)!.data
      assert.equal(encode(region, model, x), [...codes])
      const coarse = encode(region, model, x, undefined, undefined, false, 1)
      assert.equal(
        coarse,
        [...codes].filter((_, i) => i % 3 === 0),
      )
    })

    test(`${name}, ${length}: audio is the reference's without noise`, () => {
      const audio = decode(region, model, codes)
      const reference = expected.get(`${length}.audio`)!.data
      assert.is(audio.length, reference.length)
      assert.ok(snr(audio, reference) > LEAST_SNR, `${snr(audio, reference)} dB`)
      const coarse = codes.filter((_, i) => i % 3 === 0)
      const quality = snr(decode(region, model, coarse, undefined, 1), expected.get(`${length}.few`)!.data)
      assert.ok(quality > LEAST_SNR, `${quality} dB with one codebook`)
    })
  }

  test(`${name}: every layer puts out what the package’s does`, () => {
    const recorded = recorder(region)
    encode(region, model, expected.get('frame_plus_1.x')!.data, recorded.probe)
    decode(region, model, repeated(codesOf(expected, 'frame_plus_1')), recorded.probe)
    const ours = ['whole frames', 'codes', 'quantized']
    sameStages(recorded, expected, { one: 'frame_plus_1', least: LEAST_SNR, ours })
  })

  test(`${name}: chunks of any size give the same bits, both ways`, () => {
    const codes = repeated(codesOf(expected, 'long'))
    const next = random(5)
    const whole = decode(region, model, codes)
    for (const most of [1, 700, 4000]) {
      const chunks = () => 1 + Math.floor(((next() + 1) / 2) * most)
      assert.equal(encode(region, model, expected.get('long.x')!.data, undefined, chunks, true), [...codes])
      identical(streamedDecode(region, model, codes, chunks), whole, `chunks of ${most}`)
    }
  })

  test(`${name}: nothing depends on more of the future than the model says`, () => {
    const { encoderLookahead, decoderLookahead, hopLength } = model.info
    const x = expected.get('long.x')!.data
    const codes = repeated(codesOf(expected, 'long'))
    const before = heap.used
    const cut = x.slice()
    cut.fill(0.5, hopLength + encoderLookahead!)
    assert.equal(encode(region, model, cut).slice(0, 3), [...codes].slice(0, 3))
    const changed = codes.slice()
    for (let i = (1 + decoderLookahead! / hopLength) * 3; i < changed.length; i++)
      changed[i] = (changed[i] + 7) % 64
    identical(
      decode(region, model, changed).slice(0, hopLength),
      decode(region, model, codes).slice(0, hopLength),
      'audio of frame 0',
    )
    assert.is(heap.used, before)
  })

  test(`${name}: tokens know their strides, through encode, streams, files and back`, async () => {
    const x = expected.get('long.x')!.data
    using tokenizer = await loadTokenizer(testFile(`vectors/snac/${name}.bin`), options)
    const tokens = await tokenizer.encode([x])
    assert.equal(
      tokens.codes.map(row => [...row]),
      codesOf(expected, 'long'),
    )
    assert.equal(tokens.strides, STRIDES)
    assert.is(tokens.frames, tokens.codes[2].length)
    assert.is(tokens.bitsPerSecond, (6 / 4 + 6 / 2 + 6) * tokens.frameRate)
    assert.is(tokenizer.info.bitrate, tokens.bitsPerSecond)
    const first = [...tokens.flat()].slice(0, 7)
    const [a, b, c] = tokens.codes
    assert.equal(first, [a[0], b[0], c[0], c[1], b[1], c[2], c[3]])

    const whole = await tokenizer.decode(tokens)
    const pieces: AudioTokens[] = []
    for await (const piece of tokenizer.encodeStream([x.subarray(0, 1000), x.subarray(1000)]))
      pieces.push(piece)
    const joined = pieces[0].concat(...pieces.slice(1))
    assert.equal(joined.toJSON(), tokens.toJSON())
    const parts: Float32Array[] = []
    for await (const { samples } of tokenizer.decodeStream([tokens.slice(0, 4), tokens.slice(4)]))
      parts.push(samples)
    identical(concat(parts), whole.samples, 'streamed')

    for (const format of ['wtok', 'json'] as const) {
      const stored = decodeTokens(encodeTokens(tokens, format))
      assert.equal(
        stored.codes.map(row => [...row]),
        codesOf(expected, 'long'),
        format,
      )
      assert.equal(stored.strides, STRIDES)
      assert.is(stored.frameRate, tokens.frameRate)
      assert.equal(stored.codebookSizes, [64, 64, 64])
    }
    assert.throws(() => encodeTokens(tokens, 'npy'), /codebooks of one rate/)
    const coarse = await tokenizer.encode([x], { codebooks: 1 })
    assert.equal([...coarse.codes[0]], codesOf(expected, 'long')[0])
    assert.is((await tokenizer.decode(coarse)).samples.length, whole.samples.length)
  })
}

test('noise: none by default; a seed gives the same noise every time, in any cut', async () => {
  const expected = vectors('snac/24k-expected.safetensors')
  const codes = repeated(codesOf(expected, 'long'))
  const open = (noise?: number) => openModel('vectors/snac/24k.bin', { noise })
  const [silent, one, again, other] = await Promise.all([open(), open(1), open(1), open(2)])
  const [audio, first, second, third] = [silent, one, again, other].map(({ region, model }) =>
    decode(region, model, codes),
  )
  identical(first, second, 'one seed')
  assert.ok(snr(first, audio) < 60, 'noise is heard')
  assert.ok(snr(first, third) < 60, 'seeds differ')
  identical(
    streamedDecode(one.region, one.model, codes, () => 3),
    first,
    'in chunks',
  )
})

test('an older file without layers of noise, recognised without a configuration', async () => {
  const { region, model } = await openModel('vectors/snac/tiny-nonoise.safetensors')
  const expected = vectors('snac/tiny-nonoise.safetensors')
  const codes = repeated(STRIDES.map((_, i) => [...expected.get(`__codes${i}`)!.integers]))
  assert.is(model.info.sampleRate, 24_000)
  assert.equal(encode(region, model, expected.get('__input')!.data), [...codes])
  assert.ok(snr(decode(region, model, codes), expected.get('__wave')!.data) > LEAST_SNR)
})

test('other strides: codes are the same in any cut', async () => {
  const x = vectors('snac/24k-expected.safetensors').get('long.x')!.data
  for (const vq_strides of [
    [6, 3, 1],
    [40, 20, 5],
  ]) {
    const options = { config: JSON.stringify({ sampling_rate: 24_000, vq_strides }) }
    const { region, model } = await openModel('vectors/snac/24k.bin', options)
    const whole = encode(region, model, x)
    assert.is(whole.length, 3 * vq_strides[0] * Math.ceil(x.length / 512 / vq_strides[0]))
    assert.equal(
      encode(region, model, x, undefined, () => 700, true),
      whole,
    )
  }
})

test('configurations that do not fit are refused', async () => {
  const open = (file: string, config: object) =>
    openModel(`vectors/snac/${file}.bin`, { config: JSON.stringify({ sampling_rate: 24_000, ...config }) })
  for (const [file, config, message] of [
    ['24k', { vq_strides: [8, 4, 2, 1] }, /strides are 8, 4, 2, 1 for 3 codebooks/],
    ['24k', { vq_strides: [4, 3, 1] }, /the first a multiple of all/],
    ['24k', { vq_strides: [4, 1.5, 1] }, /expected one for each/],
    ['24k', { encoder_rates: [2, 3, 8, 8] }, /encoder_rates: 2,4,8,8 in the tensors/],
    ['44k', { attn_window_size: 0.3 }, /attn_window_size is 0.3/],
    ['44k', { attn_window_size: 1e9 }, /attn_window_size is 1000000000/],
  ] as const)
    await rejects(() => open(file, config), ConfigError, message)
  await rejects(() => openModel('vectors/snac/24k.bin', { noise: 0.5 }), ConfigError, /noise is 0.5/)
  const { sampling_rate: _, ...rest } = JSON.parse(configOf('44k'))
  await rejects(
    () => openModel('vectors/snac/44k.bin', { config: JSON.stringify(rest) }),
    ConfigError,
    /do not tell the sample rate/,
  )
})

test('in a worker: the same tokens and audio', async () => {
  const file = testFile('vectors/snac/24k.bin')
  const x = vectors('snac/24k-expected.safetensors').get('long.x')!.data
  using tokenizer = await createWorkerTokenizer(file, { deterministic: true, noise: 3 })
  using local = await loadTokenizer(file, { deterministic: true, noise: 3 })
  assert.equal(tokenizer.info.strides, STRIDES)
  const tokens = await tokenizer.encode(x)
  assert.equal(tokens.toJSON(), (await local.encode(x)).toJSON())
  identical((await tokenizer.decode(tokens)).samples, (await local.decode(tokens)).samples, 'audio')
})

test('a session of tokens of several rates is saved and goes on', async () => {
  using tokenizer = await loadTokenizer(testFile('vectors/snac/24k.bin'), { noise: 3 })
  const x = vectors('snac/24k-expected.safetensors').get('long.x')!.data
  const tokens = await tokenizer.encode(x)
  const { samples } = await tokenizer.decode(tokens)
  const [first, next] = [await tokenizer.decodeSession(), await tokenizer.decodeSession()]
  const start = (await first.push(tokens.slice(0, 8)))?.samples ?? new Float32Array()
  await next.restore(await first.save())
  const rest = [await next.push(tokens.slice(8)), await next.end()].map(part => part?.samples)
  const parts = [start, ...rest].filter(part => part !== undefined)
  identical(concat(parts), samples, 'in two halves')
  const [encoder, other] = [await tokenizer.encodeSession(), await tokenizer.encodeSession()]
  const pieces = [await encoder.push(x.subarray(0, 3001))]
  await other.restore(await encoder.save())
  pieces.push(await other.push(x.subarray(3001)), await other.end())
  const [head, ...tail] = pieces.filter(piece => piece !== undefined)
  assert.equal(head.concat(...tail).toJSON(), tokens.toJSON())
})

test('tokens whose codebooks do not fit their strides are refused', async () => {
  const format = {
    codebookSizes: [64, 64, 64],
    strides: STRIDES,
    frameRate: 46.875,
    sampleRate: 24_000,
    model: 'snac',
  }
  const codes = [[1], [2, 3], [4, 5, 6, 7]]
  const tokens = new AudioTokens(codes, format)
  assert.is(tokens.frames, 4)
  assert.throws(() => tokens.slice(0, 2), /cut through a code of codebook 0/)
  assert.throws(
    () => new AudioTokens([[1], [2], [4, 5, 6, 7]], format),
    /codebook 1 has 2 frames, codebook 0 has 4/,
  )
  assert.throws(() => new AudioTokens(codes, { ...format, strides: [4, 3, 1] }), /strides are 4, 3, 1/)
  using tokenizer = await loadTokenizer(testFile('vectors/snac/tiny-nonoise.safetensors'))
  await rejects(() => tokenizer.decode([[1], [2], [3]]), TokenError, /codebook 1 has 2 frames/)
  const flat = new AudioTokens([[1], [2], [3]], { ...format, strides: undefined })
  await rejects(() => tokenizer.decode(flat), TokenError, /strides/)
})

test.run()
