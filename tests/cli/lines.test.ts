import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeLines } from '../../src/cli/lines.js'
import { HOP, withBench } from './harness.js'

const text = (...lines: (string | object)[]) =>
  new TextEncoder().encode(
    lines.map(line => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  )

test(
  '--stdin-jsonl answers every line in order, and failures end nothing',
  withBench(async bench => {
    const wav = Buffer.from(bench.wav('a.wav', 2 * HOP)).toString('base64')
    bench.write('bad.wav', 'RIFF')
    const requests = text(
      { id: 'path', path: bench.path('a.wav') },
      '',
      { id: 7, wav },
      'no json',
      '[1]',
      { id: 'both', path: 'x', wav },
      { id: 'neither' },
      { id: 'text', wav: 'ü' },
      { id: 'gone', path: bench.path('gone.wav') },
      { id: 'bad', path: bench.path('bad.wav') },
      { wav },
    )
    bench.stdin = Array.from(requests, byte => Uint8Array.of(byte)) // letters of two bytes are cut, too
    assert.is(await bench.run('encode', '--stdin-jsonl'), 0)
    const replies = bench.json
    assert.equal(
      replies.map(({ id, status }) => [id, status]),
      [
        ['path', 'done'],
        [7, 'done'],
        [undefined, 'failed'],
        [undefined, 'failed'],
        ['both', 'failed'],
        ['neither', 'failed'],
        ['text', 'failed'],
        ['gone', 'failed'],
        ['bad', 'failed'],
        [undefined, 'done'],
      ],
    )
    const { id, ...first } = replies[0]
    assert.equal(first, {
      status: 'done',
      model: 'fake',
      audioSeconds: (2 * HOP) / 24000,
      frames: 2,
      frameRate: 75,
      sampleRate: 24000,
      codebookSizes: [4096],
      codes: [[2048, 3072]],
    })
    assert.equal(replies[1].codes, first.codes)
    assert.equal(
      replies.filter(({ status }) => status === 'failed').map(({ line }) => line),
      [4, 5, 6, 7, 8, 9, 10],
    )
    const message = (index: number) => (replies[index].error as { message: string }).message
    assert.match(message(2), /^not valid JSON: /)
    assert.match(message(3), /^a request is an object .* found \[1\]$/)
    assert.match(message(4), /^a request has either "path"/)
    assert.match(message(6), /^"wav" is not base64$/)
    assert.match(message(7), /gone\.wav: no such file/)
    assert.not.match(JSON.stringify(replies), /fault in wavtok/)
    assert.is(bench.loads.length, 1)
    assert.ok(bench.tokenizer.isDisposed)
  }),
)

test(
  '--stdin-jsonl: nothing asked, an unloadable model, arguments that do not belong to it',
  withBench(async bench => {
    assert.is(await bench.run('encode', '--stdin-jsonl'), 0)
    assert.is(bench.stdout.text, '')
    assert.is(bench.loads.length, 0)
    for (const more of [['@a.wav'], ['-o', '@out'], ['--format', 'npy']])
      assert.is(await bench.run('encode', '--stdin-jsonl', ...more), 2)
    bench.onLoad = () => {
      throw new Error('no model')
    }
    bench.stdin = [text({ path: 'a.wav' })]
    assert.is(await bench.run('encode', '--stdin-jsonl'), 1)
  }),
)

test(
  '--stdin-jsonl ends when nobody reads any more, and when it is interrupted',
  withBench(async bench => {
    bench.wav('a.wav')
    const line = text({ path: bench.path('a.wav') }, '')
    bench.stdin = [line, line, line]
    bench.stdout.closeAfter = 1
    assert.is(await bench.run('encode', '--stdin-jsonl'), 141)
    assert.is(bench.tokenizer.calls, 2)
    bench.stdin = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }
    setTimeout(() => bench.interrupt.abort('SIGINT'), 20)
    assert.is(await bench.run('encode', '--stdin-jsonl'), 130)
  }),
)

test(
  'a line that is too long is refused without being kept',
  withBench(async bench => {
    const stdout = { parts: [] as string[], write: async (part: string) => void stdout.parts.push(part) }
    const stdin = (async function* () {
      for (let i = 0; i < 100; i++) yield new Uint8Array(100).fill(0x61)
      yield text('', '{}')
    })()
    const signal = new AbortController().signal
    const environment = { stdin, stdout, signal, loadTokenizer: async () => bench.tokenizer }
    assert.is(await encodeLines({ inputs: [] }, environment as never, 1000), 0)
    assert.is(stdout.parts.length, 2)
    assert.match(stdout.parts[0], /"line":1,.*a line of more than 1000 characters/)
    assert.match(stdout.parts[1], /"line":2,.*a request has either/)
  }),
)

test.run()
