import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bootstrapMean } from '../../../src/cli/eval/bootstrap.js'
import type { Evaluation } from '../../../src/cli/eval/clip.js'
import { differences } from '../../../src/cli/eval/compare.js'
import { measureTable, measureWords } from '../../../src/cli/eval/measures.js'
import { showDifference } from '../../../src/cli/eval/show.js'

const clip = (system: string, input: string, measures: object, words?: object) =>
  ({ system, input, measures, words }) as unknown as Evaluation
const table = measureTable({ hasEar: true })

test('differences are those of the clips that both have, and so surer than two means apart', () => {
  // clips differ by up to 0.6, systems by 0.02 everywhere
  const inputs = Array.from({ length: 20 }, (_, i) => `${i}.wav`)
  const first = inputs.map((input, i) => clip('a', input, { stoi: 0.3 + 0.03 * i, encodeSpeed: 10 }))
  const second = inputs
    .slice(1)
    .map((input, i) => clip('b', input, { stoi: 0.35 + 0.03 * i + (i % 2 ? 0.001 : 0), encodeSpeed: 20 }))
  second.push(clip('b', 'only.wav', { stoi: 1 }))
  const [{ system, from, measures }] = differences([first, second], table)
  assert.equal([system, from], ['b', 'a'])
  const { mean, interval, clips } = measures.stoi
  assert.is(clips, 19)
  assert.ok(Math.abs(mean - 0.0205) < 3e-4, `${mean}`)
  assert.ok(interval![0] > 0.02 - 1e-9 && interval![1] < 0.021 + 1e-9)
  assert.not('encodeSpeed' in measures)
  assert.match(showDifference(table.stoi, measures.stoi), /^\+0\.020 \(\+0\.020 to \+0\.021\), better$/)
})

test('a difference whose interval holds 0 is called neither better nor worse; fewer errors are better', () => {
  assert.is(
    showDifference(table.stoi, { mean: 0.01, interval: [-0.01, 0.03], clips: 2 }),
    '+0.010 (-0.010 to +0.030)',
  )
  assert.match(
    showDifference(table.melDistance, { mean: -0.1, interval: [-0.2, -0.1], clips: 2 }),
    /, better$/,
  )
  assert.match(showDifference(table.siSdr, { mean: -1, interval: [-2, -0.5], clips: 2 }), /, worse$/)
})

test('word errors are those of all words, not a mean of clips', () => {
  const long = measureWords({
    original: 'a b c d e f g h i j',
    decoded: 'a b c d e f g h i x',
    transcript: 'a b c d e f g h i j',
  })
  const short = measureWords({ original: 'yes', decoded: 'no', transcript: 'yes' })
  assert.is(long.measures.wordErrorRate, 0.1)
  assert.is(long.measures.wordErrorRateOfOriginal, 0)
  assert.is(short.measures.wordErrorRate, 1)
  const rates = [long, short].map(({ measures }) => measures.wordErrorRate as number)
  const words = [long, short].map(each => each.words.wordErrorRate)
  assert.is(bootstrapMean(rates, words)!.mean, 2 / 11)
  const silent = measureWords({ original: '', decoded: 'hm', transcript: '' })
  assert.is(silent.measures.wordErrorRate, null)
})

test.run()
