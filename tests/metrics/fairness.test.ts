import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError, TokenError } from '../../src/errors.js'
import {
  editDistance,
  type FairnessEntry,
  fairnessReport,
  jensenShannon,
  logisticRegression,
  normalisedEditDistance,
  shiftSensitivity,
  warpedCosineDistance,
  withoutRepeats,
} from '../../src/metrics/index.js'
import { failure, seededCodes, uniform } from './inputs.js'

const test = suite('fairness between groups')
const expected = JSON.parse(
  readFileSync(new URL('../vectors/metrics/fairness.json', import.meta.url), 'utf8'),
)
const SIZE = 32
const FRAMES = 60
const TEXTS = 3
const SPEAKERS = 4
const GROUPS = ['f', 'm', 'n']

/** As in tests/vectors/metrics/make_fairness.py. */
function rendering(group: number, speaker: number, text: number): number[] {
  const u = uniform(2 * FRAMES, 1000 + 10 * speaker + text)
  const moved = 0.4 + [0, 0.2, 0.1][group]
  return seededCodes(FRAMES, SIZE, 10 + text).map((code, t) => {
    if (u[2 * t] < 0.4) return Math.floor(SIZE * u[2 * t + 1] * u[2 * t + 1])
    return u[2 * t] < moved ? (code + 5) % SIZE : code
  })
}

const corpus: FairnessEntry[] = GROUPS.flatMap((group, g) =>
  Array.from({ length: SPEAKERS * TEXTS }, (_, i) => {
    const speaker = g * SPEAKERS + Math.floor(i / TEXTS)
    const text = i % TEXTS
    return {
      id: `${speaker}-${text}`,
      group,
      speaker: `s${String(speaker).padStart(2, '0')}`,
      text: `text ${text}`,
      codes: [rendering(g, speaker, text)],
      codebookSizes: [SIZE],
    }
  }),
)
const ofGroups = (...groups: string[]) => corpus.filter(({ group }) => groups.includes(group))
const quick = { shuffles: 100, resamples: 100 }

function close(actual: number | null, wanted: number, what: string, tolerance = 1e-12): void {
  assert.ok(
    actual !== null && Math.abs(actual - wanted) <= tolerance * Math.max(1, Math.abs(wanted)),
    `${what}: ${actual}, expected ${wanted}`,
  )
}

test('Jensen-Shannon divergence as scipy, p and chance from all 70 splits of eight speakers', () => {
  close(jensenShannon([5, 0, 3, 0], [0, 2, 3, 0]), expected.divergence, 'four cells')
  close(jensenShannon([5, 0, 3], [0, 2, 3], 4), expected.divergence, 'a cell that is empty in both')
  const [{ permutations, distribution }] = fairnessReport(ofGroups('f', 'm')).pairs
  assert.equal(permutations, { count: 70, isExact: true })
  for (const order of ['unigram', 'bigram'] as const) {
    const found = distribution[0][order]
    close(found.value, expected[order].value, order)
    close(found.p, expected[order].p, `p of ${order}`)
    close(found.chance!, expected[order].chance, `chance of ${order}`)
    assert.ok(found.interval![0] < found.interval![1] && found.interval![0] < found.value!)
  }
})

test('distances of sequences as rapidfuzz and librosa', () => {
  const [a, b] = [corpus[0].codes[0], corpus[20].codes[0]].map(codes => Array.from(codes))
  assert.is(editDistance(a, b.slice(0, 45)), expected.editDistance)
  assert.is(normalisedEditDistance([], []), 0)
  assert.is(normalisedEditDistance([], [1, 2]), 1)
  assert.equal([...withoutRepeats([3, 3, 1, 1, 3])], [3, 1, 3])
  const features = (seed: number, frames: number) => {
    const values = uniform(4 * frames, seed).map(value => value - 0.5)
    return Array.from({ length: frames }, (_, t) => values.subarray(4 * t, 4 * t + 4))
  }
  close(warpedCosineDistance(features(1, 30), features(2, 37)), expected.warped, 'warped cosine')
})

test('same texts: gap and orientation as rapidfuzz over all pairs of speakers', () => {
  const { pairs, orientation } = fairnessReport(corpus, { neutral: 'n' })
  const [{ of, between, within, texts, gap }] = pairs[0].sameText
  assert.is(of, 0)
  assert.is(texts, TEXTS)
  close(between, expected.sameText.between, 'between')
  close(within![0], expected.sameText.within[0], 'within f')
  close(within![1], expected.sameText.within[1], 'within m')
  close(gap.value, expected.sameText.gap, 'gap')
  assert.is(orientation.length, 1)
  assert.equal(orientation[0].groups, ['f', 'm'])
  close(orientation[0].value.value, expected.sameText.orientation, 'orientation')
  const [low, high] = orientation[0].value.interval!
  assert.ok(low < orientation[0].value.value! && orientation[0].value.value! < high)
})

test('features take part in same-text distances', () => {
  const withFeatures = corpus.map(entry => ({
    ...entry,
    features: Array.from(entry.codes[0], code => [1, entry.group === 'f' ? code + 1 : -code - 1]),
  }))
  const [, features] = fairnessReport(withFeatures, quick).pairs[0].sameText
  assert.is(features.of, 'features')
  assert.ok(features.between! > 1, 'vectors of f and m point to opposite sides')
  assert.ok(features.gap.value! > 0.5)
  assert.is(features.gap.p, 2 / 70)
})

test('logistic regression as scikit-learn', () => {
  for (const { options, coefficients, intercepts, predictions } of expected.logistic) {
    const classes = Math.max(...predictions) + 1
    const chosen = ofGroups(...GROUPS.slice(0, classes)).slice(2)
    const rows = chosen.map(({ codes }) => {
      const value = new Float64Array(SIZE)
      for (const code of Array.from(codes[0])) value[code] += 20 / FRAMES
      return { index: value.map((_, code) => code), value }
    })
    const labels = chosen.map(({ group }) => GROUPS.indexOf(group))
    const { C, class_weight } = options
    const model = logisticRegression(rows, labels, SIZE, classes, {
      C,
      balanced: class_weight === 'balanced',
    })
    assert.equal(rows.map(model.predict), predictions)
    const [first, second] = model.weights
    const weights = classes === 2 ? [second.map((weight, code) => weight - first[code])] : model.weights
    weights.forEach((column, k) => {
      column.forEach((weight, code) => {
        close(weight, coefficients[k][code], `weight ${code} of class ${k}, C ${C}`, 1e-7)
      })
    })
    const [a, b] = model.intercepts
    const found = classes === 2 ? [b - a] : [...model.intercepts]
    found.forEach((value, k) => {
      close(value, intercepts[k], `intercept ${k}, C ${C}`, 1e-7)
    })
  }
})

test('the probe as scikit-learn with the same folds; no speaker is asked about that was learnt from', () => {
  for (const groups of [2, 3]) {
    const [probe] = fairnessReport(ofGroups(...GROUPS.slice(0, groups)), quick).probe
    assert.is(probe.folds, 4)
    assert.is(probe.chance, 1 / groups)
    close(probe.balancedAccuracy.value, expected.probe[groups], `${groups} groups`)
    const [low, high] = probe.balancedAccuracy.interval!
    assert.ok(low <= probe.balancedAccuracy.value! && probe.balancedAccuracy.value! <= high)
  }
  // Every speaker has codes of their own, which say nothing of others: what a probe that knew the speaker would score 1 on.
  const personal = corpus.map(entry => ({ ...entry, codes: [[Number(entry.speaker.slice(1))]] }))
  const [probe] = fairnessReport(
    personal.filter(({ group }) => group !== 'n'),
    quick,
  ).probe
  assert.ok(probe.balancedAccuracy.value! <= 0.5, `${probe.balancedAccuracy.value}`)
  const telling = corpus.map(entry => ({ ...entry, codes: [[GROUPS.indexOf(entry.group)]] }))
  assert.is(fairnessReport(telling, quick).probe[0].balancedAccuracy.value, 1)
})

test('means of measures: differences, p and intervals as scipy', () => {
  const entries = (values: ArrayLike<number>, group: string): FairnessEntry[] =>
    Array.from(values, (stoi, i) => ({
      ...corpus[0],
      id: `${group}${i}`,
      group,
      speaker: `${group}${i}`,
      measures: { stoi, none: null },
    }))
  const a = uniform(5, 5)
  const b = uniform(4, 6).map(value => value + 0.3)
  const { pairs, means } = fairnessReport([...entries(a, 'a'), ...entries(b, 'b')])
  const [{ difference }, none] = pairs[0].measures
  close(difference.value, expected.means.difference, 'difference')
  close(difference.p, expected.means.p, 'p')
  assert.is(none.difference.value, null)
  assert.match(none.difference.reason!, /no clips/)
  assert.equal(means[1].groups[0], { group: 'a', mean: null, interval: null, clips: 0 })
  const many = [...entries(uniform(12, 7), 'a'), ...entries(b, 'b')]
  const [{ interval }] = fairnessReport(many, { resamples: 20000, shuffles: 1 }).means[0].groups
  interval!.forEach((end, i) => {
    close(end, expected.means.interval[i], `end ${i} of the interval`, 0.01)
  })
})

test('people are resampled, not clips: copies of a speaker’s clip make nothing surer', () => {
  const once = corpus
    .filter(({ text }) => text === 'text 0')
    .map((entry, i) => ({ ...entry, measures: { x: uniform(12, 9)[i] } }))
  const often = once.flatMap(entry =>
    Array.from({ length: 5 }, (_, i) => ({ ...entry, id: `${entry.id} ${i}` })),
  )
  const [one, five] = [once, often].map(entries => fairnessReport(entries, quick))
  const figure = (report: typeof one) => report.pairs[0].measures[0].difference
  close(figure(five).p, figure(one).p!, 'p')
  figure(one).interval!.forEach((end, i) => {
    close(figure(five).interval![i], end, 'interval')
  })
})

test('change of tokens per semitone of pitch', () => {
  const codes = [
    [1, 2, 3, 4],
    [0, 0, 0, 0],
  ]
  const shifted = [
    { semitones: 2, codes: [[1, 2, 9, 9], codes[1]] },
    { semitones: -1, codes: [[1, 2, 3, 9], codes[1]] },
  ]
  const found = shiftSensitivity(codes, shifted)
  assert.equal(found, {
    curve: [
      { semitones: -1, changed: [0.25, 0] },
      { semitones: 2, changed: [0.5, 0] },
    ],
    perSemitone: [0.25, 0],
  })
  const entries = corpus.map(entry => ({
    ...entry,
    shifted: [
      {
        semitones: 3,
        codes: [Array.from(entry.codes[0], code => (entry.group === 'm' ? code : SIZE - 1 - code))],
      },
    ],
  }))
  const { counterfactual, pairs } = fairnessReport(entries, quick)
  const [f, m] = counterfactual[0].perSemitone
  assert.is(m.mean, 0)
  assert.is(counterfactual[0].curve[0].semitones, 3)
  assert.equal(counterfactual[0].curve[0].groups[1].interval, [0, 0])
  assert.is(pairs[0].counterfactual[0].difference.value, f.mean)
  assert.is(pairs[0].counterfactual[0].difference.p, 2 / 70)
  assert.throws(() => shiftSensitivity(codes, []), failure(ConfigError, /one at least/))
})

test('codebooks are told layer by layer, each with its own size and length', () => {
  const entries = corpus.map(entry => ({
    ...entry,
    codes: [
      entry.codes[0],
      Array.from(entry.codes[0])
        .slice(0, 30)
        .map(code => code % 8),
    ],
    codebookSizes: [SIZE, 8],
  }))
  const one = fairnessReport(corpus, quick)
  const two = fairnessReport(entries, quick)
  assert.is(two.probe.length, 2)
  assert.equal(two.pairs[0].distribution[0], one.pairs[0].distribution[0])
  assert.not.equal(two.pairs[0].distribution[1].unigram.value, one.pairs[0].distribution[0].unigram.value)
  assert.is(two.pairs[0].sameText[1].of, 1)
  assert.is(two.groups[0].tokens, SPEAKERS * TEXTS * (FRAMES + 30))
  assert.is(two.pairs.length, 3)
})

test('equal input, equal report, whatever the order of clips; it is plain data', () => {
  const report = fairnessReport(corpus, { ...quick, neutral: 'n' })
  const turned = fairnessReport([...corpus].reverse(), { ...quick, neutral: 'n' })
  const text = JSON.stringify(report)
  assert.equal(JSON.parse(text), report)
  // Sums of distances are taken in another order.
  const rounded = (json: string) => json.replace(/\d\.\d{12}\d+/g, number => Number(number).toFixed(10))
  assert.is(rounded(JSON.stringify(turned)), rounded(text))
  assert.not.equal(fairnessReport(corpus, { ...quick, seed: 2 }).pairs[0].distribution[0].unigram.interval, [
    ...report.pairs[0].distribution[0].unigram.interval!,
  ])
})

test('what cannot be had is null, with a reason', () => {
  const alone = fairnessReport([
    ...ofGroups('f'),
    ...ofGroups('m').filter(({ speaker }) => speaker === 's04'),
  ])
  const { unigram } = alone.pairs[0].distribution[0]
  assert.ok(unigram.value! > 0)
  assert.is(unigram.p, null)
  assert.is(unigram.interval, null)
  assert.match(unigram.reason!, /one speaker/)
  assert.is(alone.probe[0].balancedAccuracy.value, null)
  assert.match(alone.probe[0].balancedAccuracy.reason!, /two speakers/)
  assert.match(alone.pairs[0].sameText[0].gap.reason!, /two speakers of each group/)
  const silent = fairnessReport(
    corpus.map(({ text, ...entry }) => entry),
    quick,
  )
  assert.match(silent.pairs[0].sameText[0].gap.reason!, /no clip of these groups has a text/)
  assert.equal(silent.counterfactual, [])
  assert.equal(silent.orientation, [])
  const without = corpus.map(entry => ({
    ...entry,
    text: entry.group === 'n' ? `of ${entry.id}` : entry.text,
  }))
  const [{ value }] = fairnessReport(without, { ...quick, neutral: 'n' }).orientation
  assert.match(value.reason!, /all three groups/)
})

test('errors say what is wrong', () => {
  const throws = (
    change: (entry: FairnessEntry) => FairnessEntry,
    kind: typeof ConfigError,
    message: RegExp,
  ) => assert.throws(() => fairnessReport(corpus.map(change), quick), failure(kind, message))
  assert.throws(() => fairnessReport([]), failure(ConfigError, /no group/))
  throws(entry => ({ ...entry, group: 'all' }), ConfigError, /36 clips of one group, all/)
  throws(
    entry => ({ ...entry, speaker: 'everyone' }),
    ConfigError,
    /everyone is in group f and, with 4-0, in m/,
  )
  throws(entry => ({ ...entry, codes: [[SIZE]] }), TokenError, /code 32 at frame 0 of codebook 0 of 0-0/)
  throws(entry => ({ ...entry, codes: [[]] }), TokenError, /one code each/)
  throws(entry => ({ ...entry, codebookSizes: [entry.group === 'm' ? 64 : 32] }), TokenError, /one model/)
  throws(entry => ({ ...entry, measures: { stoi: Number.NaN } }), ConfigError, /stoi of 0-0 is NaN/)
  throws(entry => ({ ...entry, text: ' ' }), ConfigError, /empty text/)
  throws(entry => ({ ...entry, shifted: [{ semitones: 0, codes: [[1]] }] }), ConfigError, /0 semitones/)
  assert.throws(() => fairnessReport(corpus, { shuffles: 0 }), failure(ConfigError, /shuffles is 0/))
  assert.throws(() => fairnessReport(corpus, { neutral: 'x' }), failure(ConfigError, /f, m, n/))
  assert.throws(
    () => fairnessReport(ofGroups('f', 'n'), { neutral: 'n', ...quick }),
    failure(ConfigError, /two more groups/),
  )
  assert.throws(() => logisticRegression([], [], 1, 2), failure(ConfigError, /every class/))
})

test.run()
