import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeWav, encodeWav } from '../../../src/audio/index.js'
import { encodeTokens } from '../../../src/codes/index.js'
import { AudioTokens, loadTokenizer } from '../../../src/index.js'
import { type Bench, withBench } from '../harness.js'

const vectors = new URL('../../vectors/', import.meta.url)
const MIMI = fileURLToPath(new URL('mimi/tiny.safetensors', vectors))
const MINI = fileURLToPath(new URL('../../../weights/mini-24k-75.safetensors', import.meta.url))
const speech = decodeWav(readFileSync(new URL('../../fixtures/speech.wav', import.meta.url))).channels[0]

interface System {
  readonly summary: {
    system: string
    clips: number
    bitsPerSecond: number
    measures: Record<string, { mean: number }>
    drift?: { stability: { mean: number }[] }
  }
  readonly clips: {
    input: string
    measures: Record<string, number | null>
    drift?: { stability: number[] }
  }[]
}

interface Report {
  readonly systems: System[]
  readonly differences: {
    system: string
    from: string
    measures: Record<string, { mean: number; clips: number }>
  }[]
  readonly failures: { input: string; system?: string; reason: string }[]
}

const report = (bench: Bench, name = 'r.json'): Report => JSON.parse(bench.read(name).toString())

function clips(bench: Bench, count: number): void {
  for (let i = 0; i < count; i++) {
    const samples = speech.slice(12000 * i, 12000 * (i + 1))
    bench.write(`in/${i}.wav`, encodeWav(samples, 24000, 'float32').bytes)
  }
}

test(
  'bitrates and models side by side: a line for each, paired differences, a picture of quality against bitrate',
  withBench(async bench => {
    clips(bench, 3)
    bench.loadReal = loadTokenizer
    const args = ['--model', MIMI, '--codebooks', '1,2', '--beside', `${MINI},name=small`]
    assert.is(
      await bench.run(
        'eval',
        '@in',
        ...args,
        '-o',
        '@r.json',
        '-o',
        '@r.html',
        '-o',
        '@r.csv',
        '--rounds',
        '3',
      ),
      0,
    )
    const { systems, differences, failures } = report(bench)
    assert.equal(
      systems.map(({ summary }) => summary.system),
      ['tiny, 1 codebook', 'tiny, 2 codebooks', 'small'],
    )
    assert.equal(failures, [])
    assert.is(systems[1].summary.bitsPerSecond, 2 * systems[0].summary.bitsPerSecond)
    assert.equal(
      differences.map(({ system, from }) => [system, from]),
      [
        ['tiny, 2 codebooks', 'tiny, 1 codebook'],
        ['small', 'tiny, 1 codebook'],
      ],
    )
    const [one, two] = systems.map(({ summary }) => summary.measures.melDistance.mean)
    assert.ok(Math.abs(differences[0].measures.melDistance.mean - (two - one)) < 1e-12)
    assert.is(differences[0].measures.melDistance.clips, 3)
    for (const { clips } of systems)
      for (const { drift, measures } of clips) {
        assert.is(drift!.stability.length, 3)
        assert.is(drift!.stability[0], measures.stability)
      }
    const html = bench
      .read('r.html')
      .toString()
      .replaceAll(/data:image[^"]*/g, 'data:')
    assert.match(html, /Quality and bitrate[\s\S]*<path class="join" d="M[\d.]+ [\d.]+L[\d.]+ [\d.]+"\/>/)
    assert.match(html, /small against tiny, 1 codebook, clip by clip/)
    assert.not.match(html, /NaN|Infinity|undefined/)
    assert.not.match(html, /<script|<link|(?:src|href)="(?!data:)/)
    assert.is(bench.read('r.csv').toString().trimEnd().split('\r\n').length, 1 + 9)
    assert.match(bench.stdout.text, /kbit\/s +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d\n/)
  }),
)

test(
  'threads give what one gives, in the same order, bad files and all; the ledger serves either',
  withBench(async bench => {
    clips(bench, 4)
    bench.write('in/bad.wav', 'RIFF')
    bench.loadReal = loadTokenizer
    const timeless = ({ systems, ...rest }: Report) => ({
      ...rest,
      systems: systems.map(({ clips }) =>
        clips.map(({ input, measures: { encodeSpeed, decodeSpeed, ...measures } }) => ({ input, measures })),
      ),
    })
    const args = ['eval', '@in', '--model', MINI, '--beside', `${MINI},dtype=q8`]
    assert.is(await bench.run(...args, '-o', '@one.json'), 1)
    assert.is(await bench.run(...args, '-o', '@three.json', '--jobs', '3'), 1)
    assert.equal(timeless(report(bench, 'three.json')), timeless(report(bench, 'one.json')))
    assert.is(report(bench, 'one.json').systems[1].clips.length, 4)
    assert.match(report(bench, 'three.json').failures[0].input, /bad\.wav$/)
  }),
)

test(
  'a model that cannot be loaded ends the run, in threads too, and says why',
  withBench(async bench => {
    clips(bench, 2)
    bench.loadReal = loadTokenizer
    bench.write('broken.safetensors', 'nonsense')
    for (const jobs of ['1', '2']) {
      assert.is(await bench.run('eval', '@in', '--model', '@broken.safetensors', '--jobs', jobs), 1)
      assert.match(bench.stderr.text, /broken\.safetensors/)
    }
  }),
)

test(
  'an interrupt ends threads at once',
  withBench(async bench => {
    clips(bench, 4)
    setTimeout(() => bench.interrupt.abort('SIGINT'), 300)
    assert.is(await bench.run('eval', '@in', '--model', MINI, '--jobs', '2', '--rounds', '100'), 130)
  }),
)

test(
  'reference tokens: the share of codes that are the same; a number of codebooks that a model does not have fails that system alone',
  withBench(async bench => {
    clips(bench, 1)
    bench.loadReal = loadTokenizer
    const tokenizer = await loadTokenizer(MINI)
    const tokens = await tokenizer.encode([speech.slice(0, 12000)], { sampleRate: 24000 })
    tokenizer.dispose()
    const codes = tokens.codes.map(row => row.slice())
    codes[0][3] ^= 1
    bench.write('ref/0.json', encodeTokens(new AudioTokens(codes, tokens), 'json'))
    bench.write('clips.csv', 'file,tokens\nin/0.wav,ref/0.json\n')
    const args = ['eval', '@in', '--model', MINI, '--manifest', '@clips.csv', '-o', '@r.json']
    assert.is(await bench.run(...args, '--beside', `${MIMI},codebooks=1,99`), 1)
    const { systems, failures } = report(bench)
    assert.is(systems[0].clips[0].measures.referenceAgreement, 1 - 1 / tokens.frames)
    assert.not('referenceAgreement' in systems[1].clips[0].measures)
    assert.is(systems.length, 2)
    assert.is(failures[0].system, 'tiny, 99 codebooks')
  }),
)

test(
  'groups of a manifest: differences between them in every report; groups that cannot be compared are refused before the run',
  withBench(async bench => {
    clips(bench, 4)
    const manifest = (...groups: string[]) =>
      bench.write(
        'clips.csv',
        `file,speaker,voice\n${groups.map((group, i) => `in/${i}.wav,s${i},${group}\n`).join('')}`,
      )
    const args = ['eval', '@in', '--manifest', '@clips.csv', '--group-by', 'voice']
    manifest('low', 'low', 'high', 'high')
    assert.is(await bench.run(...args, '-o', '@r.json', '-o', '@r.html'), 0)
    const [{ fairness }] = JSON.parse(bench.read('r.json').toString()).systems
    assert.is(fairness.by, 'voice')
    assert.equal(
      fairness.report.groups.map(({ name, speakers }: { name: string; speakers: number }) => [
        name,
        speakers,
      ]),
      [
        ['high', 2],
        ['low', 2],
      ],
    )
    assert.match(bench.read('r.html').toString(), /<h2>Fairness by voice<\/h2>/)
    assert.match(bench.stdout.text, /fairness by voice: high \(2 speakers, 2 clips\), low/)
    const loads = bench.loads.length
    manifest('low', 'low', 'low', 'low')
    assert.is(await bench.run(...args), 2)
    assert.match(bench.stderr.text, /the files are in one group, low; two are needed/)
    assert.is(await bench.run('eval', '@in', '--group-by', 'voice'), 2)
    assert.match(bench.stderr.text, /--group-by names a column of the --manifest/)
    assert.is(await bench.run(...args.slice(0, -1), 'colour'), 2)
    assert.match(bench.stderr.text, /no such column, but file, speaker, voice/)
    assert.is(bench.loads.length, loads)
  }),
)

test.run()
