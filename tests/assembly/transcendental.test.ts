import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { maxError } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'
import { worstUlps } from '../support/ulp.js'
import { vectors } from '../support/vectors.js'

const test = suite('assembly/transcendental')
const { kernels, heap, region } = await freshCore()

type Kernel = 'expF32' | 'sinF32' | 'cosF32'

function evaluate(kernel: Kernel, x: Float32Array): Float32Array {
  const input = region.copy(x)
  const out = region.alloc(x.length)
  kernels[kernel](out, input, x.length)
  const result = heap.f32(out, x.length).slice()
  region.release(input)
  region.release(out)
  return result
}

/** Evenly spread over [low, high], and magnitudes from 1e-12 to 1 of either sign. */
function points(low: number, high: number): Float32Array {
  const even = randomArray(20000, 1).map(u => low + ((u + 1) / 2) * (high - low))
  const tiny = randomArray(2000, 2).map(u => Math.sign(u) * 10 ** (-12 * Math.abs(u)))
  return Float32Array.from([...even, ...tiny])
}

function within(kernel: Kernel, x: Float32Array, exact: (x: number) => number, ulps: number): void {
  const worst = worstUlps(x, evaluate(kernel, x), exact)
  assert.ok(worst.error <= ulps, `${kernel}(${worst.at}) is off by ${worst.error} ulp, allowed ${ulps}`)
}

test('exp is within 1 ulp over its whole range, denormal results included', () => {
  within('expF32', points(-87.3, 88.7), Math.exp, 1)
  within('expF32', points(-104, -87), Math.exp, 1)
})

test('exp overflows to Infinity, underflows to 0 and keeps NaN', () => {
  const result = evaluate(
    'expF32',
    Float32Array.of(88.73, 1e30, Infinity, -105, -1e30, -Infinity, 0, Number.NaN),
  )
  assert.equal([...result], [Infinity, Infinity, Infinity, 0, 0, 0, 1, Number.NaN])
})

test('sin and cos are within 1.6 ulp of the exact value up to 1e6 radians', () => {
  for (const range of [4, 1000, 1e6]) {
    within('sinF32', points(-range, range), Math.sin, 1.6)
    within('cosF32', points(-range, range), Math.cos, 1.6)
  }
})

test('sin and cos keep their relative accuracy beside multiples of pi / 2', () => {
  const multiples = Float32Array.from({ length: 4001 }, (_, k) => ((k - 2000) * 300 * Math.PI) / 2)
  within('sinF32', multiples, Math.sin, 1.6)
  within('cosF32', multiples, Math.cos, 1.6)
})

test('sin and cos stay accurate to 2e-7 up to 2^30 and are NaN from there on', () => {
  const far = randomArray(5000, 3, 2 ** 30)
  assert.ok(maxError(evaluate('sinF32', far), Array.from(far, Math.sin)) < 2e-7)
  assert.ok(maxError(evaluate('cosF32', far), Array.from(far, Math.cos)) < 2e-7)
  const outside = Float32Array.of(2 ** 30, -(2 ** 30), 3e38, Infinity, -Infinity, Number.NaN)
  for (const kernel of ['sinF32', 'cosF32'] as const)
    assert.ok(evaluate(kernel, outside).every(Number.isNaN), `${kernel} outside its domain`)
})

test('agrees with PyTorch', () => {
  const expected = vectors('kernels.safetensors')
  for (const name of ['exp', 'sin', 'cos'] as const) {
    const x = expected.get(`${name}.x`)!.data
    const y = expected.get(`${name}.y`)!.data
    const exact = new Map(Array.from(x, (value, i) => [value, y[i]]))
    // the stored value is itself rounded: half an ulp more
    within(`${name}F32`, x, value => exact.get(value)!, 2.1)
  }
})

test('every length gives the same bits and writes nothing past its end', () => {
  const x = randomArray(13, 4, 10)
  const whole = evaluate('sinF32', x)
  for (let length = 0; length <= 13; length++) {
    const input = region.copy(x)
    const out = region.copy(new Float32Array(14).fill(7))
    kernels.sinF32(out, input, length)
    assert.equal([...heap.f32(out, 14)], [...whole.subarray(0, length), ...new Array(14 - length).fill(7)])
  }
})

test.run()
