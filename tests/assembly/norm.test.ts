import { suite } from 'uvu'
import { Activation } from '../../bindings/kernels.js'
import { identical, near } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'
import { cases, vectors } from '../support/vectors.js'

const test = suite('assembly/norm')
const { kernels, heap, region } = await freshCore()
const EPS = 1e-6
const expected = vectors('kernels.safetensors')

/** Mean and 1 / sqrt(biased variance + eps) of some elements, in f64. */
function statistics(values: number[]): { mean: number; inverse: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return { mean, inverse: 1 / Math.sqrt(variance + EPS) }
}

function layerNorm(x: Float32Array, scale: Float32Array, shift: Float32Array, rows: number): Float32Array {
  const out = region.alloc(x.length)
  kernels.layerNormF32(out, region.copy(x), region.copy(scale), region.copy(shift), rows, scale.length, EPS)
  return heap.f32(out, x.length).slice()
}

/** Measures all rows, then normalises them in blocks of `block` rows. */
function groupNorm(
  x: Float32Array,
  scale: Float32Array,
  shift: Float32Array,
  groups: number,
  activation: Activation,
  block = Number.POSITIVE_INFINITY,
): Float32Array {
  const channels = scale.length
  const rows = x.length / channels
  const input = region.copy(x)
  const out = region.alloc(x.length)
  const factors = region.alloc(4 * channels)
  kernels.groupNormMeasure(
    factors,
    input,
    region.copy(scale),
    region.copy(shift),
    rows,
    channels,
    groups,
    EPS,
  )
  for (let row = 0; row < rows; row += block) {
    const at = row * channels * 4
    kernels.groupNormApply(out + at, input + at, factors, Math.min(block, rows - row), channels, activation)
  }
  return heap.f32(out, x.length).slice()
}

test('layer norm equals the f64 formula for every tail of channels', () => {
  for (const channels of [1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 33, 768]) {
    for (const rows of [1, 3]) {
      const x = randomArray(rows * channels, channels, 3)
      const scale = randomArray(channels, 1)
      const shift = randomArray(channels, 2)
      const exact = Array.from(x, (value, i) => {
        const first = i - (i % channels)
        const { mean, inverse } = statistics([...x.subarray(first, first + channels)])
        return (value - mean) * inverse * scale[i % channels] + shift[i % channels]
      })
      near(layerNorm(x, scale, shift, rows), exact, 5e-7, `layer norm ${rows} x ${channels}`)
    }
  }
})

test('layer norm loses nothing to a large offset', () => {
  const channels = 768
  const x = randomArray(channels, 3).map(value => value + 1000)
  const scale = new Float32Array(channels).fill(1)
  const { mean, inverse } = statistics([...x])
  const exact = Array.from(x, value => (value - mean) * inverse)
  near(layerNorm(x, scale, new Float32Array(channels), 1), exact, 5e-7, 'offset 1000')
})

test('layer norm works in place and each row by itself', () => {
  const [rows, channels] = [5, 19]
  const x = randomArray(rows * channels, 4)
  const scale = randomArray(channels, 5)
  const shift = randomArray(channels, 6)
  const whole = layerNorm(x, scale, shift, rows)
  const pointer = region.copy(x)
  kernels.layerNormF32(pointer, pointer, region.copy(scale), region.copy(shift), rows, channels, EPS)
  identical(heap.f32(pointer, x.length), whole, 'in place')
  for (let row = 0; row < rows; row++) {
    const at = row * channels
    identical(
      layerNorm(x.subarray(at, at + channels), scale, shift, 1),
      whole.subarray(at, at + channels),
      `row ${row}`,
    )
  }
})

test('layer norm agrees with PyTorch', () => {
  for (const { name, about } of cases('kernels.safetensors', 'layer_norm')) {
    const [x, w, b, y] = ['x', 'w', 'b', 'y'].map(tensor => expected.get(`${name}.${tensor}`)!.data)
    near(layerNorm(x, w, b, about.T), y, 1e-6, name)
  }
})

test('group norm equals the f64 formula, its statistics over all rows, with and without SiLU', () => {
  for (const [rows, channels, groups] of [
    [1, 4, 4],
    [1, 10, 2],
    [3, 5, 1],
    [17, 12, 4],
    [5, 21, 3],
    [33, 96, 32],
    [9, 28, 4],
    [2, 6, 6],
  ]) {
    const width = channels / groups
    const x = randomArray(rows * channels, rows, 2).map(value => value + 1)
    const scale = randomArray(channels, 7)
    const shift = randomArray(channels, 8)
    const groupOf = (i: number) => Math.floor((i % channels) / width)
    const all = Array.from({ length: groups }, (_, group) =>
      statistics([...x].filter((_, i) => groupOf(i) === group)),
    )
    const exact = Array.from(x, (value, i) => {
      const { mean, inverse } = all[groupOf(i)]
      return (value - mean) * inverse * scale[i % channels] + shift[i % channels]
    })
    const what = `group norm ${rows} x ${channels}, ${groups} groups`
    near(groupNorm(x, scale, shift, groups, Activation.none), exact, 2e-6, what)
    const activated = exact.map(value => value / (1 + Math.exp(-value)))
    near(groupNorm(x, scale, shift, groups, Activation.silu), activated, 2e-6, `${what}, SiLU`)
  }
})

test('group norm gives the same bits in blocks of rows', () => {
  const x = randomArray(17 * 20, 9)
  const [scale, shift] = [randomArray(20, 10), randomArray(20, 11)]
  const whole = groupNorm(x, scale, shift, 4, Activation.silu)
  for (const block of [1, 2, 5, 16])
    identical(groupNorm(x, scale, shift, 4, Activation.silu, block), whole, `${block} rows`)
})

test('group norm agrees with PyTorch', () => {
  for (const { name, about } of cases('kernels.safetensors', 'group_norm')) {
    const [x, w, b, y] = ['x', 'w', 'b', 'y'].map(tensor => expected.get(`${name}.${tensor}`)!.data)
    near(groupNorm(x, w, b, about.groups, Activation.none), y, 1e-6, name)
  }
})

test.run()
