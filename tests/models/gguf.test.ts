// llama.cpp's WavTokenizer decoder, as its converter writes it (tests/vectors/make_gguf.py), in this engine.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { byteSource, openCheckpoint, type TensorData, writeSafetensors } from '../../src/checkpoints/index.js'
import { type LoadOptions, loadTokenizer } from '../../src/index.js'
import { identical, snr } from '../support/compare.js'
import { testFile } from '../support/model.js'
import { vectors } from '../support/vectors.js'

const F32 = testFile('vectors/gguf/micro-f32.gguf')
const Q5_1 = testFile('vectors/gguf/micro-q5_1.gguf')
const FOLDED = testFile('vectors/wavtokenizer/micro-folded.safetensors')
const frames = vectors('wavtokenizer/micro/frames_40.safetensors')
const CODES = [...frames.get('codes')!.integers]
const load = (source: Parameters<typeof loadTokenizer>[0], options: LoadOptions = {}) =>
  loadTokenizer(source, { deterministic: true, ...options })

async function decoded(source: string | Uint8Array, options: LoadOptions = {}) {
  const tokenizer = await load(source, options)
  const { samples } = await tokenizer.decode(CODES)
  tokenizer.dispose()
  return samples
}

test('it decodes as PyTorch does, with exact GELU and true inverse FFT', async () => {
  const audio = await decoded(F32)
  const quality = snr(audio, frames.get('audio')!.data)

  assert.ok(quality >= 100, `SNR ${quality.toFixed(1)} dB`) // measured: 106 dB
  identical(audio, await decoded(FOLDED))
})

test('it cannot encode, and says so', async () => {
  const tokenizer = await load(F32)
  const { family, canEncode, canDecode, hopLength, codebookSizes, dtype } = tokenizer.info
  assert.equal([family, canEncode, canDecode, dtype], ['wavtokenizer', false, true, 'f32'])
  assert.equal([hopLength, codebookSizes], [32, [16]])
  await tokenizer.encode(new Float32Array(1000)).then(
    () => assert.unreachable(),
    error => assert.match(String(error), /no encoder.*the file that carries the encoder beside this one/),
  )
  tokenizer.dispose()
})

test('with the file of an encoder beside it, it is whole', async () => {
  const encoder = testFile('vectors/wavtokenizer/micro-outetts/encoder/encoder_model.pt')
  const tokenizer = await load([encoder, F32])
  const tokens = await tokenizer.encode(frames.get('input')!.data)
  assert.equal([...tokens.codes[0]], CODES)
  assert.ok(tokenizer.info.canDecode)
  tokenizer.dispose()
})

test('blocks of five bits: every tensor is near, and the audio is that of their values', async () => {
  const [exact, blocks] = [
    await openCheckpoint(await byteSource(F32)),
    await openCheckpoint(await byteSource(Q5_1)),
  ]
  const dtypes = new Map(exact.names().map(name => [name, blocks.info(name).dtype]))
  assert.is([...dtypes.values()].filter(dtype => dtype === 'Q5_1').length, 2)
  assert.is(dtypes.get('convnext.0.pw1.weight'), 'Q5_1')
  for (const [name, dtype] of dtypes) {
    const quality = snr(await blocks.read(name), await exact.read(name))
    const bound = { F32: Number.POSITIVE_INFINITY, F16: 65, Q5_1: 25 }[String(dtype)]!
    assert.ok(quality >= bound, `${name} ${dtype}: ${quality.toFixed(1)} dB`)
  }
  const values: Record<string, TensorData> = {}
  for (const name of blocks.names())
    values[name] = { dtype: 'F32', shape: blocks.info(name).shape, data: await blocks.read(name) }
  await Promise.all([exact.close(), blocks.close()])
  identical(await decoded(Q5_1), await decoded(writeSafetensors(values)))
})

test('any arithmetic on request', async () => {
  const exact = await decoded(F32)
  for (const [dtype, least] of [
    ['f16', 50],
    ['q8', 15],
  ] as const) {
    const quality = snr(await decoded(F32, { dtype }), exact)
    assert.ok(quality >= least && Number.isFinite(quality), `${dtype}: ${quality.toFixed(1)} dB`)
  }
})

test.run()
