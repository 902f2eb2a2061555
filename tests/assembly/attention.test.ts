import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Activation, type Pointer } from '../../bindings/kernels.js'
import { identical, near } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'
import { cases, vectors } from '../support/vectors.js'

const test = suite('assembly/attention')
const { kernels, heap, region } = await freshCore()
const expected = vectors('kernels.safetensors')

function softmax(x: Float32Array, rows: number, columns: number, pitch = columns, scale = 1): Float32Array {
  const pointer = region.copy(x)
  kernels.softmaxRowsF32(pointer, pitch, rows, columns, scale)
  return heap.f32(pointer, x.length).slice()
}

function exactSoftmax(row: number[], scale: number): number[] {
  const top = Math.max(...row)
  const powers = row.map(value => Math.exp((value - top) * scale))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map(power => power / sum)
}

/** A matrix [rows][columns] packed as weights: its rows, or its columns, are the outputs. */
function pack(x: Float32Array, rows: number, columns: number, outputsAre: 'rows' | 'columns'): Pointer {
  const [n, k, strideN, strideK] =
    outputsAre === 'rows' ? [rows, columns, columns, 1] : [columns, rows, 1, columns]
  const packed = region.alloc(Math.ceil(n / 16) * 16 * k)
  kernels.packWeights(packed, region.copy(x), n, 1, k, strideN, 0, strideK)
  return packed
}

/** softmax(q k^T / sqrt(channels)) v in blocks of query rows. */
function attention(
  q: Float32Array,
  k: Float32Array,
  v: Float32Array,
  rows: number,
  channels: number,
  block: number,
) {
  const query = region.copy(q)
  const keys = pack(k, rows, channels, 'rows')
  const values = pack(v, rows, channels, 'columns')
  const zeros = region.copy(new Float32Array(Math.ceil(Math.max(rows, channels) / 16) * 16))
  const scores = region.alloc(block * rows)
  const out = region.alloc(rows * channels)
  for (let row = 0; row < rows; row += block) {
    const count = Math.min(block, rows - row)
    const at = row * channels * 4
    kernels.matmulF32(
      scores,
      rows,
      query + at,
      channels,
      keys,
      zeros,
      0,
      count,
      channels,
      rows,
      Activation.none,
    )
    kernels.softmaxRowsF32(scores, rows, count, rows, 1 / Math.sqrt(channels))
    kernels.matmulF32(
      out + at,
      channels,
      scores,
      rows,
      values,
      zeros,
      0,
      count,
      rows,
      channels,
      Activation.none,
    )
  }
  return heap.f32(out, rows * channels).slice()
}

test('softmax equals the f64 formula for every tail of columns', () => {
  for (const columns of [1, 2, 3, 4, 5, 7, 8, 17, 33, 750]) {
    for (const scale of [1, 0.25, 6]) {
      const x = randomArray(3 * columns, columns, 4)
      const exact = [0, 1, 2].flatMap(row =>
        exactSoftmax([...x.subarray(row * columns, (row + 1) * columns)], scale),
      )
      const actual = softmax(x, 3, columns, columns, scale)
      actual.forEach((value, i) => {
        assert.ok(
          Math.abs(value - exact[i]) <= 4e-6 * exact[i] + 1e-37,
          `${columns} columns [${i}]: ${value}, ${exact[i]}`,
        )
      })
    }
  }
})

test('softmax keeps to its rows, and a row does not depend on the others', () => {
  const [rows, columns, pitch] = [5, 11, 14]
  const x = randomArray(rows * pitch, 12, 3)
  const actual = softmax(x, rows, columns, pitch)
  for (let row = 0; row < rows; row++) {
    const own = x.slice(row * pitch, row * pitch + columns)
    identical(actual.subarray(row * pitch, row * pitch + columns), softmax(own, 1, columns), `row ${row}`)
    const gap = [row * pitch + columns, (row + 1) * pitch]
    identical(actual.subarray(...gap), x.subarray(...gap), `behind row ${row}`)
  }
})

test('softmax takes scores far apart, all equal and huge', () => {
  assert.equal([...softmax(Float32Array.of(0, 1000, -1e30, 500, 0), 1, 5)], [0, 1, 0, 0, 0])
  near(softmax(new Float32Array(7).fill(3e38), 1, 7), new Array(7).fill(1 / 7), 1e-7, 'equal')
  near(softmax(Float32Array.of(-1e30, -1e30, -Infinity), 1, 3), [0.5, 0.5, 0], 0, 'masked')
})

test('softmax agrees with PyTorch', () => {
  const { data, shape } = expected.get('softmax.x')!
  near(softmax(data, shape[0], shape[1]), expected.get('softmax.y')!.data, 2e-7, 'softmax')
})

test('products around softmax agree with PyTorch attention, in blocks of any size', () => {
  for (const { name, about } of cases('kernels.safetensors', 'attention')) {
    const [q, k, v, y] = ['q', 'k', 'v', 'y'].map(tensor => expected.get(`${name}.${tensor}`)!.data)
    const whole = attention(q, k, v, about.T, about.C, about.T)
    near(whole, y, 3e-6, name)
    for (const block of [1, 2, 5, 48])
      identical(attention(q, k, v, about.T, about.C, block), whole, `${name} by ${block}`)
  }
})

test.run()
