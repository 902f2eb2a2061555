import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Activation } from '../../bindings/kernels.js'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'
import { ulp } from '../support/ulp.js'
import { vectors } from '../support/vectors.js'

const test = suite('assembly/quantize')
const { kernels, heap, region } = await freshCore()

function argmax(scores: Float32Array, rows: number, columns: number, pitch = columns): number[] {
  const out = region.alloc(rows)
  kernels.argmaxRowsF32(out, region.copy(scores), pitch, rows, columns)
  return [...heap.i32(out, rows)]
}

function naiveArgmax(row: Float32Array): number {
  let best = 0
  row.forEach((value, i) => {
    if (value > row[best] || (i === 0 && Number.isNaN(value))) best = i
  })
  return best
}

/** The kernels' search: a product with the codebook whose bias is minus half the norms, then the first maximum. */
function nearest(x: Float32Array, codebook: Float32Array, dim: number): number[] {
  const size = codebook.length / dim
  const rows = x.length / dim
  const padded = Math.ceil(size / 16) * 16
  const packed = region.alloc(padded * dim)
  const bias = region.copy(new Float32Array(padded))
  const table = region.copy(codebook)
  const scores = region.alloc(rows * size)
  const out = region.alloc(rows)
  kernels.packWeights(packed, table, size, 1, dim, dim, 0, 1)
  kernels.halfNormsF32(bias, table, size, dim)
  kernels.matmulF32(scores, size, region.copy(x), dim, packed, bias, 0, rows, dim, size, Activation.none)
  kernels.argmaxRowsF32(out, scores, size, rows, size)
  return [...heap.i32(out, rows)]
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0)
}

test('argmax finds the maximum in every column', () => {
  for (const columns of [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33]) {
    const scores = Float32Array.from({ length: columns * columns }, (_, i) => -(i % 7))
    for (let row = 0; row < columns; row++) scores[row * columns + row] = 5
    assert.equal(
      argmax(scores, columns, columns),
      Array.from({ length: columns }, (_, row) => row),
      `${columns} columns`,
    )
  }
})

test('argmax takes the first of equal maxima, wherever the two lie', () => {
  const columns = 21
  for (let first = 0; first < columns; first++) {
    for (let second = first; second < columns; second++) {
      const row = randomArray(columns, first)
      row[first] = row[second] = 2
      assert.equal(argmax(row, 1, columns), [first], `maxima at ${first} and ${second}`)
    }
  }
})

test('argmax agrees with a naive scan over rows with a pitch', () => {
  const [rows, columns, pitch] = [17, 33, 40]
  const scores = randomArray(rows * pitch, 13)
  const naive = Array.from({ length: rows }, (_, row) =>
    naiveArgmax(scores.subarray(row * pitch, row * pitch + columns)),
  )
  assert.equal(argmax(scores, rows, columns, pitch), naive)
})

test('argmax of nothing comparable is 0, and NaN never wins', () => {
  for (const columns of [3, 8, 19]) {
    assert.equal(argmax(new Float32Array(columns).fill(-Infinity), 1, columns), [0])
    assert.equal(argmax(new Float32Array(columns).fill(Number.NaN), 1, columns), [0])
  }
  assert.equal(argmax(Float32Array.of(Number.NaN, -3, Number.NaN, -2, -2, Number.NaN, -9, -9, -9), 1, 9), [3])
})

test('half norms are correctly rounded', () => {
  for (const dim of [1, 3, 8, 17, 512]) {
    const codebook = randomArray(5 * dim, dim)
    const out = region.alloc(5)
    kernels.halfNormsF32(out, region.copy(codebook), 5, dim)
    heap.f32(out, 5).forEach((value, row) => {
      const exact = -squaredDistance(codebook.subarray(row * dim, (row + 1) * dim), new Float32Array(dim)) / 2
      assert.ok(Math.abs(value - exact) <= 0.5001 * ulp(exact), `dim ${dim}, row ${row}: ${value}, ${exact}`)
    })
  }
})

test('gather copies whole rows by index', () => {
  const [size, dim] = [9, 5]
  const table = randomArray(size * dim, 14)
  const indices = [8, 0, 3, 3, 7]
  const list = region.alloc(indices.length)
  heap.i32(list, indices.length).set(indices)
  const out = region.alloc(indices.length * dim)
  kernels.gatherRowsF32(out, region.copy(table), list, indices.length, dim)
  const expected = indices.flatMap(index => [...table.subarray(index * dim, (index + 1) * dim)])
  assert.equal([...heap.f32(out, expected.length)], expected)
})

test('nearest codeword agrees with f64 distances wherever f32 can tell them apart', () => {
  for (const [size, dim] of [
    [3, 5],
    [16, 8],
    [37, 13],
    [129, 33],
  ]) {
    const codebook = randomArray(size * dim, size)
    const x = randomArray(40 * dim, dim)
    nearest(x, codebook, dim).forEach((code, row) => {
      const own = x.subarray(row * dim, (row + 1) * dim)
      const distances = Array.from({ length: size }, (_, k) =>
        squaredDistance(own, codebook.subarray(k * dim, (k + 1) * dim)),
      )
      assert.ok(distances[code] <= Math.min(...distances) + 1e-5, `${size} x ${dim}, row ${row}`)
    })
  }
})

test('of two equal codewords the lower index wins', () => {
  const dim = 13
  const codebook = randomArray(40 * dim, 15)
  for (const [lower, higher] of [
    [0, 39],
    [3, 20],
    [7, 8],
    [15, 16],
    [32, 36],
  ]) {
    const twice = codebook.slice()
    twice.copyWithin(higher * dim, lower * dim, (lower + 1) * dim)
    assert.equal(nearest(twice.slice(higher * dim, (higher + 1) * dim), twice, dim), [lower])
  }
})

test('agrees with upstream codes, exact ties included', () => {
  const expected = vectors('kernels.safetensors')
  const { data: codebook, shape } = expected.get('nearest_codeword.codebook')!
  const codes = nearest(expected.get('nearest_codeword.x')!.data, codebook, shape[1])
  assert.equal(codes, [...expected.get('nearest_codeword.codes')!.integers])
})

test.run()
