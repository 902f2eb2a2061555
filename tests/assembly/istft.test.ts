import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'
import { hann } from '../support/spectra.js'

const test = suite('assembly/istft')
const { kernels, heap, region } = await freshCore()

test('polar rows become complex rows: min(exp(m), limit) * (cos p + i sin p)', () => {
  for (const bins of [1, 2, 3, 4, 7, 641]) {
    const x = randomArray(3 * 2 * bins, bins)
    for (let i = 0; i < x.length; i++) x[i] *= Math.floor(i / bins) % 2 ? 300 : 6
    const rows = region.copy(x)
    kernels.polarF32(rows, 3, bins, 100)
    heap.f32(rows, x.length).forEach((value, i) => {
      const part = Math.floor(i / bins) % 2
      const magnitude = Math.min(Math.exp(x[i - part * bins]), 100)
      const phase = x[i + (1 - part) * bins]
      const expected = magnitude * (part ? Math.sin(phase) : Math.cos(phase))
      assert.ok(Math.abs(value - expected) < 3e-7 * magnitude, `${bins}: ${value}, expected ${expected}`)
    })
  }
})

test('the magnitude limit holds where exp overflows, and exp underflows to 0', () => {
  const rows = region.copy(Float32Array.of(200, -200, 4.6, 4.7, 0, 0, 0, 0))
  kernels.polarF32(rows, 1, 4, 100)
  const [overflow, underflow, below, above] = heap.f32(rows, 4)
  assert.equal([overflow, underflow, above], [100, 0, 100])
  assert.ok(Math.abs(below - Math.exp(Math.fround(4.6))) < 2e-5)
})

test('the envelope is the reciprocal sum of squared windows that reach a hop', () => {
  const window = region.alloc(30)
  kernels.hannWindow(window, 30, 30, 1)
  const exact = hann(30)
  const out = region.alloc(8)
  for (const [first, last] of [
    [0, 3],
    [0, 1],
    [2, 3],
    [3, 3],
  ]) {
    kernels.inverseEnvelopeF32(out, window, 30, 8, first, last)
    const expected = Array.from({ length: 8 }, (_, i) => {
      let sum = 0
      for (let k = first; k <= last; k++) sum += (exact[k * 8 + i] ?? 0) ** 2
      return sum > 1e-11 ? 1 / sum : 0
    })
    const actual = heap.f32(out, 8)
    expected.forEach((value, i) => {
      assert.ok(
        Math.abs(actual[i] - value) <= 1e-6 * value,
        `${first}..${last}[${i}]: ${actual[i]}, expected ${value}`,
      )
    })
  }
})

test('products of any length', () => {
  for (const length of [1, 3, 4, 7, 320]) {
    const a = randomArray(length, length)
    const b = randomArray(length, length + 1)
    const out = region.copy(new Float32Array(length + 4).fill(7))
    kernels.multiplyF32(out, region.copy(a), region.copy(b), length)
    assert.equal([...heap.f32(out, length)], [...a.map((value, i) => value * b[i])])
    assert.equal([...heap.f32(out + length * 4, 4)], [7, 7, 7, 7])
  }
})

test.run()
