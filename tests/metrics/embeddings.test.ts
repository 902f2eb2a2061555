import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError } from '../../src/errors.js'
import { symmetricEigenvalues } from '../../src/metrics/eigenvalues.js'
import { cosineSimilarity, equalErrorRate, frechetDistance } from '../../src/metrics/index.js'
import { expected, failure, uniform } from './inputs.js'

const test = suite('metrics of embeddings')

const rows = (values: Float64Array, dim: number) =>
  Array.from({ length: values.length / dim }, (_, i) => values.subarray(i * dim, (i + 1) * dim))

test('cosine', () => {
  assert.is(cosineSimilarity([1, 0], [0, 2]), 0)
  assert.ok(Math.abs(cosineSimilarity([1, 2, 3], [-2, -4, -6]) + 1) < 1e-15)
  assert.throws(() => cosineSimilarity([1], [1, 2]), failure(ConfigError))
  assert.throws(() => cosineSimilarity([0, 0], [1, 2]), failure(ConfigError))
})

test('equal error rate as on the ROC curve of scikit-learn', () => {
  const impostors = uniform(83, 6).map(score => score * 0.8 - 0.1)
  assert.ok(Math.abs(equalErrorRate(uniform(57, 5), impostors) - expected.equalErrorRate) < 1e-9)
  assert.is(equalErrorRate([2, 3], [0, 1]), 0)
  assert.is(equalErrorRate([0, 1], [2, 3]), 1)
  assert.is(equalErrorRate([1, 1], [1, 1]), 0.5)
  assert.throws(() => equalErrorRate([], [1]), failure(ConfigError))
})

for (const [count, distance] of Object.entries<number>(expected.frechet))
  test(`Fréchet distance of ${count} embeddings of 12 values as scipy`, () => {
    const length = Number(count) * 12
    const second = uniform(length, 8).map((value, i) => value * uniform(length, 9)[i])
    const ours = frechetDistance(rows(uniform(length, 7), 12), rows(second, 12))
    assert.ok(Math.abs(ours - distance) < 1e-7, `${ours}, expected ${distance}`)
  })

test('equal sets are at no distance', () => {
  const set = rows(uniform(600, 7), 12)
  assert.ok(Math.abs(frechetDistance(set, set)) < 1e-9)
  assert.throws(() => frechetDistance(set.slice(0, 1), set), failure(ConfigError))
})

test('eigenvalues have the trace and the square norm of the matrix, and known ones are found', () => {
  for (const n of [1, 2, 3, 10, 33]) {
    const u = uniform(n * n, n)
    const matrix = Float64Array.from(u, (_, i) => u[i] + u[(i % n) * n + Math.floor(i / n)] - 1)
    const trace = Array.from({ length: n }, (_, i) => matrix[i * n + i]).reduce((a, b) => a + b)
    const squares = matrix.reduce((sum, value) => sum + value * value, 0)
    const values = symmetricEigenvalues(matrix.slice(), n)
    assert.ok(Math.abs(values.reduce((a, b) => a + b) - trace) < 1e-11 * n)
    assert.ok(Math.abs(values.reduce((sum, value) => sum + value * value, 0) - squares) < 1e-10 * n)
  }
  const values = symmetricEigenvalues(Float64Array.of(2, -1, 0, -1, 2, -1, 0, -1, 2), 3)
  values.forEach((value, i) => {
    assert.ok(Math.abs(value - [2 - Math.SQRT2, 2, 2 + Math.SQRT2][i]) < 1e-14)
  })
})

test.run()
