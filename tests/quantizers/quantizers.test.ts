import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { writeSafetensors } from '../../src/checkpoints/safetensors.js'
import { AudioError, CheckpointError, ConfigError, DisposedError, TokenError } from '../../src/errors.js'
import {
  type FactorizedStage,
  factorizedRvq,
  groupedRvq,
  loadQuantizer,
  type Matrix,
  openQuantizer,
  type Projection,
  type QuantizerSpec,
  randomProjection,
  rvq,
  splitRvq,
  vq,
} from '../../src/quantizers/index.js'
import { identical, maxError } from '../support/compare.js'
import { randomArray } from '../support/random.js'
import { type Vector, vectors } from '../support/vectors.js'

const test = suite('quantizers')
const known = vectors('quantizers/expected.safetensors')
const { data: features, shape } = known.get('x')!
const [frames, dim] = shape

/** A vector as a matrix; of three or four dimensions, the one at `index` of those in front. */
function matrix({ data, shape }: Vector, index = 0): Matrix {
  const [rows, columns] = shape.slice(-2)
  return { data: data.slice(index * rows * columns, (index + 1) * rows * columns), rows, columns }
}

const books = (name: string) => {
  const vector = known.get(name)!
  const count = vector.shape.slice(0, -2).reduce((product, size) => product * size, 1)
  return Array.from({ length: count }, (_, i) => matrix(vector, i))
}
const projection = (weight: string, bias?: string): Projection => ({
  weight: matrix(known.get(weight)!),
  bias: bias === undefined ? undefined : known.get(bias)!.data,
})
const stages = [0, 1, 2].map(
  (stage): FactorizedStage => ({
    input: projection(`factorized.${stage}.in.weight`, `factorized.${stage}.in.bias`),
    codebook: matrix(known.get(`factorized.${stage}.codebook`)!),
    output: projection(`factorized.${stage}.out.weight`, `factorized.${stage}.out.bias`),
  }),
)
const branch = (name: string) => ({
  input: projection(`split.${name}.in`),
  codebooks: books(`split.${name}.codebooks`),
  output: projection(`split.${name}.out`),
})
const groups = books('grouped.codebooks')

const SPECS: Readonly<Record<string, QuantizerSpec>> = {
  vq: vq(books('codebooks')[0]),
  cosine: vq(books('codebooks')[0], 'cosine'),
  unit: vq(books('codebooks')[0], 'unit'),
  rvq: rvq(books('codebooks')),
  factorized: factorizedRvq(stages),
  grouped: groupedRvq([groups.slice(0, 3), groups.slice(3)]),
  split: splitRvq([branch('semantic'), branch('acoustic')]),
}

const rowsOf = (codes: readonly ArrayLike<number>[]) => codes.map(row => Array.from(row))

for (const [name, spec] of Object.entries(SPECS))
  test(`${name}: codes and decoded vectors as PyTorch`, async () => {
    const quantizer = await openQuantizer(spec)
    const { integers, shape } = known.get(`${name}.codes`)!
    assert.is(quantizer.codebookSizes.length, shape[0])
    const expected = Array.from({ length: shape[0] }, (_, q) => [
      ...integers.subarray(q * frames, (q + 1) * frames),
    ])
    const codes = quantizer.encode(features, frames)
    assert.equal(rowsOf(codes), expected)
    const decoded = known.get(`${name}.decoded`)
    if (decoded) assert.ok(maxError(quantizer.decode(codes), decoded.data) < 2e-6)
  })

for (const levels of [
  [8, 5, 5, 5],
  [3, 4, 16, 7, 6],
])
  test(`fsq ${levels}: as vector-quantize-pytorch`, async () => {
    const name = `fsq.${levels.join('_')}`
    const quantizer = await openQuantizer({ kind: 'fsq', levels })
    const x = known.get(`${name}.x`)!
    const codes = quantizer.encode(x.data, x.shape[0])
    assert.equal([...codes[0]], [...known.get(`${name}.codes`)!.integers])
    assert.ok(maxError(quantizer.decode(codes), known.get(`${name}.decoded`)!.data) < 1e-6)
    assert.equal(
      rowsOf(
        quantizer.encode(
          quantizer.decode(codes).map(value => value * 1e-9),
          frames,
        ),
      ).length,
      1,
    )
  })

for (const [name, spec] of Object.entries(SPECS))
  test(`${name}: the same for any split, saved and loaded, and in the relaxed build`, async () => {
    const quantizer = await openQuantizer(spec)
    const whole = rowsOf(quantizer.encode(features, frames))
    const decoded = quantizer.decode(whole)
    for (const step of [1, 7, 64, 65]) {
      const parts: number[][] = whole.map(() => [])
      for (let start = 0; start < frames; start += step) {
        const count = Math.min(step, frames - start)
        const part = quantizer.encode(features.subarray(start * dim, (start + count) * dim), count)
        part.forEach((row, q) => {
          parts[q].push(...row)
        })
      }
      assert.equal(parts, whole, `${step} frames at a time`)
    }
    const again = await loadQuantizer(quantizer.save())
    assert.equal(rowsOf(again.encode(features, frames)), whole)
    identical(again.decode(whole), decoded)
    const relaxed = await openQuantizer(spec, { deterministic: false })
    const different = rowsOf(relaxed.encode(features, frames))
      .flat()
      .filter((code, i) => code !== whole.flat()[i])
    assert.is(different.length, 0)
  })

test('fewer codebooks: the first ones, and a coarser vector', async () => {
  for (const name of ['rvq', 'factorized', 'split', 'grouped']) {
    const quantizer = await openQuantizer(SPECS[name])
    const all = rowsOf(quantizer.encode(features, frames))
    for (let count = 1; count < all.length; count++) {
      assert.equal(rowsOf(quantizer.encode(features, frames, count)), all.slice(0, count))
      assert.is(quantizer.decode(all.slice(0, count)).length, frames * dim)
    }
  }
  const quantizer = await openQuantizer(SPECS.rvq)
  const error = (count: number) => {
    const decoded = quantizer.decode(quantizer.encode(features, frames, count))
    return decoded.reduce((sum, value, i) => sum + (value - features[i]) ** 2, 0)
  }
  assert.ok(error(2) < error(1) && error(3) < error(2) && error(4) < error(3))
})

test('ties go to the lowest index', async () => {
  const row = randomArray(dim, 3)
  const data = new Float32Array([...randomArray(dim, 4), ...row, ...row, ...row])
  for (const distance of ['euclidean', 'cosine', 'unit'] as const) {
    const quantizer = await openQuantizer(vq({ data, rows: 4, columns: dim }, distance))
    assert.equal([...quantizer.encode(row, 1)[0]], [1])
  }
})

test('odd sizes against a plain loop in f64', async () => {
  for (const [size, columns, count] of [
    [1, 1, 3],
    [3, 2, 5],
    [17, 5, 66],
    [129, 33, 131],
  ]) {
    const codebook = { data: randomArray(size * columns, size), rows: size, columns }
    const x = randomArray(count * columns, 9)
    const quantizer = await openQuantizer(vq(codebook))
    const expected = Array.from({ length: count }, (_, t) => {
      const distance = (k: number) => {
        let sum = 0
        for (let d = 0; d < columns; d++) sum += (x[t * columns + d] - codebook.data[k * columns + d]) ** 2
        return sum
      }
      return Array.from({ length: size }, (_, k) => k).reduce((a, b) => (distance(b) < distance(a) ? b : a))
    })
    assert.equal([...quantizer.encode(x, count)[0]], expected)
  }
})

test('no frames: no codes', async () => {
  const quantizer = await openQuantizer(SPECS.rvq)
  assert.equal(rowsOf(quantizer.encode(new Float32Array(), 0)), [[], [], [], []])
  assert.is(quantizer.decode([[]]).length, 0)
})

test('random projection: seeded, saved, nearest by direction', async () => {
  const spec = await randomProjection({ dim, size: 200, codebookDim: 6, seed: 11 })
  const quantizer = await openQuantizer(spec)
  const codes = [...quantizer.encode(features, frames)[0]]
  assert.ok(new Set(codes).size > 50, `${new Set(codes).size} different codes`)
  const scaled = features.map(value => 3 * value)
  assert.equal([...quantizer.encode(scaled, frames)[0]], codes, 'length does not count')
  const again = await randomProjection({ dim, size: 200, codebookDim: 6, seed: 11 })
  assert.equal([...(await openQuantizer(again)).encode(features, frames)[0]], codes)
  assert.equal([...(await loadQuantizer(quantizer.save())).encode(features, frames)[0]], codes)
  const other = await randomProjection({ dim, size: 200, codebookDim: 6, seed: 12 })
  assert.not.equal([...(await openQuantizer(other)).encode(features, frames)[0]], codes)
  assert.is(quantizer.outputDim, 6)
})

test('a random codebook is N(0, 1), its projection Xavier-uniform', async () => {
  const { input, quantizer } = await randomProjection({ dim: 64, size: 4096 })
  const { data } = (quantizer as { codebook: Matrix }).codebook
  const moment = (power: number) => data.reduce((sum, value) => sum + value ** power, 0) / data.length
  assert.ok(Math.abs(moment(1)) < 0.02 && Math.abs(moment(2) - 1) < 0.02 && Math.abs(moment(4) - 3) < 0.15)
  const bound = Math.sqrt(6 / 80)
  const largest = input!.weight.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  assert.ok(largest < bound && largest > 0.95 * bound)
})

const fails = (kind: abstract new (...parts: never[]) => Error, message: RegExp) => (error: unknown) =>
  error instanceof kind && message.test(error.message)

async function refuses(call: () => Promise<unknown>, kind: Parameters<typeof fails>[0], message: RegExp) {
  const error = await call().then(
    () => undefined,
    reason => reason,
  )
  assert.ok(fails(kind, message)(error), `expected ${kind.name} ${message}, found ${error}`)
}

test('errors say what is wrong', async () => {
  const quantizer = await openQuantizer(SPECS.rvq)
  assert.throws(() => quantizer.encode(features, frames + 1), fails(AudioError, /24 per frame/))
  assert.throws(() => quantizer.encode(features.with(30, Number.NaN), frames), fails(AudioError, /frame 1 /))
  assert.throws(() => quantizer.encode(features, frames, 5), fails(TokenError, /1 to 4/))
  assert.throws(() => quantizer.decode([[0], [50]]), fails(TokenError, /code 50 .* codebook 1 .* 0 to 49/))
  assert.throws(() => quantizer.decode([[0], [1, 2]]), fails(TokenError, /all must agree/))
  assert.throws(() => quantizer.decode([]), fails(TokenError, /0 codebooks/))
  quantizer.dispose()
  assert.throws(() => quantizer.encode(features, frames), fails(DisposedError, /quantizer/))
  const small = { data: new Float32Array(6), rows: 2, columns: 3 }
  await refuses(
    () => openQuantizer(rvq([books('codebooks')[0], small])),
    ConfigError,
    /3 columns .* expected 24/,
  )
  await refuses(() => openQuantizer(rvq([])), ConfigError, /no quantizers/)
  await refuses(() => openQuantizer(vq({ ...small, rows: 3 })), ConfigError, /expected 9/)
  await refuses(() => openQuantizer({ kind: 'fsq', levels: [1000, 1000] }), ConfigError, /65536/)
  await refuses(
    () => openQuantizer({ kind: 'projected', input: { weight: small }, quantizer: vq(small) }),
    ConfigError,
    /gives 2 columns/,
  )
  const saved = (quantizer: unknown) => writeSafetensors({}, { quantizer: JSON.stringify(quantizer) })
  await refuses(() => loadQuantizer(saved({ kind: 'pq' })), ConfigError, /kind 'pq'; known are/)
  await refuses(() => loadQuantizer(saved({ kind: 'codebook' })), ConfigError, /codebook is missing/)
  await refuses(() => loadQuantizer(saved({ kind: 'residual' })), ConfigError, /without its quantizers/)
  await refuses(() => loadQuantizer(saved({ kind: 'fsq' })), ConfigError, /levels/)
  await refuses(() => loadQuantizer(writeSafetensors({})), ConfigError, /holds no quantizer/)
  const distance = 'manhattan' as 'cosine'
  await refuses(() => openQuantizer(vq(small, distance)), ConfigError, /expected euclidean, cosine, unit/)
  await refuses(() => loadQuantizer(new Uint8Array(40)), CheckpointError, /safetensors/)
  await refuses(() => randomProjection({ dim: 0 }), ConfigError, /positive/)
})

test.run()
