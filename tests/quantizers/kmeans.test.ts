import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AbortError, AudioError, ConfigError } from '../../src/errors.js'
import {
  openQuantizer,
  type TrainingProgress,
  trainKMeans,
  trainResidual,
} from '../../src/quantizers/index.js'
import { identical } from '../support/compare.js'
import { random, randomArray } from '../support/random.js'

const test = suite('quantizers/kmeans')

const DIM = 5

/** Rows around `clusters` far apart places; row i belongs to place i % clusters. */
function blobs(rows: number, clusters: number, seed: number): Float32Array<ArrayBuffer> {
  const places = randomArray(clusters * DIM, seed, 50)
  const noise = random(seed + 1)
  return Float32Array.from({ length: rows * DIM }, (_, i) => {
    const cluster = Math.floor(i / DIM) % clusters
    return places[cluster * DIM + (i % DIM)] + noise()
  })
}

/** One Lloyd step in f64: means of the rows nearest to each centre. */
function lloydStep(x: Float32Array, centers: Float32Array): Float64Array {
  const size = centers.length / DIM
  const sums = new Float64Array(centers.length)
  const counts = new Float64Array(size)
  for (let t = 0; t < x.length / DIM; t++) {
    const distance = (k: number) => {
      let sum = 0
      for (let d = 0; d < DIM; d++) sum += (x[t * DIM + d] - centers[k * DIM + d]) ** 2
      return sum
    }
    const best = Array.from({ length: size }, (_, k) => k).reduce((a, b) =>
      distance(b) < distance(a) ? b : a,
    )
    counts[best]++
    for (let d = 0; d < DIM; d++) sums[best * DIM + d] += x[t * DIM + d]
  }
  return sums.map((sum, i) => sum / counts[Math.floor(i / DIM)])
}

test('separate clusters are found, one centre in each, in batches and as a whole', async () => {
  const clusters = 12
  const rows = 1200
  const x = blobs(rows, clusters, 5)
  for (const batchSize of [128, rows]) {
    const { spec, inertia } = await trainKMeans(x, rows, { size: clusters, batchSize, seed: 3 })
    const [codes] = (await openQuantizer(spec)).encode(x, rows)
    const owners = new Set(Array.from(codes, (code, t) => code * clusters + (t % clusters)))
    assert.is(owners.size, clusters, `batches of ${batchSize}`)
    assert.ok(Math.abs(inertia - DIM / 3) < 0.3, `inertia ${inertia}; uniform noise has ${DIM / 3}`)
  }
})

test("a pass over everything is Lloyd's step", async () => {
  const rows = 500
  const x = randomArray(rows * DIM, 8)
  const options = { size: 9, batchSize: rows, seed: 1, tolerance: 0 }
  for (const epochs of [1, 2, 5]) {
    const before = await trainKMeans(x, rows, { ...options, epochs })
    const after = await trainKMeans(x, rows, { ...options, epochs: epochs + 1 })
    if (after.epochs !== epochs + 1) continue
    const step = lloydStep(x, before.spec.codebook.data)
    after.spec.codebook.data.forEach((value, i) => {
      assert.ok(Math.abs(value - step[i]) < 1e-6, `centre ${Math.floor(i / DIM)} after pass ${epochs + 1}`)
    })
    assert.ok(after.inertia <= before.inertia)
  }
})

test('it converges, and the seed decides everything', async () => {
  const rows = 900
  const x = randomArray(rows * DIM, 9)
  const options = { size: 20, batchSize: rows, epochs: 300, tolerance: 0 }
  const one = await trainKMeans(x, rows, options)
  assert.ok(one.epochs < 300)
  const step = lloydStep(x, one.spec.codebook.data)
  assert.ok(one.spec.codebook.data.every((value, i) => Math.abs(value - step[i]) < 1e-5))
  const same = await trainKMeans(x, rows, options)
  identical(same.spec.codebook.data, one.spec.codebook.data)
  const other = await trainKMeans(x, rows, { ...options, seed: 7 })
  assert.not.equal([...other.spec.codebook.data], [...one.spec.codebook.data])
})

test('k-means++ seeds one centre per cluster where clusters are far apart', async () => {
  const clusters = 10
  const x = blobs(400, clusters, 21).map(value => value * 100)
  for (let seed = 0; seed < 5; seed++) {
    const { spec } = await trainKMeans(x, 400, { size: clusters, seed, epochs: 1, batchSize: 400 })
    const [codes] = (await openQuantizer(spec)).encode(x, 400)
    assert.is(new Set(codes).size, clusters, `seed ${seed}`)
  }
})

test('centres without rows are moved, and equal rows do no harm', async () => {
  const rows = 64
  const x = Float32Array.from({ length: rows * DIM }, (_, i) => (Math.floor(i / DIM) < 60 ? 1 : i))
  const { spec, relocated } = await trainKMeans(x, rows, { size: 5, seed: 2, seedingRows: 5, epochs: 20 })
  const [codes] = (await openQuantizer(spec)).encode(x, rows)
  assert.is(new Set(codes).size, 5)
  assert.ok(relocated > 0)
  const flat = await trainKMeans(new Float32Array(rows * DIM).fill(2), rows, { size: 4 })
  assert.ok(flat.spec.codebook.data.every(value => value === 2))
  assert.is(flat.inertia, 0)
})

test('residual training: every codebook takes something away', async () => {
  const rows = 600
  const x = randomArray(rows * DIM, 30)
  const { spec, residuals } = await trainResidual(x, rows, 4, { size: 16, batchSize: rows })
  assert.is(residuals.length, 4)
  for (let book = 1; book < 4; book++) assert.ok(residuals[book] < 0.8 * residuals[book - 1])
  const quantizer = await openQuantizer(spec)
  const decoded = quantizer.decode(quantizer.encode(x, rows))
  const error = decoded.reduce((sum, value, i) => sum + (value - x[i]) ** 2, 0) / rows
  assert.ok(Math.abs(error - residuals[3]) < 1e-6)
})

test('progress is told, an abort is obeyed', async () => {
  const rows = 3000
  const x = randomArray(rows * DIM, 31)
  const told: TrainingProgress[] = []
  const controller = new AbortController()
  const { epochs } = await trainKMeans(x, rows, {
    size: 8,
    batchSize: 500,
    epochs: 6,
    onProgress: progress => told.push(progress),
  })
  const passes = told.filter(({ phase, share }) => phase === 'training' && share === 1)
  assert.equal(
    passes.map(({ epoch }) => epoch).filter((epoch, i, all) => epoch !== all[i - 1]).length,
    epochs,
  )
  assert.ok(passes.every(({ inertia }) => inertia! > 0))
  const stopped = await trainKMeans(x, rows, {
    size: 64,
    epochs: 1e9,
    tolerance: -1,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  }).catch(reason => reason)
  assert.instance(stopped, AbortError)
})

test('errors say what is wrong', async () => {
  const x = randomArray(10 * DIM, 32)
  const refused = async (call: Promise<unknown>) => call.catch(reason => reason)
  assert.instance(await refused(trainKMeans(x, 3, { size: 2 })), AudioError)
  assert.instance(await refused(trainKMeans(x.with(7, Number.NaN), 10, { size: 2 })), AudioError)
  assert.instance(await refused(trainKMeans(x, 10, { size: 11 })), ConfigError)
  assert.instance(await refused(trainKMeans(x, 10, { size: 2, batchSize: 0 })), ConfigError)
  assert.instance(await refused(trainResidual(x, 10, 0, { size: 2 })), ConfigError)
})

test.run()
