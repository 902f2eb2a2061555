import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeWav, encodeWav } from '../../src/audio/index.js'
import { encodeTokens } from '../../src/codes/index.js'
import { AudioTokens } from '../../src/index.js'
import { HOP, withBench } from './harness.js'

const FORMAT = { codebookSizes: [4096], frameRate: 75, sampleRate: 24000, model: 'fake' }

test(
  'encode reports all figures as JSON',
  withBench(async bench => {
    bench.wav('a.wav', 48000, 48000)
    bench.tick = 500
    assert.is(await bench.run('encode', '@a.wav', '--json', '-q'), 0)
    const [figures] = bench.json
    assert.equal(figures, {
      verb: 'encode',
      status: 'done',
      input: bench.path('a.wav'),
      output: bench.path('a.wtok'),
      sampleRate: 48000,
      audioSeconds: 1,
      model: 'fake',
      frames: 75,
      codebooks: 1,
      codebookSizes: [4096],
      frameRate: 75,
      kbps: 0.9,
      uniqueCodes: [75],
      encodeSeconds: figures.encodeSeconds,
      encodeSpeed: 1 / (figures.encodeSeconds as number),
    })
    assert.ok((figures.encodeSeconds as number) >= 0.5)
  }),
)

test(
  '--threads reaches the model; what is no number is refused before anything is loaded',
  withBench(async bench => {
    bench.wav('a.wav', 24000, 24000)
    assert.is(await bench.run('encode', '@a.wav', '--threads', '2'), 0)
    assert.is(await bench.run('decode', '@a.wtok', '--threads', '3'), 0)
    assert.is(await bench.run('roundtrip', '@a.wav'), 0)
    assert.is(await bench.run('info', '--threads', '2'), 0)
    assert.equal(bench.threads, [2, 3, undefined, 2])
    assert.match(bench.stdout.text, /baseline build, 1 thread\)/)
    assert.is(await bench.run('encode', '@a.wav', '--force', '--threads', 'all'), 2)
    assert.match(bench.stderr.text, /--threads is 'all', expected a number from 1 up/)
  }),
)

test(
  'decode takes every token format; formats, clipping and codes out of range',
  withBench(async bench => {
    const tokens = new AudioTokens([[0, 2048, 4095]], FORMAT)
    for (const format of ['wtok', 'json', 'npy', 'txt'] as const)
      bench.write(`t.${format}`, encodeTokens(tokens, format))
    for (const format of ['wtok', 'json', 'npy', 'txt']) {
      assert.is(await bench.run('decode', `@t.${format}`, '-o', '@out.wav', '--format', 'pcm24'), 0)
      const { channels, sampleRate, bitsPerSample } = decodeWav(bench.read('out.wav'))
      assert.is(sampleRate, 24000)
      assert.is(bitsPerSample, 24)
      assert.equal([channels[0][0], channels[0][HOP], channels[0].length], [-1, 0, 3 * HOP])
    }
    // Code 0 stands for -1.0005: below full scale.
    assert.match(bench.stderr.text, new RegExp(`${2 * HOP} samples beyond full scale were clipped by pcm24`))
    await bench.run('decode', '@t.txt', '-o', '@out.wav', '--format', 'float32')
    assert.is(bench.stderr.text, '')
    bench.write('bad.txt', '1 2 5000\n')
    assert.is(await bench.run('decode', '@bad.txt'), 1)
    assert.match(
      bench.stderr.text,
      /bad\.txt: code 5000 at frame 2 of codebook 0 is out of range; expected 0 to 4095/,
    )
    assert.not(bench.files.includes('bad.decoded.wav'))
  }),
)

test(
  'roundtrip prints the figures, writes only with -o, and as many seconds as went in',
  withBench(async bench => {
    bench.wav('a.wav', 44100 + 7, 44100)
    assert.is(await bench.run('roundtrip', '@a.wav'), 0)
    assert.match(bench.stdout.text, /a\.wav: 1\.00 s, 44100 Hz, 1 channel\n/)
    assert.match(
      bench.stdout.text,
      /tokens {2}76 frames \(1 codebook of 4096, 75 per second, 0\.90 kbps; fake\)\n/,
    )
    assert.match(bench.stdout.text, /codes {3}76 of 4096 used\n/)
    assert.match(bench.stdout.text, /encode {2}\d+\.\d\d s, [\d.]+ times real time\n {2}decode/)
    assert.not.match(bench.stdout.text, /output/)
    assert.equal(bench.files, ['a.wav'])
    assert.is(await bench.run('roundtrip', '@a.wav', '-o', '@o.wav', '--json'), 0)
    assert.is(decodeWav(bench.read('o.wav')).channels[0].length, Math.ceil((44107 * 24000) / 44100))
    assert.is(bench.json[0].outputSampleRate, 24000)
    assert.is(bench.json[0].channels, 1)
  }),
)

test(
  'warnings about the input are told, and not with --quiet',
  withBench(async bench => {
    const bytes = encodeWav(new Float32Array(2 * HOP), 24000).bytes
    bench.write('cut.wav', bytes.subarray(0, -3))
    assert.is(await bench.run('encode', '@cut.wav'), 0)
    assert.match(
      bench.stderr.text,
      /^wavtok: .*cut\.wav: the data chunk claims 1280 bytes but the file has 1277/,
    )
    assert.is(await bench.run('encode', '@cut.wav', '--force', '--quiet'), 0)
    assert.is(bench.stderr.text + bench.stdout.text, '')
  }),
)

test(
  'info explains audio and token files',
  withBench(async bench => {
    bench.wav('a.wav', 12000, 16000)
    assert.is(await bench.run('info', '@a.wav'), 0)
    assert.match(bench.stdout.text, /WAV file\n {2}length {4}0\.75 s \(12000 samples\)\n {2}rate {6}16000 Hz/)
    assert.match(bench.stdout.text, /peak {6}0\.9999 \(-0\.0 dBFS\)/)
    assert.is(await bench.run('info', '@a.wav', '--json'), 0)
    assert.is(bench.json[0].kind, 'audio')
    assert.is(bench.json[0].frames, 12000)

    const tokens = new AudioTokens([Array.from({ length: 150 }, (_, i) => i % 10)], {
      ...FORMAT,
      model: 'modèle',
    })
    bench.write('t.json', encodeTokens(tokens, 'json'))
    assert.is(await bench.run('info', '@t.json'), 0)
    assert.match(
      bench.stdout.text,
      /token file \(json\)\n {2}frames {2}150 in 1 codebook\n {2}length {2}2\.00 s/,
    )
    assert.match(
      bench.stdout.text,
      /model {3}modèle\n {2}size {4}\d+\.\d\d bits per code\n {2}codes {3}10 different, largest 9/,
    )
    bench.stdin = [encodeTokens(tokens, 'npy')]
    assert.is(await bench.run('info', '-'), 0)
    assert.match(bench.stdout.text, /^-: token file \(npy\)\n(.*\n)* {2}length {2}unknown/)
    bench.write('t.txt', encodeTokens(tokens, 'txt'))
    assert.is(await bench.run('info', '@t.txt', '--json'), 0)
    assert.equal(bench.json[0].uniqueCodes, [10])
  }),
)

test(
  'info explains the default model',
  withBench(async bench => {
    assert.is(await bench.run('info'), 0)
    assert.equal(bench.loads, [undefined])
    assert.match(
      bench.stdout.text,
      /family {6}fake\n {2}can {9}encode and decode\n {2}parameters {2}12 \(f32\)/,
    )
    assert.match(bench.stdout.text, /config {6}\{"dim":3\}/)
    assert.ok(bench.tokenizer.isDisposed)
  }),
)

test(
  'info names files that it cannot explain',
  withBench(async bench => {
    bench.write('a.mp3', 'ID3\x04')
    assert.is(await bench.run('info', '@a.mp3'), 1)
    assert.match(bench.stderr.text, /a\.mp3: an MP3 file/)
    bench.write('x.json', '{"a": 1}')
    assert.is(await bench.run('info', '@x.json'), 1)
    assert.match(bench.stderr.text, /no list 'codes'/)
    assert.is(await bench.run('info', '@missing'), 1)
    assert.match(bench.stderr.text, /^wavtok: .*missing: no such file or directory\n$/)
    bench.write('empty', '')
    assert.is(await bench.run('info', '@empty'), 1)
    assert.match(bench.stderr.text, /empty/)
  }),
)

test.run()
