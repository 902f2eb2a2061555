// The public API on a tiny WavTokenizer: results, options, and every way to be used wrongly.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { byteSource } from '../src/checkpoints/bytes.js'
import { openCheckpoint } from '../src/checkpoints/open.js'
import { writeSafetensors } from '../src/checkpoints/safetensors.js'
import {
  AbortError,
  AudioError,
  type AudioTokenizer,
  AudioTokens,
  CheckpointError,
  ConfigError,
  DisposedError,
  loadTokenizer,
  type Progress,
  TokenError,
} from '../src/index.js'
import { identical, snr } from './support/compare.js'
import { testFile } from './support/model.js'
import { randomArray } from './support/random.js'
import { rejects } from './support/rejects.js'
import { vectors } from './support/vectors.js'

const MODEL = testFile('vectors/wavtokenizer/tiny-75.ckpt')
const YAML = testFile('vectors/wavtokenizer/tiny-75.yaml')
const expected = vectors('wavtokenizer/tiny-75/stereo_44k.safetensors')
const load = () => loadTokenizer(MODEL, { deterministic: true })

test('a path, bytes, a Blob, a Response, a stream and a list with its YAML load the same model', async () => {
  const bytes = readFileSync(MODEL)
  const samples = randomArray(3000, 1, 0.3)
  const sources = [
    MODEL,
    new URL(`file://${MODEL}`),
    bytes,
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    new Blob([bytes]),
    new Response(bytes),
    new Blob([bytes]).stream(),
    [MODEL, YAML],
  ]
  let first: AudioTokens | undefined
  for (const source of sources) {
    const tokenizer = await loadTokenizer(source, { deterministic: true })
    const tokens = await tokenizer.encode(samples)
    first ??= tokens
    assert.equal(tokens.codes, first.codes)
    tokenizer.dispose()
  }
})

test('info tells what was loaded', async () => {
  const { info } = await load()
  assert.is(info.family, 'wavtokenizer')
  assert.is(info.sampleRate, 24_000)
  assert.is(info.hopLength, 320)
  assert.is(info.frameRate, 75)
  assert.equal(info.codebookSizes, [64])
  assert.is(info.bitrate, 6 * 75)
  assert.is(info.build, 'baseline')
  assert.is(info.decoderLookaheadMs, undefined)
  // specs: 554 samples right of the hop's first, three more hops for the last convolution
  assert.is(Math.round(info.encoderLookaheadMs! * 24), 554 - 319 + 3 * 320)
  assert.ok(info.parameters > 10_000 && info.memoryBytes > 4 * info.parameters)
})

test('44.1 kHz stereo equals PyTorch, and all kinds of input agree', async () => {
  const tokenizer = await load()
  const wav = readFileSync(testFile('fixtures/speech-44k-stereo.wav'))
  const frames = (wav.length - 44) / 4
  const channel = (c: number) =>
    Float32Array.from({ length: frames }, (_, i) => wav.readInt16LE(44 + 4 * i + 2 * c) / 32768)
  const [left, right] = [channel(0), channel(1)]
  const cut = [left, right].map(one => one.slice(22_050, 33_075))
  const tokens = await tokenizer.encode(cut, { sampleRate: 44_100 })
  assert.equal([...tokens.codes[0]], [...expected.get('codes')!.integers])
  const whole = await tokenizer.encode(new Uint8Array(wav))
  const buffer = { numberOfChannels: 2, sampleRate: 44_100, getChannelData: (c: number) => [left, right][c] }
  assert.equal((await tokenizer.encode(buffer)).codes, whole.codes)
  const { samples, sampleRate } = await tokenizer.decode(tokens)
  assert.is(sampleRate, 24_000)
  assert.ok(snr(samples, expected.get('audio')!.data) >= 80)
})

test('tokens, numbers and arrays decode alike; embed gives codebook rows', async () => {
  const tokenizer = await load()
  const tokens = await tokenizer.encode(randomArray(5000, 3, 0.2))
  const { samples } = await tokenizer.decode(tokens)
  assert.is(samples.length, tokens.frames * 320)
  for (const same of [
    tokens.codes[0],
    [...tokens.codes[0]],
    tokens.codes,
    AudioTokens.from(JSON.parse(JSON.stringify(tokens))),
  ])
    identical((await tokenizer.decode(same)).samples, samples)
  const vectorsOf = await tokenizer.embed(expected.get('codes')!.integers)
  identical(vectorsOf, expected.get('quantized')!.data)
  const features = await tokenizer.features(expected.get('input')!.data as Float32Array)
  assert.ok(snr(features, expected.get('features')!.data) > 100)
})

test('no tokens decode to no samples', async () => {
  assert.is((await (await load()).decode([])).samples.length, 0)
})

test('bad audio', async () => {
  const tokenizer = await load()
  await rejects(() => tokenizer.encode(new Float32Array(0)), AudioError, /empty/)
  const bad = new Float32Array(1000)
  bad[77] = Number.NaN
  await rejects(() => tokenizer.encode(bad), AudioError, /sample 77/)
  bad[77] = Number.POSITIVE_INFINITY
  await rejects(() => tokenizer.encode([new Float32Array(1000), bad]), AudioError, /77 of channel 1/)
  await rejects(() => tokenizer.encode(new Float32Array(10), { sampleRate: -1 }), AudioError, /sample rate/)
  await rejects(() => tokenizer.encode(new Uint8Array([1, 2, 3])), AudioError, /WAV/)
  assert.is((await tokenizer.encode(new Float32Array(321))).frames, 2, 'and it still works')
})

test('bad tokens', async () => {
  const tokenizer = await load()
  await rejects(() => tokenizer.decode([0, 64]), TokenError, /code 64 at frame 1.*0 to 63/)
  await rejects(() => tokenizer.decode([-1]), TokenError, /code -1/)
  await rejects(() => tokenizer.decode([1.5]), TokenError, /1\.5/)
  await rejects(() => tokenizer.decode([[1], [2]]), TokenError, /2 codebooks/)
  await rejects(() => tokenizer.embed([64]), TokenError, /out of range/)
})

test('bad files', async () => {
  const bytes = readFileSync(MODEL)
  await rejects(() => loadTokenizer(new Uint8Array(0)), CheckpointError, /empty/)
  await rejects(() => loadTokenizer(bytes.subarray(0, bytes.length >> 1)), CheckpointError, /./)
  await rejects(
    () => loadTokenizer(testFile('vectors/torch/hostile-os-system.pt')),
    CheckpointError,
    /never runs|depends on/,
  )
  await rejects(
    () => loadTokenizer(testFile('vectors/torch/dtypes.pt')),
    ConfigError,
    /no known model family/,
  )
  await rejects(() => loadTokenizer('/nowhere/at/all.ckpt'), CheckpointError, /cannot open/)
  await rejects(() => loadTokenizer([MODEL, '/nowhere/at/all.ckpt']), CheckpointError, /cannot open/)
  await rejects(
    () => loadTokenizer(MODEL, { model: 'nonesuch' }),
    ConfigError,
    /unknown model family 'nonesuch'.*wavtokenizer/,
  )
  await rejects(
    () => loadTokenizer([MODEL, testFile('vectors/wavtokenizer/tiny-40.yaml')]),
    ConfigError,
    /another checkpoint[\s\S]*ratios/,
  )
  await rejects(() => loadTokenizer(MODEL, { bandwidthId: 4 }), ConfigError, /rows 0 to 3/)
})

test('missing and mis-shaped tensors are listed in one error', async () => {
  const all = (await tensors()).filter(([name]) => !name.endsWith('convnext.1.gamma'))
  const bias = all.find(([name]) => name === 'backbone.embed.bias')!
  bias[1] = { ...bias[1], shape: [bias[1].shape[0] - 1], data: bias[1].data.subarray(1) }
  all.push(['backbone.stranger', { dtype: 'F32', shape: [1], data: new Float32Array(1) }])
  const call = () => loadTokenizer(writeSafetensors(Object.fromEntries(all)))
  await rejects(call, CheckpointError, /missing: backbone\.convnext\.1\.gamma|1 missing/)
  await rejects(call, CheckpointError, /mis-shaped: backbone\.embed\.bias is \[63\], expected \[64\]/)
  await rejects(call, CheckpointError, /extra: backbone\.stranger/)
})

test('progress rises to its total', async () => {
  const seen: Progress[] = []
  const onProgress = (progress: Progress) => seen.push(progress)
  const tokenizer = await loadTokenizer(MODEL, { onProgress })
  const tokens = await tokenizer.encode(randomArray(24_000 * 20, 1, 0.1), { onProgress })
  await tokenizer.decode(tokens, { onProgress })
  for (const phase of ['weights', 'encode', 'decode']) {
    const loaded = seen.filter(progress => progress.phase === phase).map(progress => progress.loaded)
    assert.ok(loaded.length > 0, phase)
    assert.equal(
      loaded,
      [...loaded].sort((a, b) => a - b),
      `${phase} never falls`,
    )
    if (phase !== 'weights') assert.is(loaded.at(-1), 1)
  }
})

test('an aborted call rejects, gives its memory back, and the next one works', async () => {
  const tokenizer = await load()
  const long = randomArray(24_000 * 30, 1, 0.1)
  const before = tokenizer.info.memoryBytes
  await rejects(() => tokenizer.encode(long, { signal: AbortSignal.abort() }), AbortError, /aborted/)
  const encoding = new AbortController()
  await rejects(
    () => tokenizer.encode(long, { signal: encoding.signal, onProgress: () => encoding.abort() }),
    AbortError,
    /aborted/,
  )
  const tokens = await tokenizer.encode(long)
  const decoding = new AbortController()
  const onProgress = ({ loaded }: Progress) => loaded > 0.3 && decoding.abort()
  await rejects(
    () => tokenizer.decode(tokens, { signal: decoding.signal, onProgress }),
    AbortError,
    /aborted/,
  )
  await rejects(() => loadTokenizer(MODEL, { signal: AbortSignal.abort() }), AbortError, /aborted/)
  assert.is((await tokenizer.decode(tokens)).samples.length, tokens.frames * 320)
  const after = tokenizer.info.memoryBytes
  for (let i = 0; i < 5; i++) {
    const controller = new AbortController()
    await tokenizer
      .encode(long, { signal: controller.signal, onProgress: () => controller.abort() })
      .catch(() => {})
  }
  assert.is(tokenizer.info.memoryBytes, after, `memory was ${before}, then ${after}`)
})

test('calls made at once run one after another and do not disturb each other', async () => {
  const tokenizer = await load()
  const clips = [1, 2, 3, 4].map(seed => randomArray(1000 * seed + 24_000, seed, 0.3))
  const alone: AudioTokens[] = []
  for (const clip of clips) alone.push(await tokenizer.encode(clip))
  const together = await Promise.all([
    ...clips.map(clip => tokenizer.encode(clip)),
    tokenizer.decode(alone[0]),
  ])
  clips.forEach((_, i) => {
    assert.equal((together[i] as AudioTokens).codes, alone[i].codes)
  })
})

test('a disposed tokenizer says so', async () => {
  const tokenizer = await load()
  const pending = tokenizer.encode(randomArray(24_000 * 20, 1, 0.1))
  tokenizer.dispose()
  tokenizer.dispose()
  await rejects(() => pending, DisposedError, /disposed/)
  await rejects(() => tokenizer.encode(new Float32Array(10)), DisposedError, /disposed/)
  await rejects(() => tokenizer.decode([1]), DisposedError, /disposed/)
  assert.throws(() => tokenizer.info, /disposed/)
  let inner: AudioTokenizer
  {
    using scoped = await load()
    inner = scoped
  }
  await rejects(() => inner.encode(new Float32Array(10)), DisposedError, /disposed/)
})

/** The tiny model's tensors, as safetensors entries. */
async function tensors() {
  const source = await openCheckpoint(await byteSource(MODEL))
  type Entry = [string, { dtype: 'F32'; shape: readonly number[]; data: Float32Array<ArrayBuffer> }]
  const read = async (name: string): Promise<Entry> => [
    name,
    { dtype: 'F32', shape: source.info(name).shape, data: await source.read(name) },
  ]
  const all = await Promise.all(source.names().map(read))
  await source.close()
  return all
}

test.run()
