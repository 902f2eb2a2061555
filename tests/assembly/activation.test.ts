import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Activation } from '../../bindings/kernels.js'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'
import { worstUlps } from '../support/ulp.js'
import { vectors } from '../support/vectors.js'

const test = suite('assembly/activation')
const { kernels, heap, region } = await freshCore()

/** erf by its series of positive terms: e^(-x^2) sum 2^n x^(2n+1) / (1 * 3 * ... * (2n+1)). */
function erf(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}

const exact = {
  none: (x: number) => x,
  elu: (x: number) => (x > 0 ? x : Math.expm1(x)),
  gelu: (x: number) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  silu: (x: number) => x / (1 + Math.exp(-x)),
}
const names = Object.keys(exact) as (keyof typeof exact)[]

function activate(name: keyof typeof exact, x: Float32Array): Float32Array {
  const pointer = region.copy(x)
  kernels.activationF32(pointer, pointer, x.length, Activation[name])
  const result = heap.f32(pointer, x.length).slice()
  region.release(pointer)
  return result
}

function spread(low: number, high: number): Float32Array {
  return randomArray(20000, 5).map(u => low + ((u + 1) / 2) * (high - low))
}

function within(name: keyof typeof exact, x: Float32Array, ulps: number): void {
  const worst = worstUlps(x, activate(name, x), exact[name])
  assert.ok(worst.error <= ulps, `${name}(${worst.at}) is off by ${worst.error} ulp, allowed ${ulps}`)
}

test('ELU is within 1 ulp: expm1 keeps its digits near 0', () => {
  within('elu', spread(-30, 10), 1)
  within(
    'elu',
    spread(-12, 0).map(u => -(10 ** u)),
    1,
  )
})

test('GELU is within 3 ulp from -1 up, 16 ulp down to -3: the complement does not cancel as 1 + erf would', () => {
  within('gelu', spread(-1, 12), 3)
  within('gelu', spread(-3, -1), 16)
  within(
    'gelu',
    spread(-12, -1).map(u => 10 ** u),
    3,
  )
})

test('GELU is within 5e-8 of the exact value over all negative numbers', () => {
  const x = spread(-20, 0)
  activate('gelu', x).forEach((y, i) => {
    assert.ok(Math.abs(y - (x[i] < -8 ? 0 : exact.gelu(x[i]))) < 5e-8, `gelu(${x[i]}) = ${y}`)
  })
  assert.equal([...activate('gelu', Float32Array.of(-15, -1e5, -1e30))], [-0, -0, -0])
})

test('SiLU is within 3.5 ulp down to -80', () => {
  within('silu', spread(-80, 80), 3.5)
})

test('large arguments saturate and NaN stays NaN', () => {
  assert.equal(
    [...activate('elu', Float32Array.of(-1e30, -Infinity, Infinity, 3e38))],
    [-1, -1, Infinity, Math.fround(3e38)],
  )
  assert.equal(
    [...activate('silu', Float32Array.of(-1e30, 3e38, Infinity))],
    [-0, Math.fround(3e38), Infinity],
  )
  assert.equal([...activate('gelu', Float32Array.of(3e38))], [Math.fround(3e38)])
  for (const name of names)
    assert.ok(Number.isNaN(activate(name, Float32Array.of(Number.NaN))[0]), `${name}(NaN)`)
})

test('agrees with PyTorch', () => {
  const expected = vectors('kernels.safetensors')
  for (const name of ['elu', 'gelu', 'silu'] as const) {
    const { data: x } = expected.get(`${name}.x`)!
    const { data: y } = expected.get(`${name}.y`)!
    activate(name, x).forEach((actual, i) => {
      const allowed = 2.5e-7 * Math.abs(y[i]) + (name === 'gelu' ? 4e-8 : 0) + 1e-37
      assert.ok(Math.abs(actual - y[i]) <= allowed, `${name}(${x[i]}) = ${actual}, expected ${y[i]}`)
    })
  }
})

test('every length gives the same bits and touches nothing past its end', () => {
  const x = randomArray(13, 6, 4)
  for (const name of names) {
    const whole = activate(name, x)
    for (let length = 0; length <= 13; length++) {
      const pointer = region.copy(x)
      kernels.activationF32(pointer, pointer, length, Activation[name])
      assert.equal(
        [...heap.f32(pointer, 13)],
        [...whole.subarray(0, length), ...x.subarray(length)],
        `${name} ${length}`,
      )
    }
  }
})

test('out of place: the same bits, the source unchanged', () => {
  const x = randomArray(13, 7, 4)
  for (const name of names.filter(one => one !== 'none')) {
    const [source, out] = [region.copy(x), region.alloc(13)]
    kernels.activationF32(out, source, 13, Activation[name])
    assert.equal([...heap.f32(out, 13)], [...activate(name, x)], name)
    assert.equal([...heap.f32(source, 13)], [...x], name)
  }
})

test.run()
