import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeTokens, encodeTokens } from '../../src/codes/index.js'
import { AudioTokens } from '../../src/index.js'
import { type Bench, withBench } from './harness.js'

const FORMAT = { codebookSizes: [4096], frameRate: 75, sampleRate: 24000, model: 'fake' }
const CODES = [100, 100, 100, 2000, 2001, 2001, 4000, 4000]

/** Vectors of two dimensions on a circle's arc, one per code. */
function withVectors(bench: Bench): void {
  const embed = async (tokens: unknown) =>
    Float32Array.from((tokens as number[][])[0].flatMap(code => [code, 4096 - code]))
  Object.assign(bench.tokenizer, { embed })
}

test(
  'dedup and restore give back every code, without a model',
  withBench(async bench => {
    bench.write('a.wtok', encodeTokens(new AudioTokens([CODES], FORMAT), 'wtok'))
    assert.is(await bench.run('compress', '@a.wtok', '--method', 'dedup', '--json'), 0)
    const [figures] = bench.json
    assert.equal([figures.frames, figures.tokens, figures.output], [8, 4, bench.path('a.short.json')])
    assert.ok(Math.abs((figures.tokensPerSecond as number) - 37.5) < 1e-9)
    // Runs of 3, 1, 2, 2 in Elias gamma codes: 3 + 1 + 3 + 3 bits.
    assert.ok(Math.abs((figures.bitsPerSecond as number) - ((4 * 12 + 10) * 75) / 8) < 1e-9)
    assert.is(await bench.run('compress', '@a.short.json', '--method', 'restore', '-o', '@b.wtok'), 0)
    assert.equal(Array.from(decodeTokens(bench.read('b.wtok')).codes[0]), CODES)
    assert.is(bench.loads.length, 0)
  }),
)

test(
  'methods on vectors need the model and tell what they lose',
  withBench(async bench => {
    withVectors(bench)
    bench.write('a.wtok', encodeTokens(new AudioTokens([CODES], FORMAT), 'wtok'))
    for (const method of ['average-pool', 'max-pool', 'tome', 'tome-kth', 'a-tome', 'segments', 'prune']) {
      assert.is(
        await bench.run('compress', '@a.wtok', '--method', method, '--ratio', '2', '--json', '--force'),
        0,
        method,
      )
      const [{ tokens, spectralDistance, featureSnr }] = bench.json
      // No threshold parts the segments in four: two of their cosines are nearly equal.
      assert.is(tokens, method === 'segments' ? 3 : 4, method)
      assert.ok((spectralDistance as number) >= 0, method)
      assert.ok(featureSnr === null || (featureSnr as number) > 0, `${method} ${featureSnr}`)
    }
    assert.is(
      await bench.run('compress', '@a.wtok', '--method', 'segments', '--threshold', '0.99999', '--force'),
      0,
    )
    assert.match(
      bench.stdout.text,
      /8 frames in 3 tokens, 28\.1 tokens and \d+ bits per second, \d+\.\d\d dB \(log-spectral\) from/,
    )
    const { tokens } = JSON.parse(bench.read('a.short.json').toString())
    assert.equal(tokens, [[100, 2001, 4000]])
    // It must not be taken for tokens at the full rate.
    assert.is(await bench.run('decode', '@a.short.json', '-o', '-'), 1)
    assert.match(bench.stderr.text, /no list 'codes'/)
    assert.ok(bench.tokenizer.isDisposed)
  }),
)

test(
  'what cannot be done is named',
  withBench(async bench => {
    bench.write('a.wtok', encodeTokens(new AudioTokens([CODES], FORMAT), 'wtok'))
    bench.write('a.txt', '1 2 3\n')
    const failures: [string[], number, RegExp][] = [
      [['compress', '@a.wtok'], 2, /--method was not given; expected dedup, duration, average-pool/],
      [['compress', '@a.wtok', '--method', 'zip'], 2, /--method is 'zip', expected dedup/],
      [['compress', '@a.txt', '--method', 'dedup'], 1, /does not know its rates and codebook sizes/],
      [['compress', '@a.wtok', '--method', 'tome'], 1, /this method takes models of one/],
      [
        ['compress', '@a.wtok', '--method', 'restore', '-o', '-'],
        1,
        /not a file that 'wavtok compress' wrote/,
      ],
    ]
    for (const [args, code, pattern] of failures) {
      assert.is(await bench.run(...args), code, args.join(' '))
      assert.match(bench.stderr.text, pattern)
    }
    withVectors(bench)
    assert.is(await bench.run('compress', '@a.wtok', '--method', 'tome', '--ratio', '0.5'), 1)
    assert.match(bench.stderr.text, /the ratio is 0\.5, expected 1 or more/)
  }),
)

test.run()
