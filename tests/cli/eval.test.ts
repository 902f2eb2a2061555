import { readFileSync, utimesSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeWav, encodeWav } from '../../src/audio/index.js'
import { bootstrapMean } from '../../src/cli/eval/bootstrap.js'
import { usageBins } from '../../src/cli/eval/html/usage.js'
import { measureTable } from '../../src/cli/eval/measures.js'
import { loadTokenizer } from '../../src/index.js'
import { f0Agreement, pitch, stoi } from '../../src/metrics/index.js'
import { type Bench, withBench } from './harness.js'

const speech = decodeWav(readFileSync(new URL('../fixtures/speech.wav', import.meta.url)))

/** Writes one second of speech, from `start` seconds. */
function speechFile(bench: Bench, name: string, start: number): Float32Array {
  const { channels, sampleRate } = speech
  const samples = channels[0].slice(start * sampleRate, (start + 1) * sampleRate)
  bench.write(name, encodeWav(samples, sampleRate, 'float32').bytes)
  return samples
}

interface Line {
  readonly status: string
  readonly input: string
  readonly measures: Record<string, number | null>
  readonly codebooks: { used: number; tokens: number; counts: number[] }[]
  readonly ngram?: { bitsPerToken: number; bitsPerSecond: number }
}

/** A line per clip, then that of the only system. */
const lines = (bench: Bench) =>
  bench.json.map(line => ('systems' in line ? (line.systems as Line[])[0] : line)) as unknown as Line[]

test(
  'the default model on two seconds of speech: the figures are those of its own encode and decode',
  withBench(async bench => {
    const samples = speechFile(bench, 'in/a.wav', 0)
    speechFile(bench, 'in/deep/b.wav', 2)
    const tokenizer = await loadTokenizer()
    const tokens = await tokenizer.encode([samples], { sampleRate: 24000 })
    const decoded = await tokenizer.decode(tokens)
    bench.tokenizer.encode = tokenizer.encode.bind(tokenizer)
    bench.tokenizer.decode = tokenizer.decode.bind(tokenizer)
    assert.is(await bench.run('eval', '@in', '--json'), 0)
    const [a, b, all] = lines(bench)
    tokenizer.dispose()

    assert.is(a.measures.stoi, stoi(samples, decoded.samples, 24000))
    assert.is(a.measures.estoi, stoi(samples, decoded.samples, 24000, { extended: true }))
    const f0 = f0Agreement(pitch(samples, 24000).f0, pitch(decoded.samples, 24000).f0)
    assert.is(a.measures.f0Correlation, f0.correlation)
    assert.is(a.measures.voicingF1, f0.voicingF1)
    assert.ok(a.measures.stability! > 0.2 && a.measures.stability! < 1)
    assert.equal(Object.keys(a.measures), Object.keys(measureTable({})))
    const means = all.measures as unknown as Record<string, { mean: number; clips: number }>
    assert.is(means.stoi.mean, (a.measures.stoi! + b.measures.stoi!) / 2)
    assert.is(means.stoi.clips, 2)
    assert.is(all.codebooks[0].tokens, 150)
    assert.is(all.codebooks[0].counts.filter(count => count > 0).length, all.codebooks[0].used)
    assert.is(all.ngram!.bitsPerSecond, 75 * all.ngram!.bitsPerToken)
  }),
)

test(
  'reports by extension: HTML without anything from outside, CSV and JSON with a row per file; bad files are listed',
  withBench(async bench => {
    speechFile(bench, 'in/a.wav', 0)
    speechFile(bench, 'in/b, "quoted" & <odd>.wav', 1)
    bench.write('in/c.wav', 'fLaC nonsense')
    const reports = ['-o', '@r/x.html', '-o', '@r/x.csv', '--report', '@r/x.json']
    assert.is(await bench.run('eval', '@in', ...reports, '--figures', '1'), 1)
    assert.equal(
      bench.files.filter(name => name.startsWith('r/')),
      ['r/x.csv', 'r/x.html', 'r/x.json'],
    )
    assert.match(bench.stdout.text, /2 files, 2\.00 s; 1 codebook of 4096/)
    assert.match(bench.stdout.text, /entropy +\d+\.\d of 900\.0 bits per second \(few tokens: too low\)/)
    assert.match(bench.stderr.text, /c\.wav: a FLAC file without any audio/)

    const html = bench.read('r/x.html').toString()
    assert.is(html.match(/<img src="data:image\/svg\+xml;base64,/g)?.length, 1)
    assert.not.match(html, /<script|<link|(?:src|href)="(?!data:)|url\(|<odd>/)
    assert.match(html, /b, &quot;quoted&quot; &amp; &lt;odd&gt;\.wav/)
    assert.match(html, /Left out \(1\)[\s\S]*c\.wav<\/code>: a FLAC file/)
    assert.match(html, /prefers-color-scheme:dark/)

    const rows = bench.read('r/x.csv').toString().trimEnd().split('\r\n')
    assert.is(rows.length, 3)
    assert.ok(rows[2].startsWith(`"${bench.path('in/b, ""quoted"" & <odd>.wav')}",default,24000,1,`), rows[2])
    assert.is(rows[1].split(',').length, rows[0].split(',').length)

    const { systems, failures } = JSON.parse(bench.read('r/x.json').toString())
    const [{ summary, clips }] = systems
    assert.is(summary.clips, 2)
    assert.is(clips.length, 2)
    assert.match(failures[0].reason, /FLAC/)
  }),
)

test(
  'an interrupted run goes on: what is done is not done again, what changed is; the result is that of one run',
  withBench(async bench => {
    for (const [index, name] of ['a', 'b', 'c', 'd'].entries())
      speechFile(bench, `in/${name}.wav`, 0.5 * index)
    const args = ['eval', '@in', '-o', '@r.html', '-o', '@r.json', '--figures', '2']
    bench.tick = 0.5
    assert.is(await bench.run(...args), 0)
    const whole = JSON.parse(bench.read('r.json').toString())
    const page = bench.read('r.html').toString()

    // A file takes three calls: the third file is being encoded.
    const before = bench.tokenizer.calls
    bench.tokenizer.onCall = () => {
      if (bench.tokenizer.calls === before + 7) bench.interrupt.abort('SIGINT')
    }
    bench.write('r.html', 'old')
    assert.is(await bench.run(...args), 130)
    assert.is(bench.read('r.html').toString(), 'old')
    const ledger = bench.read('r.partial.jsonl').toString()
    assert.is(ledger.trimEnd().split('\n').length, 2)

    bench.write('r.partial.jsonl', `${ledger}["half a li`)
    utimesSync(bench.path('in/b.wav'), 1, 1)
    Object.assign(bench, { interrupt: new AbortController() })
    bench.tokenizer.onCall = () => {}
    const resumed = bench.tokenizer.calls
    assert.is(await bench.run(...args), 0)
    assert.is(bench.tokenizer.calls - resumed, 3 * 3, 'b changed, c and d were not done')
    assert.equal(JSON.parse(bench.read('r.json').toString()), whole)
    assert.is(bench.read('r.html').toString(), page)
    assert.not(bench.files.includes('r.partial.jsonl'))
  }),
)

test(
  'another model or --force measures everything again',
  withBench(async bench => {
    speechFile(bench, 'in/a.wav', 0)
    speechFile(bench, 'in/b.wav', 1)
    bench.write('one.safetensors', '1')
    bench.write('two.safetensors', '2')
    const interrupted = async (model: string, ...more: string[]) => {
      const start = bench.tokenizer.calls
      Object.assign(bench, { interrupt: new AbortController() })
      bench.tokenizer.onCall = () => {
        if (bench.tokenizer.calls === start + 5) bench.interrupt.abort('SIGINT')
      }
      const code = await bench.run('eval', '@in', '-o', '@r.json', '--model', model, ...more)
      return [code, bench.tokenizer.calls - start]
    }
    assert.equal(await interrupted('@one.safetensors'), [130, 5])
    assert.equal(await interrupted('@two.safetensors'), [130, 5])
    assert.equal(await interrupted('@two.safetensors', '--force'), [130, 5])
    assert.equal(await interrupted('@two.safetensors'), [0, 3])
  }),
)

test(
  'what a clip does not have enters no mean: silence has no F0, a short clip no STOI; one file has no interval and no n-grams',
  withBench(async bench => {
    bench.write('silent.wav', encodeWav(new Float32Array(24000), 24000).bytes)
    assert.is(await bench.run('eval', '@silent.wav', '--json'), 0)
    const [clip, all] = lines(bench)
    assert.is(clip.measures.f0Correlation, null)
    assert.not.ok('f0Correlation' in all.measures)
    assert.not.ok('ngram' in all)
    assert.not.ok('interval' in (all.measures.stability as unknown as object))
    bench.wav('short.wav', 4800)
    await bench.run('eval', '@short.wav', '--json')
    assert.is(lines(bench)[0].measures.stoi, null)
  }),
)

test(
  'wrong usage is refused before anything is loaded',
  withBench(async bench => {
    bench.wav('a.wav')
    for (const [args, message] of [
      [
        ['@a.wav', '-o', 'report.pdf'],
        /report\.pdf was asked for; expected a name that ends with \.html, \.csv, \.json/,
      ],
      [
        ['@a.wav', '-o', 'x.html', '--figures', 'many'],
        /--figures is 'many', expected a whole number from 0/,
      ],
      [['-'], /stdin.* cannot be evaluated/],
      [[], /no input was given/],
    ] as const) {
      assert.is(await bench.run('eval', ...args), 2)
      assert.match(bench.stderr.text, message)
    }
    assert.is(bench.loads.length, 0)
  }),
)

test('bootstrap: the interval covers the mean, is that of the normal distribution, and the same every time', () => {
  const values = Array.from({ length: 400 }, (_, i) => i % 2)
  const { mean, interval } = bootstrapMean(values)!
  assert.is(mean, 0.5)
  const [low, high] = interval!
  const half = 1.96 * (0.5 / Math.sqrt(400))
  assert.ok(Math.abs(low - (0.5 - half)) < 0.006 && Math.abs(high - (0.5 + half)) < 0.006, `${low} ${high}`)
  assert.equal(bootstrapMean(values)!.interval, interval)
  assert.is(bootstrapMean([]), undefined)
})

test('histogram: bins by powers of two hold every code once', () => {
  assert.equal(usageBins([0, 1, 1, 2, 3, 4, 9, 0, 0]), [
    { least: 0, most: 0, codes: 3 },
    { least: 1, most: 1, codes: 2 },
    { least: 2, most: 3, codes: 2 },
    { least: 4, most: 7, codes: 1 },
    { least: 8, most: 15, codes: 1 },
  ])
})

test.run()
