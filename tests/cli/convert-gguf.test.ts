// `convert -o OUT.gguf`: read back here, and by the `gguf` package where Python has it (tests/vectors/requirements-gguf.txt).
import { spawnSync } from 'node:child_process'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { byteSource, openCheckpoint } from '../../src/checkpoints/index.js'
import { type LoadOptions, loadTokenizer } from '../../src/index.js'
import { identical, snr } from '../support/compare.js'
import { testFile } from '../support/model.js'
import { randomArray } from '../support/random.js'
import { vectors } from '../support/vectors.js'
import { withBench } from './harness.js'

const MINI = testFile('vectors/mini/tiny.safetensors')
const WAVTOKENIZER = testFile('vectors/wavtokenizer/tiny-75.ckpt')
const FOLDED = testFile('vectors/wavtokenizer/micro-folded.safetensors')
const LLAMAS = testFile('vectors/gguf/micro-f32.gguf')
const CODECS = [
  ['WavTokenizer', WAVTOKENIZER],
  ['Mimi', testFile('vectors/mimi/upstream-tiny.safetensors')],
  ['EnCodec', testFile('vectors/encodec/own.th')],
] as const

async function results(source: string, options: LoadOptions = {}) {
  const tokenizer = await loadTokenizer(source, { deterministic: true, ...options })
  const { info } = tokenizer
  const tokens = info.canEncode ? await tokenizer.encode(randomArray(9000, 5, 0.3)) : undefined
  const size = info.codebookSizes[0]
  const frames = info.codebookSizes.map(() => Array.from({ length: 12 }, (_, frame) => (frame * 7) % size))
  const { samples } = await tokenizer.decode(frames)
  tokenizer.dispose()
  return { info, codes: tokens?.codes, samples }
}

for (const [name, file] of CODECS)
  test(
    `${name}: one f32 file carries the codec, bit for bit`,
    withBench(async bench => {
      assert.is(await bench.run('convert', file, '-o', '@codec.gguf', '--json'), 0)
      const [figures] = bench.json
      assert.is(figures.bytes, bench.read('codec.gguf').length)
      const [before, after] = [await results(file), await results(bench.path('codec.gguf'))]
      assert.equal(after.codes, before.codes)
      identical(after.samples, before.samples)
      assert.is(after.info.parameters, before.info.parameters)
      const back = bench.path('back.safetensors')
      assert.is(await bench.run('convert', bench.path('codec.gguf'), '-o', back), 0)
      identical((await results(back)).samples, before.samples)
    }),
  )

test(
  'f16 and q8: matrices in halves and blocks, rows that do not divide in halves; loaded as what they were converted to',
  withBench(async bench => {
    for (const [dtype, least] of [
      ['f16', 50],
      ['q8', 15],
    ] as const) {
      const options = ['--dtype', dtype, '--encoder-dtype', dtype]
      assert.is(await bench.run('convert', WAVTOKENIZER, '-o', '@small.gguf', ...options), 0)
      const [exact, small] = [await results(WAVTOKENIZER), await results(bench.path('small.gguf'))]
      assert.equal([small.info.dtype, small.info.encoderDtype], [dtype, dtype])
      const quality = snr(small.samples, exact.samples)
      assert.ok(quality > least, `${dtype}: ${quality} dB`)
      const file = await openCheckpoint(await byteSource(bench.path('small.gguf')))
      const dtypes = new Set(file.names().map(name => file.info(name).dtype))
      assert.equal([...dtypes].sort(), dtype === 'q8' ? ['F16', 'F32', 'Q8_0'] : ['F16', 'F32'])
      await file.close()
    }
    assert.is(await bench.run('convert', WAVTOKENIZER, '-o', '@no.gguf', '--dtype', 'q12'), 1)
    assert.match(bench.stderr.text, /GGUF has no 12-bit integers/)
    assert.not(bench.files.includes('no.gguf'))
  }),
)

test(
  'a WavTokenizer’s decoder has llama.cpp’s names, shapes, values and keys',
  withBench(async bench => {
    assert.is(await bench.run('convert', FOLDED, '-o', '@decoder.gguf', '--parts', 'decoder'), 0)
    const ours = await openCheckpoint(await byteSource(bench.path('decoder.gguf')))
    const theirs = await openCheckpoint(await byteSource(LLAMAS))
    assert.equal(ours.names().toSorted(), theirs.names().toSorted())
    for (const name of theirs.names()) {
      assert.equal(ours.info(name), theirs.info(name), name)
      identical(await ours.read(name), await theirs.read(name), name)
    }
    for (const [key, value] of Object.entries(theirs.metadata)) assert.is(ours.metadata[key], value, key)
    await Promise.all([ours.close(), theirs.close()])
    const codes = [...vectors('wavtokenizer/micro/frames_40.safetensors').get('codes')!.integers]
    const decode = async (source: string) => {
      const tokenizer = await loadTokenizer(source, { deterministic: true })
      const { samples } = await tokenizer.decode(codes)
      tokenizer.dispose()
      return samples
    }
    identical(await decode(bench.path('decoder.gguf')), await decode(LLAMAS))
  }),
)

test(
  'info tells the architecture and what is stored',
  withBench(async bench => {
    const decoder = ['--parts', 'decoder', '--dtype', 'q8']
    assert.is(await bench.run('convert', FOLDED, '-o', '@decoder.gguf', ...decoder), 0)
    assert.is(await bench.run('convert', MINI, '-o', '@mini.gguf', '--dtype', 'f16'), 0)
    assert.is(await bench.run('info', '@decoder.gguf'), 0)
    assert.match(bench.stdout.text, /GGUF checkpoint[\s\S]* Q8_0\)[\s\S]*architecture wavtokenizer-dec/i)
    assert.is(await bench.run('info', '@mini.gguf', '--json'), 0)
    const [{ architecture, stored }] = bench.json
    assert.is(architecture, 'wavtok')
    assert.ok((stored as { dtypes: Record<string, number> }).dtypes.F16 > 0)
  }),
)

const python = process.env.PYTHON ?? 'python3'
const hasGguf = spawnSync(python, ['-c', 'import gguf, numpy']).status === 0
const READ = `
import sys, json, gguf
reader = gguf.GGUFReader(sys.argv[1])
text = lambda field: bytes(field.parts[field.data[0]]).decode()
print(json.dumps({
  'architecture': text(reader.fields['general.architecture']),
  'family': text(reader.fields['wavtok.family']),
  'tensors': {t.name: [t.tensor_type.name, [int(n) for n in t.shape],
                       float(gguf.quants.dequantize(t.data, t.tensor_type).astype('float64').sum())] for t in reader.tensors},
}))`

if (hasGguf)
  test(
    'the gguf package reads the same tensors',
    withBench(async bench => {
      for (const dtype of ['f32', 'f16', 'q8']) {
        assert.is(await bench.run('convert', WAVTOKENIZER, '-o', '@codec.gguf', '--dtype', dtype), 0)
        const { stdout, stderr } = spawnSync(python, ['-c', READ, bench.path('codec.gguf')], {
          encoding: 'utf8',
        })
        assert.is(stderr, '')
        const read = JSON.parse(stdout)
        assert.equal([read.architecture, read.family], ['wavtok', 'wavtokenizer'])
        const file = await openCheckpoint(await byteSource(bench.path('codec.gguf')))
        assert.equal(Object.keys(read.tensors).toSorted(), file.names().toSorted())
        for (const [name, [type, sizes, sum]] of Object.entries<[string, number[], number]>(read.tensors)) {
          const { dtype: stored, shape } = file.info(name)
          assert.equal([type, sizes.toReversed()], [stored, shape], name)
          const ours = (await file.read(name)).reduce((total, value) => total + value, 0)
          assert.ok(Math.abs(ours - sum) <= 1e-9 * Math.max(1, Math.abs(sum)), `${name}: ${ours} and ${sum}`)
        }
        await file.close()
      }
    }),
  )
else console.log(`convert-gguf: ${python} has no gguf package; its reading is not checked here`)

test.run()
