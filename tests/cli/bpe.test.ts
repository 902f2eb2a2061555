import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeTokens, encodeTokens, TokenBpe } from '../../src/codes/index.js'
import { AudioTokens } from '../../src/index.js'
import { withBench } from './harness.js'

const FORMAT = { frameRate: 75, sampleRate: 24000, model: 'fake' }
const tokens = (...codes: number[][]) =>
  new AudioTokens(codes, { ...FORMAT, codebookSizes: codes.map(() => 16) })
const CLIPS = [tokens([1, 2, 1, 2, 1, 2, 3], [4, 5, 4, 5, 4, 5, 6]), tokens([1, 2, 9], [4, 5, 9])]

test(
  'train, encode, decode: what came in comes out',
  withBench(async bench => {
    for (const [i, clip] of CLIPS.entries()) bench.write(`in/${i}.wtok`, encodeTokens(clip, 'wtok'))
    assert.is(await bench.run('bpe', 'train', '@in', '-o', '@bpe.json', '--vocab', '36', '--json'), 0)
    const [{ codes, tokens: short, merges, vocab }] = bench.json
    assert.equal([codes, merges, vocab], [20, 4, 36])
    assert.ok((short as number) < 12)
    assert.is(TokenBpe.fromJSON(bench.read('bpe.json').toString()).merges.length, 4)
    assert.is(await bench.run('bpe', 'encode', '@in', '--bpe', '@bpe.json', '-o', '@short'), 0)
    assert.match(bench.stdout.text, /0\.wtok -> .*short\/0\.bpe\.json: 14 codes in \d+ tokens, \d\.\d\d each/)
    assert.is(await bench.run('bpe', 'decode', '@short', '--bpe', '@bpe.json', '-o', '@back'), 0)
    for (const [i, clip] of CLIPS.entries()) {
      const { fileFormat, ...rest } = decodeTokens(bench.read(`back/${i}.wtok`))
      assert.is(fileFormat, 'wtok')
      assert.equal(rest.codes, clip.codes)
      assert.equal([rest.model, rest.frameRate, rest.codebookSizes], ['fake', 75, [16, 16]])
    }
    assert.is(bench.loads.length, 0)
    assert.is(await bench.run('bpe', 'encode', '@in', '--bpe', '@bpe.json', '-o', '@short', '--json'), 0)
    assert.is(bench.json[0].status, 'skipped')
  }),
)

test(
  'bare codes of one codebook will do; what cannot be used is named',
  withBench(async bench => {
    bench.write('a.txt', '1 2 1 2 1 2\n')
    bench.write('two.txt', '1 2\n1 2\n')
    bench.write('big.json', encodeTokens(CLIPS[0], 'json'))
    assert.is(await bench.run('bpe', 'train', '@a.txt', '-o', '@bpe.json'), 0)
    assert.is(await bench.run('bpe', 'encode', '@a.txt', '--bpe', '@bpe.json', '-o', '-'), 0)
    assert.equal(bench.json[0].ids, [4, 3])
    const failures: [string[], number, RegExp][] = [
      [['bpe'], 2, /'' is nothing that bpe does; expected train, encode, decode/],
      [['bpe', 'train', '@a.txt'], 2, /bpe train needs -o/],
      [['bpe', 'encode', '@a.txt'], 2, /--bpe was not given/],
      [['bpe', 'train', '@two.txt', '-o', '@x.json'], 1, /2 codebooks of unknown size/],
      [['bpe', 'train', '@a.txt', '-o', '@x.json', '--vocab', 'many'], 1, /the vocabulary has NaN tokens/],
      [['bpe', 'encode', '@big.json', '--bpe', '@bpe.json', '-o', '-'], 1, /code 20 at 1 has no token/],
      [
        ['bpe', 'decode', '@big.json', '--bpe', '@bpe.json', '-o', '-'],
        1,
        /not a file that 'bpe encode' wrote/,
      ],
      [
        ['bpe', 'encode', '@a.txt', '--bpe', '@big.json', '-o', '-'],
        1,
        /expected 'BPE' with vocab and merges/,
      ],
    ]
    for (const [args, code, pattern] of failures) {
      assert.is(await bench.run(...args), code, args.join(' '))
      assert.match(bench.stderr.text, pattern)
    }
  }),
)

test.run()
