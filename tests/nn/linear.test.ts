import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Activation } from '../../bindings/kernels.js'
import { receiver } from '../../src/nn/clip.js'
import { Linear, type PackedWeights, packLinear, packWeights, product } from '../../src/nn/linear.js'
import { type WeightDtype, WeightRegion } from '../../src/nn/weights.js'
import { identical, near, snr } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { concat } from '../support/model.js'
import { randomArray } from '../support/random.js'

const DTYPES = ['f32', 'f16', 'q12', 'q8'] as const
const core = await freshCore()
const { heap, region } = core

function packed(dtype: WeightDtype, outputs: number, inputs: number): PackedWeights {
  const weight = randomArray(outputs * inputs, 1)
  return packLinear(new WeightRegion(region, dtype), weight, randomArray(outputs, 2), outputs, inputs)
}

/** The product of random rows, asked for in blocks of `block` rows. */
function rowsOf(weights: PackedWeights, rows: number, block: number): Float32Array {
  const { inputs, outputs } = weights
  const input = region.copy(randomArray(rows * inputs, 3))
  const residual = region.copy(randomArray(rows * outputs, 4))
  const out = region.alloc(rows * outputs)
  for (let row = 0; row < rows; row += block) {
    const at = row * outputs * 4
    product(region, out + at, input + row * inputs * 4, weights, Math.min(block, rows - row), {
      residual: residual + at,
      activation: Activation.gelu,
    })
  }
  return heap.f32(out, rows * outputs).slice()
}

test('every dtype gives the same bits however the rows are cut', () => {
  for (const dtype of DTYPES) {
    const weights = packed(dtype, 300, 37)
    const whole = rowsOf(weights, 205, 205)
    for (const block of [1, 2, 7, 64, 96, 97])
      identical(rowsOf(weights, 205, block), whole, `${dtype} by ${block}`)
  }
  region.free()
})

test('f16, q12 and q8 stay as close to f32 as their bits allow', () => {
  const [exact, half, twelve, quarter] = DTYPES.map(dtype => rowsOf(packed(dtype, 50, 700), 20, 20))
  assert.ok(snr(half, exact) > 70, `f16 ${snr(half, exact)} dB`)
  assert.ok(snr(twelve, exact) > 60, `q12 ${snr(twelve, exact)} dB`)
  assert.ok(snr(quarter, exact) > 40, `q8 ${snr(quarter, exact)} dB`)
  region.free()
})

test('f16 and q12 take half the memory and q8 a quarter; packing leaves nothing else behind', () => {
  const [outputs, inputs] = [1000, 1536]
  const [exact, half, twelve, quarter] = DTYPES.map(dtype => {
    const before = heap.used
    const { reduced } = packed(dtype, outputs, inputs)
    const used = heap.used - before
    if (reduced) region.release(reduced.scratch.pointer)
    const scratch = before + used - heap.used
    region.free()
    return { weights: used - scratch, scratch }
  })
  assert.is(exact.weights, 1008 * (inputs + 1) * 4)
  const { weights } = exact
  near([half.weights, twelve.weights, quarter.weights], [weights / 2, weights / 2, weights / 4], 0.01)
  assert.ok(half.scratch < 500_000 && quarter.scratch < 500_000)
})

test('packing needs little more than what it leaves', () => {
  for (const dtype of DTYPES) {
    heap.peak = heap.used
    packed(dtype, 2304, 768)
    assert.ok(heap.peak - heap.used < 1.1 * 2 ** 20, `${dtype}: ${heap.peak - heap.used} bytes`)
    region.free()
  }
})

test('matrices of one region share their scratch, which fits the largest', () => {
  const shared = new WeightRegion(region, 'q8')
  const [small, large] = [16, 900].map(inputs =>
    packLinear(shared, randomArray(20 * inputs, 1), undefined, 20, inputs),
  )
  const alone = packLinear(new WeightRegion(region, 'q8'), randomArray(20 * 16, 1), undefined, 20, 16)
  assert.is(small.reduced!.scratch, large.reduced!.scratch)
  identical(rowsOf(small, 100, 100), rowsOf(alone, 100, 100))
  region.free()
})

test('weights packed in several runs equal those packed in one', () => {
  // 70 outputs of 6000 inputs are copied 32 at a time
  const [outputs, channels, taps] = [70, 2000, 3]
  const weight = randomArray(outputs * channels * taps, 8)
  const input = randomArray(channels * taps, 9)
  const strides = [channels * taps, 1, taps] as const
  const expected = Array.from({ length: outputs }, (_, n) => {
    let sum = 0
    for (let tap = 0; tap < taps; tap++)
      for (let c = 0; c < channels; c++)
        sum += input[tap * channels + c] * weight[(n * channels + c) * taps + tap]
    return sum
  })
  for (const [dtype, decibels] of [
    ['f32', 110],
    ['f16', 65],
    ['q12', 55],
    ['q8', 40],
  ] as const) {
    const place = new WeightRegion(region, dtype)
    const weights = packWeights(place, weight, undefined, { outputs, taps, channels, strides })
    const out = region.alloc(outputs)
    product(region, out, region.copy(input), weights, 1)
    const ratio = snr(heap.f32(out, outputs), expected)
    assert.ok(ratio > decibels, `${dtype}: ${ratio} dB`)
    region.free()
  }
})

test('windows that overlap are quantized one by one', () => {
  for (const dtype of DTYPES) {
    const weights = packed(dtype, 24, 33)
    const input = randomArray(11 * 50 + 33, 5)
    const apart = Float32Array.from({ length: 50 * 33 }, (_, i) => input[Math.floor(i / 33) * 11 + (i % 33)])
    const [one, other] = [region.alloc(50 * 24), region.alloc(50 * 24)]
    product(region, one, region.copy(input), weights, 50, { inputPitch: 11 })
    product(region, other, region.copy(apart), weights, 50)
    identical(heap.f32(one, 50 * 24).slice(), heap.f32(other, 50 * 24).slice(), dtype)
    region.free()
  }
})

test('a layer gives the same rows for any chunks', () => {
  for (const dtype of DTYPES) {
    const layer = new Linear(packed(dtype, 33, 20), Activation.silu)
    const input = randomArray(20 * 300, 6)
    const run = (rows: number, drain: boolean) => {
      const local = region.child()
      const parts: Float32Array[] = []
      const sink = receiver(local, 33, (at, count) => parts.push(heap.f32(at, count * 33).slice()))
      const stage = layer.open(local, sink)
      for (let row = 0; row < 300; row += rows) {
        const count = Math.min(rows, 300 - row)
        heap.f32(stage.reserve(count), count * 20).set(input.subarray(row * 20, (row + count) * 20))
        stage.commit(count)
        if (drain) stage.drain()
      }
      stage.end()
      local.free()
      return concat(parts)
    }
    const whole = run(300, false)
    identical(run(1, true), whole, dtype)
    identical(run(77, false), whole, dtype)
    region.free()
  }
})

test.run()
