import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError, TokenError } from '../../src/errors.js'
import {
  codeAgreement,
  codebookDependence,
  codebookUsage,
  NgramModel,
  runStatistics,
  temporalDependence,
  tokenRates,
  unitQuality,
} from '../../src/metrics/index.js'
import { expected, failure, seededCodes } from './inputs.js'

const test = suite('metrics of tokens')
const figures = expected.tokens
const size = figures.size as number
const clips = [seededCodes(600, size, 1), seededCodes(400, size, 2)]
const other = [seededCodes(600, 16, 3), seededCodes(400, 16, 4)]

function close(actual: number, wanted: number, what: string): void {
  assert.ok(
    Math.abs(actual - wanted) < 1e-12 * Math.max(1, Math.abs(wanted)),
    `${what}: ${actual}, expected ${wanted}`,
  )
}

test('usage, entropy and perplexity as scipy', () => {
  const usage = codebookUsage(clips, size)
  assert.is(usage.tokens, 1000)
  assert.is(usage.used, figures.used)
  close(usage.entropy, figures.entropy, 'entropy')
  close(usage.perplexity, figures.perplexity, 'perplexity')
})

test('usage of a known distribution', () => {
  const usage = codebookUsage([[0, 0, 1, 2]], 8)
  close(usage.entropy, 1.5, 'entropy')
  close(usage.utilisation, 3 / 8, 'utilisation')
  close(usage.entropyMillerMadow, 1.5 + 2 / (8 * Math.LN2), 'Miller-Madow')
  const rare = new Uint8Array(200001)
  rare[7] = 1
  assert.is(codebookUsage([rare], 2).effectiveUtilisation, 0.5)
})

test('rates', () => {
  const rates = tokenRates([10, 6], [4096, 256], 50)
  assert.equal(rates, {
    tokensPerSecond: 100,
    bitsPerSecond: 1000,
    entropyBitsPerSecond: 800,
    bitrateEfficiency: 0.8,
  })
  assert.equal(tokenRates([10, 6, 8], [4096, 4096, 4096], 48, [4, 2, 1]), {
    tokensPerSecond: 84,
    bitsPerSecond: 1008,
    entropyBitsPerSecond: 648,
    bitrateEfficiency: 648 / 1008,
  })
})

test('dependence in time and between codebooks as scikit-learn', () => {
  const time = temporalDependence(clips, size)
  assert.is(time.pairs, 998)
  assert.ok(time.biased)
  close(time.conditionalEntropy, figures.temporalConditional, 'H(c[t] | c[t-1])')
  close(time.mutualInformation, figures.temporalInformation, 'I(c[t-1]; c[t])')
  const between = codebookDependence(clips, other, size, 16)
  close(between.conditionalEntropy, figures.codebookConditional, 'H(b | a)')
  close(between.mutualInformation, figures.codebookInformation, 'I(a; b)')
  assert.not(temporalDependence([new Uint16Array(41)], 2).biased)
})

test('runs', () => {
  close(runStatistics(clips).repeatRate, figures.repeatRate, 'repeat rate')
  assert.equal(
    runStatistics([
      [5, 5, 5, 6],
      [6, 6],
    ]),
    { repeatRate: 3 / 4, meanRun: 2, dedupRate: 0.5 },
  )
})

test('agreement per codebook, trimmed at both ends', () => {
  const a = [
    [1, 2, 3, 4, 5],
    [1, 1, 1, 1, 1],
  ]
  const b = [
    [9, 2, 3, 0, 9, 7],
    [1, 0, 1, 0, 1, 7],
  ]
  assert.equal(codeAgreement(a, b), [2 / 5, 3 / 5])
  assert.equal(codeAgreement(a, b, { trim: 1 }), [2 / 3, 1 / 3])
})

test('n-gram models as NLTK (one discount) and as the formulas (three)', () => {
  const train = [clips[0], clips[1].slice(0, 200)]
  const unseen = [clips[1].slice(200)]
  for (const [order, bits] of Object.entries<number>(figures.kneserNeySingle))
    close(
      new NgramModel(train, size, { order: Number(order), discount: 0.75 }).bitsPerToken(unseen),
      bits,
      `order ${order}, one discount`,
    )
  for (const [order, bits] of Object.entries<number>(figures.kneserNeyModified))
    close(new NgramModel(train, size, { order: Number(order) }).bitsPerToken(unseen), bits, `order ${order}`)
})

test('an n-gram model is a distribution', () => {
  const model = new NgramModel(clips, size)
  const context = clips[0].slice(0, 20)
  let sum = 0
  for (let code = 0; code < size; code++)
    sum += 2 ** -(21 * model.bitsPerToken([[...context, code]]) - 20 * model.bitsPerToken([context]))
  assert.ok(Math.abs(sum - 1) < 1e-9, `probabilities add to ${sum}`)
})

test('phone purity, cluster purity and PNMI as scikit-learn', () => {
  const phones = other.flat().map(code => (code * code) % 7)
  const quality = unitQuality(phones, clips.flat())
  close(quality.phonePurity, figures.phonePurity, 'phone purity')
  close(quality.clusterPurity, figures.clusterPurity, 'cluster purity')
  close(quality.pnmi, figures.pnmi, 'PNMI')
})

test('errors say what is wrong', () => {
  assert.throws(() => codebookUsage([[0, 8]], 8), failure(TokenError, /code 8 at frame 1 .* 0 to 7/))
  assert.throws(() => codebookUsage([[]], 8), failure(TokenError))
  assert.throws(() => codebookDependence([[1, 2]], [[1]], 4, 4), failure(TokenError))
  assert.throws(() => temporalDependence([[1], [2]], 4), failure(TokenError))
  assert.throws(() => runStatistics([]), failure(TokenError))
  assert.throws(() => codeAgreement([[1, 2]], [[1, 2]], { trim: 1 }), failure(TokenError))
  assert.throws(() => new NgramModel([[1]], 4, { order: 0 }), failure(ConfigError))
  assert.throws(() => new NgramModel([[]], 4), failure(TokenError))
  assert.throws(() => new NgramModel([[4]], 4), failure(TokenError))
  assert.throws(() => unitQuality(['a'], [1, 2]), failure(TokenError))
})

test.run()
