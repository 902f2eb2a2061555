// DM-Codec through the public API: codebooks, streams, sessions, dtypes, conversion, halves.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadTokenizer, TokenError } from '../../src/index.js'
import { identical, snr } from '../support/compare.js'
import { converted } from '../support/converted.js'
import { concat, testFile } from '../support/model.js'
import { rejects } from '../support/rejects.js'
import { cut } from '../support/streams.js'
import { vectors } from '../support/vectors.js'

const FILE = testFile('vectors/dmcodec/tiny.pt')
const samples = vectors('dmcodec/tiny-expected.safetensors').get('long.x')!.data
const tokenizer = await loadTokenizer(FILE, { deterministic: true })
const tokens = await tokenizer.encode(samples)
const { samples: audio } = await tokenizer.decode(tokens)

test('info says what a user asks', () => {
  const { family, sampleRate, frameRate, codebooks, bitrate, encoderLookaheadMs, decoderLookaheadMs } =
    tokenizer.info
  assert.equal([family, sampleRate, frameRate, codebooks], ['dmcodec', 16_000, 200, 8])
  assert.is(bitrate, 8 * 6 * 200)
  assert.is(encoderLookaheadMs, undefined) // the whole clip
  assert.is(decoderLookaheadMs, 20)
})

test('one to eight codebooks, each at its share of the bits', async () => {
  for (let codebooks = 1; codebooks <= 8; codebooks++) {
    const few = await tokenizer.encode(samples, { codebooks })
    assert.equal(few.codes, tokens.codes.slice(0, codebooks))
    assert.is(few.bitsPerSecond, (tokens.bitsPerSecond * codebooks) / 8)
    assert.is((await tokenizer.decode(few)).samples.length, audio.length)
  }
  for (const codebooks of [0, 9, 1.5])
    await rejects(() => tokenizer.encode(samples, { codebooks }), TokenError, /this model has 1 to 8/)
})

test('streams give what whole calls give, both ways; tokens come in the end', async () => {
  const streamed = []
  for await (const part of tokenizer.encodeStream(cut(samples, () => 333))) streamed.push(part)
  const [first, ...rest] = streamed
  assert.equal(first.concat(...rest).codes, tokens.codes)
  const parts = []
  for await (const part of tokenizer.decodeStream([
    tokens.slice(0, 9),
    tokens.slice(9, 10),
    tokens.slice(10),
  ]))
    parts.push(part.samples)
  assert.is(parts.length > 1, true)
  identical(concat(parts), audio)
})

test('a session of an unfinished clip is saved and goes on elsewhere', async () => {
  const session = await tokenizer.encodeSession()
  await session.push(samples.subarray(0, 7001))
  const saved = await session.save()
  await session.close()
  const other = await loadTokenizer(FILE, { deterministic: true })
  const next = await other.encodeSession()
  await next.restore(saved)
  await next.push(samples.subarray(7001))
  const rest = await next.end()
  assert.equal(rest?.codes, tokens.codes)
  other.dispose()
})

test('a converted file is the same model, whole and in halves', async () => {
  const file = await converted(FILE, {})
  const same = await loadTokenizer(file, { deterministic: true })
  assert.is(same.info.family, 'dmcodec')
  assert.equal((await same.encode(samples)).codes, tokens.codes)
  identical((await same.decode(tokens)).samples, audio)
  const encoder = await loadTokenizer(await converted(FILE, { parts: 'encoder' }), { deterministic: true })
  assert.equal((await encoder.encode(samples)).codes, tokens.codes)
  assert.not(encoder.info.canDecode)
  const decoder = await loadTokenizer(await converted(FILE, { parts: 'decoder' }), { deterministic: true })
  assert.is(decoder.info.family, 'dmcodec')
  identical((await decoder.decode(tokens)).samples, audio)
  assert.not(decoder.info.canEncode)
})

for (const [dtype, least, equal] of [
  ['f16', 55, 0.95],
  ['q12', 50, 0.9],
  ['q8', 25, 0.6],
] as const)
  test(`${dtype}: near f32, and a converted file gives the same bits`, async () => {
    const reduced = await loadTokenizer(FILE, { deterministic: true, dtype, encoderDtype: dtype })
    const decoded = (await reduced.decode(tokens)).samples
    const quality = snr(decoded, audio)
    assert.ok(quality > least, `${quality} dB`)
    const codes = await reduced.encode(samples)
    const same = codes.codes[0].filter((code, frame) => code === tokens.codes[0][frame]).length
    assert.ok(same >= equal * tokens.frames, `${same} of ${tokens.frames} first codes`)
    const file = await loadTokenizer(await converted(FILE, { dtype, encoderDtype: dtype }), {
      deterministic: true,
    })
    identical((await file.decode(tokens)).samples, decoded)
    assert.equal((await file.encode(samples)).codes, codes.codes)
  })

test.run()
