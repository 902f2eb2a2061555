// Mimi through the public API: codebooks, streams, dtypes, conversion, halves, and files that are none.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { delay, moshiDelays, undelay } from '../../src/codes/index.js'
import { type AudioTokens, CheckpointError, ConfigError, loadTokenizer, TokenError } from '../../src/index.js'
import { identical, snr } from '../support/compare.js'
import { converted } from '../support/converted.js'
import { concat, testFile } from '../support/model.js'
import { rejects } from '../support/rejects.js'
import { vectors } from '../support/vectors.js'

const TINY = testFile('vectors/mimi/tiny.safetensors')
const KYUTAI = testFile('vectors/mimi/tiny-kyutai.safetensors')
const samples = vectors('mimi/past_the_window.safetensors').get('input')!.data
const exact = { deterministic: true }
const tokenizer = await loadTokenizer(TINY, exact)
const tokens = await tokenizer.encode(samples)
const audio = (await tokenizer.decode(tokens)).samples

/** The safetensors file at `path` with its header changed by `edit`. */
function edited(
  path: string,
  edit: (header: Record<string, { shape: number[] }>, metadata: Record<string, string>) => void,
) {
  const bytes = readFileSync(path)
  const length = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length))
  edit(header, header.__metadata__)
  const text = Buffer.from(JSON.stringify(header))
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(text.length))
  return new Uint8Array(Buffer.concat([size, text, bytes.subarray(8 + length)]))
}

test('info', () => {
  const {
    family,
    sampleRate,
    hopLength,
    frameRate,
    codebooks,
    codebookSizes,
    bitrate,
    canEncode,
    canDecode,
  } = tokenizer.info
  assert.equal(
    { family, sampleRate, hopLength, frameRate, codebooks, bitrate, canEncode, canDecode },
    {
      family: 'mimi',
      sampleRate: 24_000,
      hopLength: 1920,
      frameRate: 12.5,
      codebooks: 6,
      bitrate: 6 * 5 * 12.5,
      canEncode: true,
      canDecode: true,
    },
  )
  assert.equal(codebookSizes, [32, 32, 32, 32, 32, 32])
  assert.is(tokenizer.info.encoderLookaheadMs, 0)
  assert.is(tokenizer.info.decoderLookaheadMs, 0)
})

test('fewer codebooks: the first rows, and their audio', async () => {
  for (const codebooks of [1, 2, 6]) {
    const few = await tokenizer.encode(samples, { codebooks })
    assert.equal(few.codes, tokens.codes.slice(0, codebooks))
    assert.is(few.bitsPerSecond, codebooks * 5 * 12.5)
    const heard = await tokenizer.decode(few)
    assert.is(heard.samples.length, few.frames * 1920)
    if (codebooks === 6) identical(heard.samples, audio)
    else assert.ok(snr(heard.samples, audio) < 40)
    assert.is((await tokenizer.embed(few)).length, few.frames * 32)
  }
  for (const codebooks of [0, 7, 1.5, Number.NaN])
    await rejects(() => tokenizer.encode(samples, { codebooks }), TokenError, /1 to 6/)
})

test('streams of 80 ms equal the whole clip bit for bit, with any number of codebooks', async () => {
  for (const codebooks of [undefined, 1, 4]) {
    const offline = await tokenizer.encode(samples, { codebooks })
    function* frames() {
      for (let at = 0; at < samples.length; at += 1920) yield samples.subarray(at, at + 1920)
    }
    const parts: AudioTokens[] = []
    for await (const part of tokenizer.encodeStream(frames(), { codebooks })) {
      assert.is(part.frames, 1, 'a frame comes as soon as its samples are there')
      parts.push(part)
    }
    assert.equal(parts[0].concat(...parts.slice(1)).codes, offline.codes)
    const heard: Float32Array[] = []
    for await (const part of tokenizer.decodeStream(parts)) {
      assert.is(part.samples.length, 1920)
      heard.push(part.samples)
    }
    identical(concat(heard), (await tokenizer.decode(offline)).samples)
  }
})

test('a stream keeps to one number of codebooks', async () => {
  const stream = tokenizer.decodeStream([
    tokens.slice(0, 1),
    await tokenizer.encode(samples, { codebooks: 2 }),
  ])
  await stream.next()
  await rejects(() => stream.next(), TokenError, /6 codebooks/)
})

test('wrong codes are refused', async () => {
  await rejects(() => tokenizer.decode([[0], [32]]), TokenError, /code 32 at frame 0 of codebook 1/)
  await rejects(() => tokenizer.decode(Array.from({ length: 7 }, () => [0])), TokenError, /7 codebooks/)
  await rejects(() => tokenizer.decode([[0, 1], [0]]), TokenError, /frames/)
  assert.is((await tokenizer.decode([[], []])).samples.length, 0)
})

test('f16, q12 and q8: memory and distance', async () => {
  for (const [dtype, decibels] of [
    ['f16', 60],
    ['q12', 45],
    ['q8', 25],
  ] as const) {
    const reduced = await loadTokenizer(TINY, { ...exact, dtype })
    const ratio = snr((await reduced.decode(tokens)).samples, audio)
    assert.ok(ratio > decibels && Number.isFinite(ratio), `${dtype}: ${ratio.toFixed(1)} dB`)
    assert.equal((await reduced.encode(samples)).codes, tokens.codes, 'the encoder is untouched')
    const other = await loadTokenizer(TINY, { ...exact, encoderDtype: dtype })
    identical((await other.decode(tokens)).samples, audio)
    const [ours, theirs] = await Promise.all([other.features(samples), tokenizer.features(samples)])
    assert.ok(snr(ours, theirs) > decibels - 10, `${dtype} features: ${snr(ours, theirs).toFixed(1)} dB`)
  }
})

test('converted files give what the originals give, halves their half', async () => {
  for (const path of [TINY, KYUTAI]) {
    const file = await converted(path, { dtype: 'q8' })
    const direct = await loadTokenizer(path, { ...exact, dtype: 'q8' })
    const stored = await loadTokenizer(file, exact)
    assert.equal([stored.info.family, stored.info.dtype], ['mimi', 'q8'])
    assert.equal((await stored.encode(samples)).codes, tokens.codes)
    identical((await stored.decode(tokens)).samples, (await direct.decode(tokens)).samples)
    const encoder = await loadTokenizer(await converted(path, { parts: 'encoder' }), exact)
    assert.equal((await encoder.encode(samples)).codes, tokens.codes)
    await rejects(() => encoder.decode(tokens), ConfigError, /no decoder/)
    const decoder = await loadTokenizer(await converted(path, { parts: 'decoder' }), exact)
    identical((await decoder.decode(tokens)).samples, audio)
    await rejects(() => decoder.encode(samples), ConfigError, /no encoder/)
  }
})

test('the names that transformers and Kyutai have used for the same tensors are one model', async () => {
  const renamed = (path: string, rules: readonly (readonly [RegExp, string])[]) =>
    edited(path, header => {
      for (const [name, value] of Object.entries(header)) {
        delete header[name]
        header[rules.reduce((text, [from, to]) => text.replace(from, to), name)] = value
      }
    })
  const inMemory = renamed(TINY, [
    [/^((en|de)coder)\.layers/, '$1.$1_seanet.layers'],
    [/^((en|de)coder)_transformer/, '$1.$1_transformer'],
    [/^downsample/, 'encoder.downsample'],
    [/^upsample/, 'decoder.upsample'],
  ])
  const older = renamed(KYUTAI, [
    [/in_projs\.0\.weight/, 'in_proj_weight'],
    [/out_projs\.0\.weight/, 'out_proj.weight'],
    [/embedding_sum/, 'embed_avg'],
    [/cluster_usage/, 'cluster_size'],
    [/_initialized/, 'inited'],
  ])
  for (const file of [inMemory, older])
    assert.equal((await (await loadTokenizer(file, exact)).encode(samples)).codes, tokens.codes)
})

test('a config.json beside the weights says what shapes cannot', async () => {
  const bare = edited(TINY, (_, metadata) => delete metadata.config)
  await rejects(() => loadTokenizer(bare), ConfigError, /32 channels in 8 heads/)
  const config = JSON.stringify({ num_attention_heads: 2, sliding_window: 10 })
  assert.equal((await (await loadTokenizer(bare, { ...exact, config })).encode(samples)).codes, tokens.codes)
  const file = new File([config], 'config.json')
  assert.equal(
    (await (await loadTokenizer([new Blob([bare]), file], exact)).encode(samples)).codes,
    tokens.codes,
  )
})

test('files that are no whole Mimi, and configurations of another, are refused with what is wrong', async () => {
  const without = (pattern: RegExp) =>
    edited(TINY, header => {
      for (const [name, value] of Object.entries(header)) {
        if (!pattern.test(name)) continue
        delete header[name]
        header[`gone.${name}`] = value
      }
    })
  await rejects(() => loadTokenizer(without(/fc2/)), CheckpointError, /missing: .*fc2/)
  await rejects(() => loadTokenizer(without(/^encoder_transformer/)), CheckpointError, /encoder_transformer/)
  await rejects(() => loadTokenizer(without(/semantic.*embed_sum/)), CheckpointError, /embed_sum/)
  for (const [config, message] of [
    ['{"num_attention_heads": 2, "sliding_window": 0}', /sliding_window/],
    ['{"num_attention_heads": 2, "sliding_window": 1e9}', /sliding_window/],
    ['{"num_attention_heads": 3}', /3 heads/],
    ['{"num_attention_heads": 2, "rope_theta": 0.5}', /rope_theta/],
    ['{"num_attention_heads": 2, "codebook_size": 2048}', /another checkpoint/],
    ['{"num_attention_heads": "2"}', /num_attention_heads/],
    ['[1]', /no JSON object/],
    ['heads: 2', /not JSON/],
  ] as const)
    await rejects(() => loadTokenizer(TINY, { config }), ConfigError, message)
})

test("Moshi's delays there and back", async () => {
  const delayed = delay(tokens.codes, moshiDelays(6), 2048)
  assert.is(delayed[0].length, tokens.frames + 1)
  assert.equal([delayed[0].at(-1), delayed[1][0], delayed[5][0]], [2048, 2048, 2048])
  assert.equal(
    undelay(delayed, moshiDelays(6)),
    tokens.codes.map(row => [...row]),
  )
})

test.run()
