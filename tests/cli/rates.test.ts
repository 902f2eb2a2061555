// Codebooks of several rates through the command line, with a real (tiny, untrained) SNAC.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeWav } from '../../src/audio/index.js'
import { decodeTokens } from '../../src/codes/index.js'
import { loadTokenizer } from '../../src/index.js'
import { testFile } from '../support/model.js'
import { speech } from '../support/streams.js'
import { withBench } from './harness.js'

const MODEL = testFile('vectors/snac/24k.bin')
const clip = speech.subarray(0, 24_000)

test(
  'encode, info, decode, eval and bpe know the strides; compress refuses them',
  withBench(async bench => {
    const tokenizer = await loadTokenizer(MODEL, { deterministic: true })
    Object.assign(bench.tokenizer, { info: tokenizer.info })
    for (const verb of ['encode', 'decode'] as const)
      Object.assign(bench.tokenizer, { [verb]: tokenizer[verb].bind(tokenizer) })
    const { bytes } = encodeWav(clip, 24_000)
    for (const name of ['a', 'b']) bench.write(`in/${name}.wav`, bytes)
    const expected = await tokenizer.encode(bytes)

    assert.is(await bench.run('encode', '@in', '-o', '@tokens', '--json'), 0)
    assert.equal([bench.json[0].frames, bench.json[0].strides], [expected.frames, [4, 2, 1]])
    assert.equal(decodeTokens(bench.read('tokens/a.wtok')).codes, expected.codes)
    assert.is(await bench.run('info', '@tokens/a.wtok'), 0)
    assert.match(bench.stdout.text, /strides +4, 2, 1: frames that share a code/)
    assert.is(await bench.run('info', MODEL), 0)
    assert.match(bench.stdout.text, /3 codebooks of 64, 11.719, 23.438, 46.875 per second, 0.49 kbps/)
    assert.is(await bench.run('decode', '@tokens/a.wtok', '-o', '@back.wav', '--json'), 0)
    assert.is(bench.json[0].frames, expected.frames)

    assert.is(await bench.run('eval', '@in', '--json'), 0)
    const [all] = bench.json.at(-1)!.systems as { tokensPerSecond: number; bitsPerSecond: number }[]
    assert.is(all.tokensPerSecond, 1.75 * 46.875)
    assert.is(all.bitsPerSecond, 6 * 1.75 * 46.875)

    assert.is(await bench.run('bpe', 'train', '@tokens', '-o', '@bpe.json', '--vocab', '500'), 0)
    assert.is(await bench.run('bpe', 'encode', '@tokens', '--bpe', '@bpe.json', '-o', '@short'), 0)
    assert.is(await bench.run('bpe', 'decode', '@short', '--bpe', '@bpe.json', '-o', '@again'), 0)
    const { codes, strides, frameRate } = decodeTokens(bench.read('again/a.wtok'))
    assert.equal([codes, strides, frameRate], [expected.codes, [4, 2, 1], 46.875])
    const file = JSON.parse(bench.read('short/a.bpe.json').toString())
    for (const [strange, message] of [
      [[3, 2, 1], /strides are 3, 2, 1 for 3 codebooks/],
      ['4, 2, 1', /not a file that 'bpe encode' wrote/],
    ] as const) {
      bench.write('strange.bpe.json', JSON.stringify({ ...file, strides: strange }))
      assert.is(await bench.run('bpe', 'decode', '@strange.bpe.json', '--bpe', '@bpe.json', '-o', '-'), 1)
      assert.match(bench.stderr.text, message)
    }
    assert.is(await bench.run('compress', '@tokens/a.wtok', '--method', 'dedup', '-o', '@x.json'), 1)
    assert.match(bench.stderr.text, /strides 4, 2, 1; compress takes codebooks of one rate/)
    assert.is(await bench.run('encode', '@in/a.wav', '-o', '@a.npy'), 1)
    assert.match(bench.stderr.text, /\.npy files hold codebooks of one rate/)
  }),
)

test.run()
