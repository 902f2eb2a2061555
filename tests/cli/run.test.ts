import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { withBench } from './harness.js'

const VERBS = ['encode', 'decode', 'roundtrip', 'info']

test(
  'help of the command and of every verb has examples; version',
  withBench(async bench => {
    for (const args of [['--help'], ['-h'], ['help']]) {
      assert.is(await bench.run(...args), 0)
      for (const verb of VERBS) assert.match(bench.stdout.text, new RegExp(`^  ${verb} `, 'm'))
    }
    for (const verb of VERBS) {
      for (const args of [
        [verb, '--help'],
        [verb, '-h'],
        ['help', verb],
      ]) {
        assert.is(await bench.run(...args), 0, args.join(' '))
        assert.match(bench.stdout.text, /^Examples\n {2}wavtok /m)
        assert.is(bench.stderr.text, '')
      }
    }
    assert.is(await bench.run('--version'), 0)
    assert.is(bench.stdout.text, 'wavtok 1.2.3\n')
    assert.is(bench.loads.length, 0)
  }),
)

test(
  'wrong usage: one line and a pointer to the help on stderr, exit code 2',
  withBench(async bench => {
    bench.wav('a.wav')
    const cases: [string[], RegExp][] = [
      [[], /^wavtok: no verb was given/],
      [['encod'], /^wavtok: 'encod' is no verb; expected encode, decode, .*\n$/],
      [['toString'], /'toString' is no verb/],
      [['help', 'me'], /'me' is no verb/],
      [['encode'], /^wavtok: no input was given\nwavtok encode --help says how\n$/],
      [['encode', '--nope', 'x'], /^wavtok: Unknown option '--nope'\n/],
      [['encode', '@a.wav', '--format', 'flac'], /--format is 'flac', expected wtok, json, npy, txt/],
      [['decode', '@a.wav', '--format', 'pcm8'], /--format is 'pcm8', expected pcm16, pcm24, float32/],
      [['encode', '@a.wav', '--config', 'x.yaml'], /--config describes the checkpoint given with --model/],
      [['encode', '@a.wav', '@a.wav', '-o', '-'], /several results cannot go to one pipe/],
      [['encode', '-', '-'], /'-' \(stdin\) can be read only once/],
      [['roundtrip', '@a.wav', '-o', '@a.wav'], /a\.wav is an input and would be overwritten/],
      [['info', '-', '@a.wav'], /'-' \(stdin\) stands alone/],
      [['info', '--force', '@a.wav'], /Unknown option '--force'/],
    ]
    for (const [args, pattern] of cases) {
      assert.is(await bench.run(...args), 2, args.join(' '))
      assert.match(bench.stderr.text, pattern)
      assert.is(bench.stdout.text, '')
    }
    assert.equal(bench.files, ['a.wav'])
  }),
)

test(
  'a fault of the program shows its stack and asks for a report; an expected error does not',
  withBench(async bench => {
    bench.wav('a.wav')
    bench.tokenizer.onCall = () => {
      throw new TypeError('oops')
    }
    assert.is(await bench.run('encode', '@a.wav'), 1)
    assert.match(bench.stderr.text, /a fault in wavtok, please report it/)
    assert.match(bench.stderr.text, /TypeError: oops\n +at /)
    assert.is(await bench.run('encode', '@missing.wav'), 1)
    assert.is(bench.stderr.text, `wavtok: ${bench.path('missing.wav')}: no such file or directory\n`)
  }),
)

test(
  'a reader that goes away ends the program quietly',
  withBench(async bench => {
    bench.wav('d/a.wav')
    bench.wav('d/b.wav')
    bench.stdout.closeAfter = 1
    assert.is(await bench.run('encode', '@d'), 141)
    assert.is(bench.stderr.text, '')
    assert.ok(bench.tokenizer.isDisposed)
  }),
)

test.run()
