// Weights stored as int8 and a scale per row, arithmetic in f32: what PyTorch makes of the same weights multiplied out.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { byteSource } from '../../src/checkpoints/bytes.js'
import type { Dtype } from '../../src/checkpoints/dtypes.js'
import { openSafetensors, type TensorData, writeSafetensors } from '../../src/checkpoints/safetensors.js'
import { loadTokenizer } from '../../src/index.js'
import { identical, snr } from '../support/compare.js'
import { testFile } from '../support/model.js'
import { vectors } from '../support/vectors.js'

// made by tests/vectors/make_mini_int8.py; another file of it may be named, such as one of the shipped model
const FILE = process.env.WAVTOK_MINI_INT8 ?? 'mini/int8.safetensors'
const SNR_DB = 100 // measured: 126 dB; at the shipped size 120 dB, all 386 codes of 5 s equal
const expected = vectors(FILE)
const get = (name: string) => expected.get(`vectors.${name}`)!
const samples = expected.has('vectors.samples')
  ? get('samples').data
  : vectors('mini/tiny.safetensors').get('vectors.samples')!.data
const { bytes, matrix, integers, scales } = await modelFile()

/** The file without its vectors, and one of its matrices as stored. */
async function modelFile() {
  const source = await openSafetensors(await byteSource(testFile(`vectors/${FILE}`)))
  const tensors: Record<string, TensorData> = {}
  for (const name of expected.keys()) {
    if (name.startsWith('vectors.')) continue
    const stored = expected.get(name)!
    const data = new Uint8Array(stored.data.buffer)
    const dtype = name.endsWith('.scale') ? 'F32' : (source.info(name).dtype as Dtype)
    tensors[name] = { dtype, shape: stored.shape, data }
  }
  const matrix = 'decoder.blocks.0.pwconv1.weight'
  const { data } = tensors[matrix]
  await source.close()
  return {
    bytes: writeSafetensors(tensors, source.metadata),
    matrix,
    integers: new Int8Array(data.buffer as ArrayBuffer),
    scales: expected.get(`${matrix}.scale`)!.data,
  }
}

test('integers are multiplied by their row’s scale, and the scales are no tensors', async () => {
  const source = await openSafetensors(await byteSource(bytes))
  assert.is(source.info(matrix).dtype, 'I8')
  assert.not(source.names().some(name => name.endsWith('.scale')))
  const columns = integers.length / scales.length
  const values = Float32Array.from(integers, (value, i) => value * scales[Math.floor(i / columns)])
  identical(await source.read(matrix), values)
  assert.ok(new Set(values).size > 20)
  await source.close()
})

test('such a file loads as f32, and tokens and audio equal PyTorch', async () => {
  const tokenizer = await loadTokenizer(bytes, { deterministic: true })
  assert.equal([tokenizer.info.dtype, tokenizer.info.encoderDtype], ['f32', 'f32'])
  const tokens = await tokenizer.encode(samples)
  assert.equal([...tokens.codes[0]], [...get('codes').integers])
  const { samples: audio } = await tokenizer.decode([...get('codes').integers])
  const quality = snr(audio, get('audio').data)
  assert.ok(quality >= SNR_DB, `SNR ${quality.toFixed(1)} dB`)
  tokenizer.dispose()
})

test('q8 arithmetic has to be asked for', async () => {
  const results = async (options: { dtype?: 'q8' | 'f32' }) => {
    const tokenizer = await loadTokenizer(bytes, { deterministic: true, ...options })
    const { samples: audio } = await tokenizer.decode([...get('codes').integers])
    const { dtype } = tokenizer.info
    tokenizer.dispose()
    return { audio, dtype }
  }
  const [exact, asked, reduced] = [
    await results({}),
    await results({ dtype: 'f32' }),
    await results({ dtype: 'q8' }),
  ]
  identical(exact.audio, asked.audio)
  assert.is(reduced.dtype, 'q8')
  assert.ok(exact.audio.some((value, i) => value !== reduced.audio[i]))
})

test.run()
