import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { progressLine } from '../../src/cli/reporter.js'
import { showClock, showSeconds } from '../../src/cli/text.js'
import { withBench } from './harness.js'

test('the bar shows the share, the time left and what is done', () => {
  assert.is(
    progressLine('encode a.wav', 10, 0.5),
    `[${'#'.repeat(12)}${'-'.repeat(12)}]  50 %  0:10 left  encode a.wav`,
  )
  assert.is(
    progressLine('encode a.wav', 3600, 1 / 3),
    `[${'#'.repeat(8)}${'-'.repeat(16)}]  33 %  2:00:00 left  encode a.wav`,
  )
  assert.match(progressLine('x', 5, 0), /^\[-{24}\] {3}0 % {4}x$/)
  assert.is(progressLine('loading the model, 12 MB', 2), 'loading the model, 12 MB ...')
})

test('times', () => {
  assert.equal([0, 59.6, 61, 3661].map(showClock), ['0:00', '1:00', '1:01', '1:01:01'])
  assert.equal([0.5, 75].map(showSeconds), ['0.50 s', '1:15'])
})

test(
  'a bar is drawn on a terminal when work lasts over a second, and is cleared before other lines',
  withBench(async bench => {
    bench.wav('d/a.wav')
    bench.write('d/b.wav', 'junk')
    bench.wav('d/c.wav')
    bench.stderr.isTerminal = true
    bench.tick = 200
    assert.is(await bench.run('encode', '@d', '-o', '@out'), 1)
    const drawn = bench.stderr.text.split('\r\x1b[2K')
    assert.match(drawn[1], /^\[#*-*\] +\d+ % .*left {2}encode /)
    for (const line of drawn.slice(1).filter(part => part.startsWith('['))) assert.ok(line.length < 80, line)
    assert.ok(drawn.some(part => /^wavtok: .*b\.wav: not a WAV file/.test(part)))
    assert.not.match(drawn.at(-1)!, /%/)
    const shares = Array.from(bench.stderr.text.matchAll(/(\d+) %/g), match => Number(match[1]))
    assert.equal(
      shares,
      [...shares].sort((a, b) => a - b),
    )
  }),
)

test(
  'no bar without a terminal, with --quiet, or for short work',
  withBench(async bench => {
    bench.wav('a.wav')
    bench.tick = 200
    await bench.run('encode', '@a.wav', '-o', '@1.json')
    assert.is(bench.stderr.text, '')
    bench.stderr.isTerminal = true
    await bench.run('encode', '@a.wav', '-o', '@2.json', '--quiet')
    assert.is(bench.stderr.text, '')
    bench.tick = 1
    await bench.run('encode', '@a.wav', '-o', '@3.json')
    assert.is(bench.stderr.text, '')
  }),
)

test.run()
