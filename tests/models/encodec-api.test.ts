// EnCodec through the public API: bitrates, streams, dtypes, conversion, halves.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadTokenizer, TokenError } from '../../src/index.js'
import { identical, snr } from '../support/compare.js'
import { converted } from '../support/converted.js'
import { concat, testFile } from '../support/model.js'
import { rejects } from '../support/rejects.js'
import { cut } from '../support/streams.js'
import { vectors } from '../support/vectors.js'

const FILE = testFile('vectors/encodec/own.th')
const samples = vectors('encodec/own-expected.safetensors').get('long.x')!.data
const tokenizer = await loadTokenizer(FILE, { deterministic: true })
const tokens = await tokenizer.encode(samples)
const { samples: audio } = await tokenizer.decode(tokens)

test('info says what a user asks', () => {
  const { family, sampleRate, frameRate, codebooks, bitrate, encoderLookaheadMs, decoderLookaheadMs } =
    tokenizer.info
  assert.equal([family, sampleRate, frameRate, codebooks], ['encodec', 24_000, 75, 8])
  assert.is(bitrate, 8 * 6 * 75)
  assert.equal([encoderLookaheadMs, decoderLookaheadMs], [80, 80]) // of the first frames alone
})

test('two codebooks are a quarter of the bits, and decode', async () => {
  const few = await tokenizer.encode(samples, { codebooks: 2 })
  assert.equal(few.codes, tokens.codes.slice(0, 2))
  assert.is(few.bitsPerSecond, tokens.bitsPerSecond / 4)
  assert.is((await tokenizer.decode(few)).samples.length, audio.length)
  for (const codebooks of [0, 9, 1.5])
    await rejects(() => tokenizer.encode(samples, { codebooks }), TokenError, /this model has 1 to 8/)
})

test('streams give what whole calls give, both ways', async () => {
  const streamed = []
  for await (const part of tokenizer.encodeStream(cut(samples, () => 333))) streamed.push(part)
  const [first, ...rest] = streamed
  assert.equal(first.concat(...rest).codes, tokens.codes)
  const parts = []
  for await (const part of tokenizer.decodeStream(streamed)) parts.push(part.samples)
  identical(concat(parts), audio)
})

test('a converted file is the same model, whole and in halves', async () => {
  const file = await converted(FILE, {})
  const same = await loadTokenizer(file, { deterministic: true })
  assert.equal((await same.encode(samples)).codes, tokens.codes)
  identical((await same.decode(tokens)).samples, audio)
  const encoder = await loadTokenizer(await converted(FILE, { parts: 'encoder' }), { deterministic: true })
  assert.equal((await encoder.encode(samples)).codes, tokens.codes)
  assert.not(encoder.info.canDecode)
  const decoder = await loadTokenizer(await converted(FILE, { parts: 'decoder' }), { deterministic: true })
  identical((await decoder.decode(tokens)).samples, audio)
  assert.not(decoder.info.canEncode)
})

for (const [dtype, least] of [
  ['f16', 55],
  ['q12', 50],
  ['q8', 25],
] as const)
  test(`${dtype}: near f32, and a converted file decodes to the same bits`, async () => {
    const reduced = await loadTokenizer(FILE, { deterministic: true, dtype })
    const decoded = (await reduced.decode(tokens)).samples
    const quality = snr(decoded, audio)
    assert.ok(quality > least, `${quality} dB`)
    assert.ok(reduced.info.memoryBytes <= tokenizer.info.memoryBytes)
    const file = await loadTokenizer(await converted(FILE, { dtype }), { deterministic: true })
    identical((await file.decode(tokens)).samples, decoded)
  })

test.run()
