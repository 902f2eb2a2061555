import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { near } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'

const test = suite('assembly/kmeans')
const { kernels, heap, region } = await freshCore()

for (const [rows, dim] of [
  [1, 1],
  [3, 2],
  [5, 7],
  [9, 16],
  [4, 33],
]) {
  const x = randomArray(rows * dim, rows + dim)
  const clusters = 3
  const own = Int32Array.from({ length: rows }, (_, t) => (t * 2) % clusters)
  const indices = () => {
    const at = region.alloc(rows)
    heap.i32(at, rows).set(own)
    return at
  }

  test(`accumulateRowsF64 of ${rows} rows of ${dim}`, () => {
    const sums = region.alloc(2 * clusters * dim)
    const counts = region.alloc(clusters)
    heap.bytes(sums, 8 * clusters * dim).fill(0)
    heap.i32(counts, clusters).fill(0)
    kernels.accumulateRowsF64(sums, counts, indices(), region.copy(x), rows, dim)
    const expected = new Float64Array(clusters * dim)
    const expectedCounts = new Int32Array(clusters)
    own.forEach((cluster, t) => {
      expectedCounts[cluster]++
      for (let d = 0; d < dim; d++) expected[cluster * dim + d] += x[t * dim + d]
    })
    assert.equal(new Float64Array(kernels.memory.buffer, sums, clusters * dim), expected)
    assert.equal(heap.i32(counts, clusters).slice(), expectedCounts)
  })

  test(`squaredDistancesF32 of ${rows} rows of ${dim}`, () => {
    const table = randomArray(clusters * dim, 77)
    const out = region.alloc(rows)
    kernels.squaredDistancesF32(out, region.copy(x), region.copy(table), indices(), rows, dim)
    const expected = Array.from(own, (cluster, t) => {
      let sum = 0
      for (let d = 0; d < dim; d++) sum += (x[t * dim + d] - table[cluster * dim + d]) ** 2
      return sum
    })
    near(heap.f32(out, rows), expected, 1e-6)
  })

  test(`normalizeRowsF32 of ${rows} rows of ${dim}`, () => {
    const out = region.alloc(rows * dim + 1)
    heap.f32(out, rows * dim + 1)[rows * dim] = 42
    kernels.normalizeRowsF32(out, region.copy(x), rows, dim)
    const expected = x.map((value, i) => {
      const row = x.subarray(Math.floor(i / dim) * dim, (Math.floor(i / dim) + 1) * dim)
      return value / Math.sqrt(row.reduce((sum, other) => sum + other * other, 0))
    })
    near(heap.f32(out, rows * dim), expected, 1e-6)
    assert.is(heap.f32(out, rows * dim + 1)[rows * dim], 42, 'nothing is written behind the rows')
  })
}

test('a zero row stays zero', () => {
  const at = region.copy(new Float32Array(5))
  kernels.normalizeRowsF32(at, at, 1, 5)
  assert.equal([...heap.f32(at, 5)], [0, 0, 0, 0, 0])
})

test.run()
