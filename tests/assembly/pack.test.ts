import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'

const test = suite('assembly/pack')
const { kernels, heap, region } = await freshCore()

interface Layout {
  n: number
  taps: number
  channels: number
  strides: [n: number, tap: number, channel: number]
}

/** The panels, and the element behind them (7 unless overwritten). */
function pack(source: Float32Array, { n, taps, channels, strides }: Layout): number[] {
  const length = Math.ceil(n / 16) * 16 * taps * channels
  const packed = region.copy(new Float32Array(length + 1).fill(7))
  kernels.packWeights(packed, region.copy(source), n, taps, channels, ...strides)
  return [...heap.f32(packed, length + 1)]
}

/** Column c of panel p at row k holds source element (16 p + c, tap, channel), k = tap * channels + channel, or 0 past n. */
function expected(source: Float32Array, { n, taps, channels, strides }: Layout): number[] {
  const inputs = taps * channels
  const panels = Array.from({ length: Math.ceil(n / 16) * inputs * 16 }, (_, i) => {
    const row = Math.floor(i / (inputs * 16)) * 16 + (i % 16)
    const k = Math.floor(i / 16) % inputs
    if (row >= n) return 0
    return source[row * strides[0] + Math.floor(k / channels) * strides[1] + (k % channels) * strides[2]]
  })
  return [...panels, 7]
}

test('a linear layer [out][in] becomes panels of 16 columns, padded with zeros', () => {
  for (const n of [1, 3, 5, 15, 16, 17, 32, 33]) {
    for (const channels of [1, 3, 5, 17, 33]) {
      const layout: Layout = { n, taps: 1, channels, strides: [channels, 0, 1] }
      const source = randomArray(n * channels, n)
      assert.equal(pack(source, layout), expected(source, layout), `${n} x ${channels}`)
    }
  }
})

test('a convolution [out][in][tap] is read tap by tap', () => {
  for (const [n, taps, channels] of [
    [5, 7, 1],
    [17, 3, 5],
    [33, 16, 3],
    [16, 2, 4],
  ]) {
    const layout: Layout = { n, taps, channels, strides: [channels * taps, 1, taps] }
    const source = randomArray(n * taps * channels, taps)
    assert.equal(pack(source, layout), expected(source, layout), `${n} x ${channels} x ${taps}`)
  }
})

test('rows of a matrix in memory and its columns pack alike', () => {
  const [rows, columns] = [19, 21]
  const matrix = randomArray(rows * columns, 3)
  const transposed = matrix.map((_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)])
  const byColumn = pack(matrix, { n: columns, taps: 1, channels: rows, strides: [1, 0, columns] })
  assert.equal(byColumn, pack(transposed, { n: columns, taps: 1, channels: rows, strides: [rows, 0, 1] }))
})

test.run()
