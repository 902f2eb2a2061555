// The default model as shipped: its latency in milliseconds, and exact streaming with the real weights.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadTokenizer } from '../../src/index.js'
import { identical } from '../support/compare.js'
import { concat, testFile } from '../support/model.js'
import { random } from '../support/random.js'
import { cut, speech } from '../support/streams.js'

const ENCODER_MS = 60
const DECODER_MS = 2240 / 24 // 7 hops: 3 of the network, 4 of pitch and overlap
const tokenizer = await loadTokenizer()
const tokens = await tokenizer.encode(speech)
const audio = await tokenizer.decode(tokens)
const codes = tokens.codes[0]

test('the file is the one that its description names, at most 10 MB', () => {
  const { file, sha256, bytes } = JSON.parse(readFileSync(testFile('../weights/mini-24k-75.json'), 'utf8'))
  const weights = readFileSync(testFile(`../weights/${file}`))
  assert.is(createHash('sha256').update(weights).digest('hex'), sha256)
  assert.is(weights.length, bytes)
  assert.ok(bytes <= 10_000_000)
})

test('what it is', () => {
  const { family, sampleRate, frameRate, codebookSizes } = tokenizer.info
  assert.equal([family, sampleRate, frameRate, ...codebookSizes], ['mini', 24_000, 75, 4096])
})

test('a token is out 60 ms after its hop', async () => {
  assert.is(tokenizer.info.encoderLookaheadMs, ENCODER_MS)
  let [sent, made, latest] = [0, 0, 0]
  const source = function* () {
    for (const chunk of cut(speech, () => 8)) {
      sent += chunk.length
      yield chunk
    }
  }
  for await (const { frames } of tokenizer.encodeStream(source())) {
    if (sent === speech.length) break
    made += frames
    latest = Math.max(latest, sent - made * 320)
  }
  assert.is(latest / 24, ENCODER_MS)
})

test('audio follows its token after 93 ms', async () => {
  assert.ok(Math.abs(tokenizer.info.decoderLookaheadMs! - DECODER_MS) < 1e-9)
  let [sent, made, latest] = [0, 0, 0]
  const source = function* () {
    for (const code of codes) {
      sent++
      yield [code]
    }
  }
  for await (const { samples } of tokenizer.decodeStream(source())) {
    if (sent === codes.length) break
    made += samples.length
    latest = Math.max(latest, sent * 320 - made)
  }
  assert.is((Math.ceil(latest / 320) * 320) / 24, DECODER_MS, 'in whole tokens')
})

test('streamed tokens and audio equal whole ones, bit for bit', async () => {
  const next = random(11)
  const sizes = (most: number) => () => 1 + Math.floor(((next() + 1) / 2) * most)
  for (const most of [400, 5000, 1 << 17]) {
    const streamed: number[] = []
    for await (const part of tokenizer.encodeStream(cut(speech, sizes(most)))) streamed.push(...part.codes[0])
    assert.equal(streamed, [...codes], `samples in chunks of up to ${most}`)
  }
  for (const most of [1, 7, 100]) {
    const parts: Float32Array[] = []
    for await (const part of tokenizer.decodeStream(cut(Int32Array.from(codes), sizes(most))))
      parts.push(part.samples)
    const streamed = concat(parts)
    identical(streamed.subarray(0, audio.samples.length), audio.samples, `tokens in chunks of up to ${most}`)
    assert.is(streamed.length, codes.length * 320)
  }
})

test.run()
