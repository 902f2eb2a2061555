// DM-Codec's and SpeechTokenizer's layers against SpeechTokenizer's package (tests/vectors/make_dmcodec.py).
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Region } from '../../bindings/memory.js'
import { byteSource } from '../../src/checkpoints/bytes.js'
import { openCheckpoint } from '../../src/checkpoints/open.js'
import type { TensorSource } from '../../src/checkpoints/source.js'
import { CheckpointError, ConfigError } from '../../src/errors.js'
import type { Model } from '../../src/models/model.js'
import { loadModel } from '../../src/models/registry.js'
import { receiver } from '../../src/nn/clip.js'
import { finish } from '../../src/nn/rows.js'
import { identical, snr } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { concat, decode, encode, openModel, push, recorder, testFile } from '../support/model.js'
import { random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { cases, vectors } from '../support/vectors.js'

const LEAST_SNR = 100 // dB; measured 127 and more
const CASES = ['long', 'block', 'frame', 'frame_plus_1', 'frame_minus_1', 'short', 'one_sample']
const CODEBOOKS = 8
const expected = vectors('dmcodec/tiny-expected.safetensors')
const CONFIG = cases('dmcodec/tiny-expected.safetensors', 'config')[0].about as Record<string, unknown>
const long = expected.get('long.x')!.data
const longCodes = expected.get('long.codes')!.integers

for (const [file, config] of [
  ['tiny.pt', undefined],
  ['tiny.pt', JSON.stringify(CONFIG)],
  ['snapshot.pt', undefined],
] as const) {
  const { region, model } = await openModel(`vectors/dmcodec/${file}`, { config })
  const name = `${file}${config ? ' with its configuration' : ''}`
  for (const length of CASES) {
    const x = expected.get(`${length}.x`)!.data
    const codes = expected.get(`${length}.codes`)!.integers

    test(`${name}, ${length}: features and codes are the package's, for all codebooks and for the first three`, () => {
      const { probe, stage } = recorder(region)
      assert.equal(encode(region, model, x, probe), [...codes])
      const quality = snr(stage('encoder.layers.12'), expected.get(`${length}.features`)!.data)
      assert.ok(quality > LEAST_SNR, `features: ${quality} dB`)
      const few = encode(region, model, x, undefined, undefined, false, 3)
      assert.equal(
        few,
        [...codes].filter((_, i) => i % CODEBOOKS < 3),
      )
    })

    test(`${name}, ${length}: audio is the package's`, () => {
      const audio = decode(region, model, codes)
      const reference = expected.get(`${length}.audio`)!.data
      assert.is(audio.length, reference.length)
      assert.ok(snr(audio, reference) > LEAST_SNR, `${snr(audio, reference)} dB`)
      const few = decode(
        region,
        model,
        codes.filter((_, i) => i % CODEBOOKS < 3),
        undefined,
        3,
      )
      const quality = snr(few, expected.get(`${length}.few`)!.data)
      assert.ok(quality > LEAST_SNR, `${quality} dB with three codebooks`)
    })
  }
}

const { region, model, heap } = await openModel('vectors/dmcodec/tiny.pt')

/** What a stream makes of codes that come in chunks of so many frames. */
function streamed(local: Region, of: Model, codes: Int32Array, chunks: () => number) {
  const parts: Float32Array[] = []
  const sink = receiver(local, 1, (rows, count) => parts.push(local.heap.f32(rows, count).slice()))
  push(local, of.decoder!(local, sink), codes, chunks, true)
  return concat(parts)
}

test('chunks of any size give the same bits, both ways; codes come when the clip ends', () => {
  const next = random(5)
  const whole = decode(region, model, longCodes)
  for (const most of [1, 700, 4000]) {
    const chunks = () => 1 + Math.floor(((next() + 1) / 2) * most)
    assert.equal(encode(region, model, long, undefined, chunks, true), [...longCodes])
    const local = region.child()
    identical(streamed(local, model, longCodes, chunks), whole, `chunks of ${most}`)
    local.free()
  }
  let codes = 0
  const local = region.child()
  const stage = model.encoder(
    local,
    receiver(local, CODEBOOKS, (_, rows) => {
      codes += rows
    }),
  )
  heap.f32(stage.reserve(long.length), long.length).set(long)
  stage.commit(long.length)
  stage.drain()
  assert.is(codes, 0)
  const shares = [...finish(stage)]
  assert.is(shares.length, 12) // three blocks, four passes
  assert.ok(shares.every((share, i) => Math.abs(share - (i + 1) / 12) < 1e-9))
  assert.is(codes * CODEBOOKS, longCodes.length)
  local.free()
})

test('the last sample changes the first code, and audio needs no more than the model says', () => {
  const { encoderLookahead, decoderLookahead, hopLength } = model.info
  assert.is(encoderLookahead, undefined)
  const { probe, stage } = recorder(region)
  const changed = long.slice()
  changed[changed.length - 1] += 0.5
  encode(region, model, changed, probe)
  const features = expected.get('long.features')!.data
  assert.ok(stage('encoder.layers.12').some((value, i) => i < 12 && value !== features[i]))
  const seen = 7 + decoderLookahead! / hopLength
  const other = longCodes.slice()
  for (let i = seen * CODEBOOKS; i < other.length; i++) other[i] = (other[i] + 7) % 64
  const samples = 7 * hopLength
  const [a, b] = [decode(region, model, other), decode(region, model, longCodes)]
  identical(a.slice(0, samples), b.slice(0, samples))
  assert.ok(a.some((value, i) => i >= samples && i < samples + 2 * hopLength && value !== b[i]))
})

test('encoding holds 16 bytes per frame and channel of the LSTM', () => {
  const peak = (frames: number) => {
    const x = new Float32Array(frames * model.info.hopLength).map((_, i) => (i % 61) / 61)
    const before = heap.used
    heap.peak = before
    const local = region.child()
    const sink = receiver(local, CODEBOOKS, () => {})
    push(local, model.encoder(local, sink), x, () => 4000)
    local.free()
    assert.is(heap.used, before)
    return heap.peak - before
  }
  // from here on the queues of the layers around it have their bounds
  const bytes = peak(12_800) - peak(6400)
  const held = 6400 * 16 * 16 // 16 channels
  assert.ok(Math.abs(bytes - held) < 0.01 * held, `${bytes} bytes more, ${held} expected`)
})

/** The tiny model with other tensors. */
async function altered(change: (source: TensorSource) => Partial<TensorSource>, config?: string) {
  const core = await freshCore()
  const source = await openCheckpoint([await byteSource(testFile('vectors/dmcodec/tiny.pt'))])
  try {
    return await loadModel(core.region, { ...source, ...change(source) }, { config })
  } finally {
    await source.close()
  }
}

const without = (pattern: RegExp) => (source: TensorSource) => {
  const names = source.names().filter(name => !pattern.test(name))
  return { names: () => names, has: (name: string) => names.includes(name) }
}

test('configurations that do not fit are refused', async () => {
  for (const [change, message] of [
    [{ activation: 'Snake' }, /Snake/],
    [{ activation: 'ReLU' }, /activation is "ReLU" .+ expected ELU or Snake/],
    [{ n_filters: 64 }, /n_filters: 2 in the tensors, 64/],
    [{ strides: [8, 5, 4, 2] }, /strides: 8,5,2 in the tensors, 8,5,4,2/],
    [{ dimension: 1024 }, /dimension: 12 in the tensors/],
    [{ bidirectional: false }, /bidirectional: true in the tensors, false/],
    [{ n_residual_layers: 2 }, /n_residual_layers: 1/],
    [{ n_q: 9 }, /n_q: 8 in the tensors, 9/],
    [{ sample_rate: '16k' }, /sample_rate is "16k"/],
    [{ sample_rate: 0.5 }, /sample_rate is 0.5/],
  ] as const)
    await rejects(
      () =>
        openModel('vectors/dmcodec/tiny.pt', { config: JSON.stringify({ ...CONFIG, ...change }) }).then(
          () => {},
        ),
      ConfigError,
      message,
    )
})

test('tensors that do not fit are refused', async () => {
  await rejects(
    () => altered(without(/weight_hh_l1_reverse/)),
    CheckpointError,
    /missing: .*weight_hh_l1_reverse \[64, 16\]/,
  )
  await rejects(() => altered(without(/layers\.4\._codebook\.embed$/)), CheckpointError, /codebook\.embed/)
  await rejects(
    () =>
      altered(source => ({
        info: name => (name.includes('weight_ih_l1') ? { dtype: 'F32', shape: [64, 16] } : source.info(name)),
      })),
    CheckpointError,
    /mis-shaped: .*weight_ih_l1 is \[64, 16\], expected \[64, 32\]/,
  )
  await rejects(
    () =>
      altered(source => ({
        read: async name =>
          name === 'quantizer.vq.layers.2._codebook.inited' ? Float32Array.of(0) : source.read(name),
      })),
    CheckpointError,
    /codebook 2 was never trained/,
  )
  await rejects(
    () =>
      altered(source => ({
        names: () => [...source.names(), 'decoder.model.3.alpha'],
      })),
    ConfigError,
    /Snake/,
  )
})

test.run()
