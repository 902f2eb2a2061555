import { chmodSync, lstatSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeWav } from '../../src/audio/index.js'
import { decodeTokens } from '../../src/codes/index.js'
import { CheckpointError } from '../../src/errors.js'
import { HOP, withBench } from './harness.js'

test(
  'one file: beside its input, to a named file, to a directory; the extension chooses the format',
  withBench(async bench => {
    bench.wav('a.wav')
    mkdirSync(bench.path('out'))
    assert.is(await bench.run('encode', '@a.wav'), 0)
    assert.match(
      bench.stdout.text,
      /a\.wav -> .*a\.wtok: 0\.04 s, 3 frames \(1 codebook of 4096, 75 per second, 0\.90 kbps\)/,
    )
    await bench.run('encode', '@a.wav', '-o', '@named.npy')
    await bench.run('encode', '@a.wav', '-o', '@out')
    await bench.run('encode', '@a.wav', '-o', '@new/', '--format', 'txt')
    assert.equal(bench.files, ['a.wav', 'a.wtok', 'named.npy', 'new/a.txt', 'out/a.wtok'])
    const codes = bench.files
      .filter(name => name !== 'a.wav')
      .map(name => decodeTokens(bench.read(name)).codes.map(row => Array.from(row)))
    for (const rows of codes) assert.equal(rows, [[2048, 2730, 3413]])
    assert.is(decodeTokens(bench.read('named.npy')).fileFormat, 'npy')
  }),
)

test(
  'a directory is searched to its depths and repeated below the output directory; the model is loaded once',
  withBench(async bench => {
    bench.wav('in/b.wav')
    bench.wav('in/deep/er/c.WAV')
    bench.write('in/deep/notes.txt', 'no audio')
    assert.is(await bench.run('encode', '@in', '-o', '@out'), 0)
    assert.equal(bench.files.slice(3), ['out/b.wtok', 'out/deep/er/c.wtok'])
    assert.is(bench.loads.length, 1)
    assert.ok(bench.tokenizer.isDisposed)
    assert.is(await bench.run('decode', '@out', '-o', '@heard'), 0)
    assert.is(decodeWav(bench.read('heard/deep/er/c.wav')).channels[0].length, 3 * HOP)
  }),
)

test(
  'results that exist are kept and cost nothing; --force and a named file make them again',
  withBench(async bench => {
    bench.wav('a.wav')
    bench.write('a.wtok', 'mine')
    bench.write('b.json', 'old')
    assert.is(await bench.run('encode', '@a.wav', '--json'), 0)
    assert.is(bench.json[0].status, 'skipped')
    assert.is(bench.read('a.wtok').toString(), 'mine')
    assert.is(bench.loads.length, 0)
    assert.is(await bench.run('encode', '@a.wav', '-o', '@b.json'), 0)
    assert.is(decodeTokens(bench.read('b.json')).model, 'fake')
    assert.is(await bench.run('encode', '@a.wav', '--force'), 0)
    assert.is(decodeTokens(bench.read('a.wtok')).model, 'fake')
  }),
)

test(
  'decoding beside the input never names the original recording',
  withBench(async bench => {
    const original = bench.wav('a.wav')
    await bench.run('encode', '@a.wav')
    assert.is(await bench.run('decode', '@a.wtok', '--force'), 0)
    assert.equal(bench.files, ['a.decoded.wav', 'a.wav', 'a.wtok'])
    assert.equal(new Uint8Array(bench.read('a.wav')), original)
  }),
)

test(
  'a bad file does not stop the batch: the rest is done, failures are listed, exit code 1',
  withBench(async bench => {
    bench.wav('in/a.wav')
    bench.write('in/b.wav', 'fLaC nonsense')
    bench.wav('in/c.wav')
    assert.is(await bench.run('encode', '@in', '@gone.wav', '-o', '@out', '--json'), 1)
    assert.equal(
      bench.json.map(line => line.status),
      ['done', 'failed', 'done', 'failed'],
    )
    assert.equal(bench.json[1].error, {
      code: 'AUDIO',
      message: 'a FLAC file without any audio in it: it is damaged or cut off',
    })
    assert.is((bench.json[3].error as { code: string }).code, 'ENOENT')
    assert.match(bench.stderr.text, /in\/b\.wav: a FLAC file without any audio/)
    assert.match(bench.stderr.text, /2 of 4 files failed:\n {2}.*b\.wav\n {2}.*gone\.wav\n$/)
    assert.equal(
      bench.files.filter(name => name.startsWith('out/')),
      ['out/a.wtok', 'out/c.wtok'],
    )
  }),
)

test(
  'two inputs that would write one file are refused before anything is done',
  withBench(async bench => {
    bench.wav('x/a.wav')
    bench.wav('y/a.wav')
    assert.is(await bench.run('encode', '@x/a.wav', '@y/a.wav', '-o', '@out'), 2)
    assert.match(bench.stderr.text, /x\/a\.wav and .*y\/a\.wav would both be written to .*out\/a\.wtok/)
    assert.is(await bench.run('encode', '@x', '-o', '@out/', '@y', '--quiet'), 2)
    assert.is(bench.tokenizer.calls, 0)
  }),
)

test(
  'an empty directory is wrong usage',
  withBench(async bench => {
    mkdirSync(bench.path('empty'))
    assert.is(await bench.run('encode', '@empty'), 2)
    assert.match(bench.stderr.text, /empty has no \*\.wav/)
    assert.is(await bench.run('decode', '@empty'), 2)
    assert.match(bench.stderr.text, /empty has no \*\.wtok or \*\.json or \*\.npy/)
  }),
)

test(
  'pipes: stdin in any pieces to stdout, reports on stderr',
  withBench(async bench => {
    const wav = bench.wav('a.wav')
    bench.stdin = [wav.subarray(0, 7), wav.subarray(7, 100), wav.subarray(100)]
    assert.is(await bench.run('encode', '-', '--format', 'npy'), 0)
    const tokens = bench.stdout.bytes
    assert.is(decodeTokens(tokens).fileFormat, 'npy')
    assert.match(bench.stderr.text, /^- -> -: 0\.04 s, 3 frames/)
    bench.stdin = [tokens]
    assert.is(await bench.run('decode', '-', '-o', '-', '--format', 'float32'), 0)
    const audio = decodeWav(bench.stdout.bytes)
    assert.is(audio.format, 'float')
    assert.is(audio.channels[0].length, 3 * HOP)
    bench.stdin = [wav]
    assert.is(await bench.run('encode', '-', '-o', '@dir/', '-q'), 0)
    assert.is(bench.stderr.text, '')
    assert.ok(bench.files.includes('dir/stdin.wtok'))
  }),
)

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(
    `${signal} stops the batch at once and leaves no half file`,
    withBench(async bench => {
      for (const name of ['a', 'b', 'c']) bench.wav(`in/${name}.wav`)
      bench.tokenizer.onCall = () => {
        if (bench.tokenizer.calls === 2) bench.interrupt.abort(signal)
      }
      assert.is(await bench.run('encode', '@in', '-o', '@out'), code)
      assert.equal(bench.files.slice(3), ['out/a.wtok'])
      assert.is(bench.stderr.text, '')
      assert.ok(bench.tokenizer.isDisposed)
    }),
  )
}

test(
  'an interrupt ends the wait for a silent stdin',
  withBench(async bench => {
    bench.stdin = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }
    setTimeout(() => bench.interrupt.abort('SIGINT'), 20)
    assert.is(await bench.run('encode', '-'), 130)
  }),
)

test(
  'a write that fails leaves neither the file nor its temporary',
  withBench(async bench => {
    bench.wav('a.wav')
    mkdirSync(bench.path('target.json/full'), { recursive: true })
    bench.write('file', 'no directory')
    assert.is(await bench.run('encode', '@a.wav', '-o', '@file/out.json'), 1)
    assert.match(bench.stderr.text, /not a part|not a directory|file already exists|EEXIST|ENOTDIR/i)
    assert.equal(
      readdirSync(bench.root).filter(name => name.includes('tmp')),
      [],
    )
    if (process.getuid?.() !== 0) {
      mkdirSync(bench.path('locked'))
      chmodSync(bench.path('locked'), 0o500)
      assert.is(await bench.run('encode', '@a.wav', '-o', '@locked/out.json'), 1)
      assert.match(bench.stderr.text, /permission denied/)
    }
  }),
)

test(
  'a symbolic link is followed and stays a link; a device is written, not replaced',
  withBench(async bench => {
    bench.wav('a.wav')
    bench.write('real.json', 'old')
    symlinkSync(bench.path('real.json'), bench.path('link.json'))
    assert.is(await bench.run('encode', '@a.wav', '-o', '@link.json'), 0)
    assert.ok(lstatSync(bench.path('link.json')).isSymbolicLink())
    assert.is(decodeTokens(bench.read('real.json')).model, 'fake')
    assert.is(await bench.run('encode', '@a.wav', '-o', '/dev/null'), 0)
    assert.ok(lstatSync('/dev/null').isCharacterDevice())
  }),
)

test(
  'the model files go to the loader; no model, no batch',
  withBench(async bench => {
    bench.wav('in/a.wav')
    bench.wav('in/b.wav')
    const model = ['--model', 'enc.pt', '--model', 'dec.pt', '--config', 'c.yaml']
    assert.is(await bench.run('encode', '@in', '-o', '@out', ...model), 0)
    assert.equal(bench.loads, [['enc.pt', 'dec.pt', 'c.yaml']])
    bench.onLoad = () => {
      throw new CheckpointError('cannot open enc.pt')
    }
    assert.is(await bench.run('encode', '@in', '-o', '@again'), 1)
    assert.equal(bench.loads.slice(1), [undefined])
    assert.is(bench.stderr.text, 'wavtok: cannot open enc.pt\n')
  }),
)

test.run()
