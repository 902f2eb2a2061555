import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { withBench } from '../cli/harness.js'
import { elements } from './xml.js'

test(
  'roundtrip --plot writes a figure, with or without audio',
  withBench(async bench => {
    bench.wav('a.wav', 8000, 16000)
    assert.is(await bench.run('roundtrip', '@a.wav', '--plot', '@plots/a.svg', '--json'), 0)
    assert.is(bench.json[0].plot, bench.path('plots/a.svg'))
    const svg = bench.read('plots/a.svg').toString()
    assert.is(elements(svg)[0], 'svg')
    assert.match(svg, />a\.wav</)
    assert.match(svg, /0\.50 s as 38 frames of tokens: 1 codebook of 4096, 75 per second, 0\.90 kbps; fake/)
    assert.is(await bench.run('roundtrip', '@a.wav', '-o', '@o.wav', '--plot', '@b.svg'), 0)
    assert.equal(bench.files, ['a.wav', 'b.svg', 'o.wav', 'plots/a.svg'])
  }),
)

test(
  'several inputs have figures in a directory, named like them',
  withBench(async bench => {
    bench.wav('in/a.wav', 24000, 2400)
    bench.wav('in/deep/b.wav', 24000, 2400)
    assert.is(await bench.run('roundtrip', '@in', '-o', '@out', '--plot', '@plots'), 0)
    for (const name of ['plots/a.svg', 'plots/deep/b.svg', 'out/a.wav', 'out/deep/b.wav'])
      assert.ok(bench.read(name).length > 0)
  }),
)

test(
  'figures that cannot be placed are refused before anything is done',
  withBench(async bench => {
    bench.wav('a.wav', 24000, 2400)
    const refused = async (...args: string[]) => {
      assert.is(await bench.run('roundtrip', '@a.wav', ...args), 2)
      return bench.stderr.text
    }
    assert.match(await refused('--plot', '-'), /--plot needs a file or a directory/)
    assert.match(await refused('-o', '@x', '--plot', '@x'), /-o and --plot would both be written to .*x/)
    assert.match(await refused('--plot', '@a.wav'), /a\.wav is an input and would be overwritten/)
    assert.is(bench.tokenizer.calls, 0)
  }),
)

test.run()
