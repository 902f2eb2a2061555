import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { byteSource, openCheckpoint, openSafetensors } from '../../src/checkpoints/index.js'
import { type LoadOptions, loadTokenizer } from '../../src/index.js'
import { identical, snr } from '../support/compare.js'
import { testFile } from '../support/model.js'
import { randomArray } from '../support/random.js'
import { type Bench, withBench } from './harness.js'

const TINY = testFile('vectors/wavtokenizer/tiny-75.ckpt')
const YAML = testFile('vectors/wavtokenizer/tiny-75.yaml')
const MINI = testFile('vectors/mini/tiny.safetensors')
const CODES = Array.from({ length: 40 }, (_, frame) => (frame * 7) % 64)

/** A file in memory: nothing to close. */
function open(bench: Bench, name: string) {
  return byteSource(bench.read(name)).then(openSafetensors)
}

/** Tokens of some noise and audio of CODES. */
async function results(source: string, options: LoadOptions = {}) {
  const tokenizer = await loadTokenizer(source, { deterministic: true, ...options })
  const { info } = tokenizer
  const codes = info.canEncode ? (await tokenizer.encode(randomArray(9000, 5, 0.3))).codes : undefined
  const audio = info.canDecode ? (await tokenizer.decode(CODES)).samples : new Float32Array(0)
  tokenizer.dispose()
  return { info, codes, audio }
}

test(
  'an f32 file has upstream’s names, weight norm folded, only what inference needs, and gives the same results',
  withBench(async bench => {
    assert.is(await bench.run('convert', TINY, YAML, '-o', '@new/out.safetensors', '--json'), 0)
    const bytes = bench.read('new/out.safetensors')
    const [figures] = bench.json
    assert.is(figures.bytes, bytes.length)
    assert.is(figures.inputBytes, readFileSync(TINY).length + readFileSync(YAML).length)
    assert.is(figures.sha256, createHash('sha256').update(bytes).digest('hex'))
    assert.equal(bench.files, ['new/out.safetensors'])

    const file = await open(bench, 'new/out.safetensors')
    const names = file.names()
    assert.ok(names.includes('backbone.convnext.0.pwconv1.weight'))
    assert.ok(names.includes('feature_extractor.encodec.encoder.model.0.conv.conv.weight'))
    assert.not(
      names.some(name => /weight_[gv]$|original[01]$|discriminator|\.decoder\.|cluster_size/.test(name)),
    )
    assert.ok(names.every(name => file.info(name).dtype === 'F32'))
    const { format, family, dtype, config } = file.metadata
    assert.equal({ format, family, dtype }, { format: 'pt', family: 'wavtokenizer', dtype: 'f32' })
    assert.is(config, readFileSync(YAML, 'utf8'))

    const [before, after] = [await results(TINY), await results(bench.path('new/out.safetensors'))]
    assert.equal(after.codes, before.codes)
    identical(after.audio, before.audio)
    assert.is(after.info.parameters, before.info.parameters)
  }),
)

test(
  'a q8 file gives the same results as quantizing while loading, and loads as q8 unless told otherwise',
  withBench(async bench => {
    assert.is(await bench.run('convert', TINY, '-o', '@q8.safetensors', '--dtype', 'q8'), 0)
    const out = bench.path('q8.safetensors')
    const file = await open(bench, 'q8.safetensors')
    const matrix = 'backbone.pos_net.2.q.weight'
    assert.is(file.info(matrix).dtype, 'I8')
    assert.not(file.has(`${matrix}.scale`))
    assert.ok(
      file
        .names()
        .every(
          name => file.info(name).dtype === 'F32' || name.startsWith('backbone.') || name.startsWith('head.'),
        ),
    )

    const quantized = await results(TINY, { dtype: 'q8' })
    const loaded = await results(out)
    assert.equal([loaded.info.dtype, loaded.info.encoderDtype], ['q8', 'f32'])
    identical(loaded.audio, quantized.audio)
    const exact = await results(TINY)
    assert.equal(loaded.codes, exact.codes)
    const widened = await results(out, { dtype: 'f32' })
    assert.is(widened.info.dtype, 'f32')
    assert.not.equal(widened.audio, exact.audio)
    assert.ok(snr(widened.audio, loaded.audio) > 10, `${snr(widened.audio, loaded.audio)} dB`)
  }),
)

test(
  'f16 and q8 for both halves; one half alone',
  withBench(async bench => {
    for (const dtype of ['f16', 'q12', 'q8'] as const) {
      assert.is(
        await bench.run(
          'convert',
          TINY,
          '-o',
          '@both.safetensors',
          '--dtype',
          dtype,
          '--encoder-dtype',
          dtype,
        ),
        0,
      )
      const loaded = await results(bench.path('both.safetensors'))
      const reduced = await results(TINY, { dtype, encoderDtype: dtype })
      assert.equal(loaded.codes, reduced.codes)
      identical(loaded.audio, reduced.audio)
    }
    const exact = await results(TINY)
    assert.is(await bench.run('convert', TINY, '-o', '@d.safetensors', '--parts', 'decoder'), 0)
    const decoder = await results(bench.path('d.safetensors'))
    assert.equal([decoder.info.canEncode, decoder.info.canDecode], [false, true])
    identical(decoder.audio, exact.audio)
    assert.is(await bench.run('convert', TINY, '-o', '@e.safetensors', '--parts', 'encoder'), 0)
    const encoder = await results(bench.path('e.safetensors'))
    assert.equal([encoder.info.canEncode, encoder.info.canDecode], [true, false])
    assert.equal(encoder.codes, exact.codes)
  }),
)

test(
  'the default family converts too',
  withBench(async bench => {
    assert.is(await bench.run('convert', MINI, '-o', '@f32.safetensors'), 0)
    const pure = bench.path('f32.safetensors') // MINI also holds test vectors
    assert.is(await bench.run('convert', pure, '-o', '@mini.safetensors', '--dtype', 'q8'), 0)
    const [loaded, quantized] = [
      await results(bench.path('mini.safetensors')),
      await results(pure, { dtype: 'q8' }),
    ]
    identical(loaded.audio, quantized.audio)
    assert.ok(bench.read('mini.safetensors').length < bench.read('f32.safetensors').length)
    assert.match(bench.stdout.text, /MB to [\d.]+ MB, sha256 [\da-f]{64}\n/)
  }),
)

test(
  'a PyTorch file and what it was converted to hold the same tensors',
  withBench(async bench => {
    await bench.run('convert', TINY, '-o', '@f32.safetensors')
    const [before, after] = [
      await openCheckpoint(await byteSource(TINY)),
      await open(bench, 'f32.safetensors'),
    ]
    const shared = after.names().filter(name => before.has(name))
    assert.ok(shared.length > 50)
    for (const name of shared) identical(await after.read(name), await before.read(name), name)
    await before.close()
  }),
)

test(
  'standard output takes the bytes; wrong usage and interrupts leave nothing behind',
  withBench(async bench => {
    assert.is(await bench.run('convert', MINI, '-o', '-', '--dtype', 'f16'), 0)
    const piped = bench.stdout.bytes
    assert.is(await bench.run('convert', MINI, '-o', '@f16.safetensors', '--dtype', 'f16'), 0)
    assert.equal(piped, bench.read('f16.safetensors'))

    const wrong: [string[], RegExp][] = [
      [['convert', '-o', '@x'], /no checkpoint was given/],
      [['convert', MINI], /-o OUT says where/],
      [['convert', '-', '-o', '@x'], /cannot come from a pipe/],
      [['convert', '@f16.safetensors', '-o', '@f16.safetensors'], /is an input and would be overwritten/],
      [['convert', MINI, '-o', '@x', '--dtype', 'int8'], /--dtype is 'int8', expected f32, f16, q8, q12/],
    ]
    for (const [args, message] of wrong) {
      assert.is(await bench.run(...args), 2)
      assert.match(bench.stderr.text, message)
    }
    bench.write('noise.safetensors', 'not a checkpoint')
    assert.is(await bench.run('convert', '@noise.safetensors', '-o', '@x'), 1)
    bench.interrupt.abort('SIGINT')
    assert.is(await bench.run('convert', TINY, '-o', '@x'), 130)
    assert.equal(bench.files, ['f16.safetensors', 'noise.safetensors'])
  }),
)

test.run()
