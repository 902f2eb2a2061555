// Models whose matrices are held as f16 or int8: how close they stay, what they weigh, and that nothing else changes.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { syntheticWavTokenizer } from '../../bench/synthetic.js'
import { byteSource } from '../../src/checkpoints/bytes.js'
import { openSafetensors } from '../../src/checkpoints/safetensors.js'
import { ConfigError, type LoadOptions, loadTokenizer } from '../../src/index.js'
import { loadModel } from '../../src/models/registry.js'
import type { StorageOptions } from '../../src/models/storage.js'
import { identical, snr } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { decode, encode, openModel, recorder, testFile } from '../support/model.js'
import { randomArray } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const TINY = 'vectors/wavtokenizer/tiny-75.ckpt'
const CODES = Array.from({ length: 200 }, (_, frame) => (frame * 37) % 64)
const SAMPLES = randomArray(24_000, 3, 0.3)

/** Decodes and encodes with a tiny model, and keeps what every stage puts out. */
async function runTiny(options: StorageOptions) {
  const { region, model, heap } = await openModel(TINY, options)
  const weights = heap.used
  const stages = recorder(region)
  const audio = decode(region, model, CODES, stages.probe)
  const codes = encode(region, model, SAMPLES, stages.probe)
  return { region, model, audio, codes, stages, weights }
}

const exact = await runTiny({})

test('f16 and q8 decoders stay close to f32, stage by stage, and the encoder is untouched', async () => {
  for (const [dtype, decibels] of [
    ['f16', 60],
    ['q12', 45],
    ['q8', 30],
  ] as const) {
    const reduced = await runTiny({ dtype })
    for (const name of exact.stages
      .names()
      .filter(stage => stage.startsWith('backbone') || stage === 'head.out')) {
      const ratio = snr(reduced.stages.stage(name), exact.stages.stage(name))
      assert.ok(ratio > decibels, `${dtype} ${name}: ${ratio} dB`)
    }
    assert.not.equal(reduced.audio, exact.audio)
    assert.equal(reduced.codes, exact.codes)
    identical(reduced.stages.stage('encoder.model.15'), exact.stages.stage('encoder.model.15'))
    assert.equal([reduced.model.info.dtype, reduced.model.info.encoderDtype], [dtype, 'f32'])
  }
})

test('encoderDtype reduces the encoder alone', async () => {
  for (const [encoderDtype, decibels] of [
    ['f16', 60],
    ['q8', 25],
  ] as const) {
    const reduced = await runTiny({ encoderDtype })
    const name = 'encoder.model.15'
    const ratio = snr(reduced.stages.stage(name), exact.stages.stage(name))
    assert.ok(ratio > decibels && Number.isFinite(ratio), `${encoderDtype}: ${ratio} dB`)
    identical(reduced.audio, exact.audio)
  }
})

test('tokens of a reduced encoder do not depend on how the audio arrives', async () => {
  for (const encoderDtype of ['f16', 'q12', 'q8'] as const) {
    const { region, model, codes } = await runTiny({ encoderDtype })
    for (const chunk of [1000, 4711]) {
      const features = recorder(region)
      assert.equal(
        encode(region, model, SAMPLES, features.probe, () => chunk, true),
        codes,
      )
    }
  }
})

test('one half of a model takes the memory of that half, and says what it cannot do', async () => {
  const [encoder, decoder] = [
    await openModel(TINY, { parts: 'encoder' }),
    await openModel(TINY, { parts: 'decoder' }),
  ]
  assert.equal(encode(encoder.region, encoder.model, SAMPLES), exact.codes)
  identical(decode(decoder.region, decoder.model, CODES), exact.audio)
  const codebook = 64 * encoder.model.info.codebookDim * 4
  const sum = encoder.heap.used + decoder.heap.used - codebook
  assert.ok(Math.abs(sum - exact.weights) < 0.2 * exact.weights, `${sum} and ${exact.weights} bytes`)
  assert.throws(
    () => decode(encoder.region, encoder.model, CODES),
    /no decoder; load it with `parts: 'both'`/,
  )
  assert.throws(() => encode(decoder.region, decoder.model, SAMPLES), /no encoder/)
  const tokenizer = await loadTokenizer(testFile(TINY), { parts: 'decoder', dtype: 'q8' })
  assert.equal(
    [tokenizer.info.canEncode, tokenizer.info.canDecode, tokenizer.info.dtype],
    [false, true, 'q8'],
  )
})

test('the default family, reduced', async () => {
  const source = 'vectors/mini/tiny.safetensors'
  const load = async (options: StorageOptions) => {
    const core = await freshCore()
    const file = await openSafetensors(await byteSource(testFile(source)))
    const names = file.names().filter(name => !name.startsWith('vectors.'))
    const model = await loadModel(core.region, { ...file, names: () => names }, options)
    await file.close()
    return { ...core, model }
  }
  const one = await load({})
  const codes = CODES.map(code => code % one.model.info.codebookSizes[0])
  // not the audio: rounding the pitch lets phases drift apart
  const controls = ({ region, model }: typeof one) => {
    const stages = recorder(region)
    decode(region, model, codes, stages.probe)
    return stages.stage('decoder.head')
  }
  for (const [dtype, decibels] of [
    ['f16', 60],
    ['q8', 30],
  ] as const) {
    const reduced = await load({ dtype })
    const ratio = snr(controls(reduced), controls(one))
    assert.ok(ratio > decibels && Number.isFinite(ratio), `${dtype}: ${ratio} dB`)
    assert.equal(encode(reduced.region, reduced.model, SAMPLES), encode(one.region, one.model, SAMPLES))
  }
})

test('unknown values are named', async () => {
  for (const [options, message] of [
    [{ dtype: 'int8' }, /dtype is 'int8'; expected f32, f16, q8, q12/],
    [{ encoderDtype: 'q4' }, /encoderDtype is 'q4'/],
    [{ parts: 'half' }, /parts is 'half'; expected both, encoder, decoder/],
  ] as const)
    await rejects(
      () => loadTokenizer(testFile(TINY), options as unknown as LoadOptions),
      ConfigError,
      message,
    )
})

test('at the published size a q8 decoder is a quarter of f32, loads without a peak, and decodes 10 s within 110 MiB', async () => {
  const { heap, region } = await freshCore()
  const model = await loadModel(region, syntheticWavTokenizer([2, 4, 5, 8]), {
    dtype: 'q8',
    parts: 'decoder',
  })
  const [codebook, exactBytes] = [4096 * 512 * 4, 62.9e6 * 4]
  const share = (heap.used - codebook) / exactBytes
  assert.ok(Math.abs(share - 0.25) < 0.02, `${share} of the decoder in f32`)
  assert.ok(heap.peak - heap.used < 2 * 2 ** 20, `loading needed ${heap.peak - heap.used} bytes more`)
  decode(
    region,
    model,
    Array.from({ length: 750 }, (_, frame) => (frame * 91) % 4096),
  )
  const mib = heap.capacity / 2 ** 20
  assert.ok(mib < 110, `${mib} MiB`)
})

test.run()
