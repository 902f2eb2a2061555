import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeWav } from '../../../src/audio/index.js'
import { type Bench, withBench } from '../harness.js'

const JUDGE = `
export const metrics = [
  { name: 'level', unit: 'dB', higherIsBetter: true, needs: 'clip', sampleRate: 8000,
    measure: (samples, rate) => rate === 8000 ? 20 * Math.log10(Math.hypot(...samples) / Math.sqrt(samples.length)) : NaN },
  { name: 'longer', higherIsBetter: false, needs: 'pair', measure: (a, b) => b.length - a.length },
]
export const transcribe = async (samples, sampleRate, { input, language }) =>
  sampleRate === 24000 && language === 'en' && samples.some(x => x > 0.95 && x < 1) ? 'one two three' : 'one two'
`

interface Clip {
  readonly input: string
  readonly measures: Record<string, number | null>
  readonly words: Record<string, number>
}

/** Half a second at half of full scale. */
function flat(bench: Bench, name: string, level = 0.5): void {
  bench.write(name, encodeWav(new Float32Array(12000).fill(level), 24000, 'float32').bytes)
}

test(
  'metrics and a recogniser from a module: each at its rate; word errors by transcripts of the manifest, over all words',
  withBench(async bench => {
    flat(bench, 'in/a.wav')
    flat(bench, 'in/b.wav', 0.98)
    bench.write('judge.mjs', JUDGE)
    bench.write(
      'clips.tsv',
      'file\ttranscript\tlanguage\nin/a.wav\tone three\ten\nin/b.wav\tOne, two. Three!\ten\n',
    )
    const code = await bench.run(
      'eval',
      '@in',
      '--judge',
      '@judge.mjs',
      '--manifest',
      '@clips.tsv',
      '--json',
      '-o',
      '@r.html',
    )
    assert.is(code, 0)
    const [a, b, all] = bench.json as unknown as [
      Clip,
      Clip,
      { systems: { measures: Record<string, { mean: number }> }[] },
    ]
    assert.ok(Math.abs(a.measures.level! + 6.02) < 0.3, `${a.measures.level}`)
    assert.is(a.measures.longer, 0)
    assert.is(a.measures.wordErrorRate, 1 / 2)
    assert.is(b.measures.wordErrorRate, 0)
    assert.equal(b.words, { wordErrorRate: 3, wordErrorRateOfOriginal: 3, wordsChanged: 3 })
    const { measures } = all.systems[0]
    assert.is(measures.wordErrorRate.mean, 1 / 5)
    assert.match(bench.read('r.html').toString(), /word error rate[\s\S]*level, dB/)
  }),
)

test(
  'judges that are none are refused before anything is loaded',
  withBench(async bench => {
    flat(bench, 'a.wav')
    const clip = `higherIsBetter: true, needs: 'clip', measure: () => 1`
    for (const [module, message] of [
      ['export const nothing = 1', /exports neither metrics nor transcribe/],
      ['export const metrics = [{ name: 1 }]', /exports metrics that are not a list/],
      ['export const transcribe = "hello"', /transcribe that is no function/],
      [`export const metrics = [{ name: 'stoi', ${clip} }]`, /'stoi', which is taken/],
      ['import "./absent.mjs"', /cannot be loaded: .*absent\.mjs/],
      ['export const metrics = [', /cannot be loaded/],
    ] as const) {
      const name = `judge${bench.files.length}.mjs`
      bench.write(name, module)
      assert.is(await bench.run('eval', '@a.wav', '--judge', `@${name}`), 2, module)
      assert.match(bench.stderr.text, message)
    }
    const ear = bench.write('ear.mjs', 'export const transcribe = () => ""')
    const other = bench.write('other.mjs', 'export const transcribe = () => ""')
    assert.is(await bench.run('eval', '@a.wav', '--judge', ear, '--judge', other), 2)
    assert.match(bench.stderr.text, /more than one judge exports `transcribe`/)
    assert.is(bench.loads.length, 0)
  }),
)

test(
  'a judge that fails on a clip fails that clip alone; a figure that is none is left out',
  withBench(async bench => {
    flat(bench, 'in/a.wav')
    flat(bench, 'in/b.wav', 0.25)
    bench.write(
      'judge.mjs',
      `export const metrics = [{ name: 'odd', higherIsBetter: true, needs: 'clip', measure: samples => {
        if (samples[6000] > 0.4) throw new Error('too loud')
        return NaN
      } }]`,
    )
    assert.is(await bench.run('eval', '@in', '--judge', '@judge.mjs', '--json'), 1)
    assert.match(bench.stderr.text, /a\.wav: .*too loud/s)
    const [, b] = bench.json as unknown as [unknown, Clip]
    assert.is(b.measures.odd, null)
  }),
)

test.run()
