import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { receiver } from '../../src/nn/clip.js'
import { Conv1d, zeroPadding } from '../../src/nn/conv1d.js'
import type { Layer } from '../../src/nn/rows.js'
import { WinogradConv } from '../../src/nn/winograd.js'
import { identical, near, snr } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { concat } from '../support/model.js'
import { random, randomArray } from '../support/random.js'

const test = suite('assembly/winograd')
const { kernels, heap, region } = await freshCore()

const A = Math.SQRT1_2
const B = Math.SQRT2
const POINTS = [0, A, -A, B, -B]

/** Product of (x - root) over roots, coefficients by ascending power. */
function polynomial(roots: readonly number[]): number[] {
  return roots.reduce(
    (p, root) => [...p, 0].map((_, i) => (p[i - 1] ?? 0) - root * (p[i] ?? 0)),
    [1] as number[],
  )
}

test('the input transform is Toom and Cook\'s: rows of B^T are the products of the other points', () => {
  const rows = POINTS.map((_, i) => [...polynomial(POINTS.filter((_, j) => j !== i)), 0])
  rows.push(polynomial(POINTS))
  for (const channels of [1, 3, 4, 7]) {
    const tiles = 3
    const x = randomArray((4 * tiles + 2) * channels, channels)
    const out = region.alloc(6 * tiles * channels)
    kernels.winogradInputF32(out, region.copy(x), tiles, channels)
    const expected = Array.from({ length: 6 * tiles * channels }, (_, i) => {
      const [point, tile, c] = [
        Math.floor(i / (tiles * channels)),
        Math.floor(i / channels) % tiles,
        i % channels,
      ]
      return rows[point].reduce((sum, factor, k) => sum + factor * x[(4 * tile + k) * channels + c], 0)
    })
    near(heap.f32(out, expected.length), expected, 1e-6, `${channels} channels`)
  }
  region.free()
})

test('the output transform evaluates powers of the points, writes only the rows asked for', () => {
  for (const channels of [1, 4, 6])
    for (let rows = 1; rows <= 8; rows++) {
      const tiles = Math.ceil(rows / 4)
      const x = randomArray(6 * tiles * channels, rows)
      const bias = randomArray(channels, 9)
      const out = region.copy(new Float32Array(8 * channels).fill(7))
      kernels.winogradOutputF32(out, region.copy(x), region.copy(bias), tiles, rows, channels)
      const expected = Array.from({ length: 8 * channels }, (_, i) => {
        const [row, c] = [Math.floor(i / channels), i % channels]
        if (row >= rows) return 7
        const at = (point: number) => x[(point * tiles + (row >> 2)) * channels + c]
        const power = row & 3
        const sum = POINTS.reduce((s, p, point) => s + p ** power * at(point), bias[c])
        return power === 3 ? sum + at(5) : sum
      })
      near(heap.f32(out, expected.length), expected, 2e-6, `${rows} rows, ${channels} channels`)
    }
  region.free()
})

/** Runs a layer over rows pushed in chunks, draining after each if told. */
function run(layer: Layer, input: Float32Array, channels: number, outputs: number, chunk: () => number, drain = false) {
  const local = region.child()
  const parts: Float32Array[] = []
  const sink = receiver(local, outputs, (rows, count) => parts.push(heap.f32(rows, count * outputs).slice()))
  const stage = layer.open(local, sink)
  for (let at = 0; at < input.length; ) {
    const part = input.subarray(at, at + chunk() * channels)
    heap.f32(stage.reserve(part.length / channels), part.length).set(part)
    stage.commit(part.length / channels)
    if (drain) stage.drain()
    at += part.length
  }
  stage.end()
  local.free()
  return concat(parts)
}

test('a Winograd convolution equals the plain one at every length, and itself however the input is cut', () => {
  const [inputs, outputs] = [5, 21]
  const weight = randomArray(outputs * inputs * 3, 1)
  const bias = randomArray(outputs, 2)
  for (const padding of [zeroPadding(3), zeroPadding(3, 0)]) {
    const plain = new Conv1d(region, weight, bias, { inputs, outputs, kernel: 3, padding })
    const winograd = new WinogradConv(region, weight, bias, { inputs, outputs, padding })
    const next = random(4)
    for (const length of [1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 256, 257, 600]) {
      const input = randomArray(length * inputs, length)
      const whole = run(winograd, input, inputs, outputs, () => length)
      near(whole, run(plain, input, inputs, outputs, () => length), 3e-6, `${length} rows`)
      for (const drain of [false, true]) {
        const chunk = () => 1 + Math.floor(((next() + 1) / 2) * 40)
        identical(run(winograd, input, inputs, outputs, chunk, drain), whole, `${length} rows in chunks`)
      }
    }
  }
  region.free()
})

test('768 channels: above 115 dB against the plain convolution', () => {
  const channels = 768
  const shape = { inputs: channels, outputs: 16, padding: zeroPadding(3) }
  const weight = randomArray(16 * channels * 3, 1)
  const bias = randomArray(16, 2)
  const input = randomArray(64 * channels, 3)
  const plain = new Conv1d(region, weight, bias, { ...shape, kernel: 3 })
  const winograd = new WinogradConv(region, weight, bias, shape)
  const found = snr(
    run(winograd, input, channels, 16, () => 64),
    run(plain, input, channels, 16, () => 64),
  )
  assert.ok(found > 115, `${found} dB`)
  region.free()
})

test.run()
