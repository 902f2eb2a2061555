import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'
import { worstUlps } from '../support/ulp.js'

const test = suite('assembly/bands')
const { kernels, heap, region } = await freshCore()

function log(x: Float32Array, floor: number): Float32Array {
  const out = region.copy(new Float32Array(x.length + 4).fill(7))
  kernels.logF32(out, region.copy(x), x.length, floor)
  assert.equal([...heap.f32(out + x.length * 4, 4)], [7, 7, 7, 7])
  return heap.f32(out, x.length).slice()
}

test('log is within 1 ulp from the smallest normal number to the largest, also near 1', () => {
  const wide = randomArray(40001, 1).map(u => 10 ** (38 * u))
  const nearOne = randomArray(40002, 2).map(u => 1 + u / 2)
  for (const x of [wide, nearOne]) {
    const worst = worstUlps(x, log(x, 1.2e-38), value => Math.log(Math.max(value, Math.fround(1.2e-38))))
    assert.ok(worst.error <= 1, `log(${worst.at}) is off by ${worst.error} ulp`)
  }
  assert.is(log(Float32Array.of(1), 1e-5)[0], 0)
})

test('log takes the floor for everything below it, and leaves NaN and infinity', () => {
  const least = Math.fround(Math.log(Math.fround(1e-5)))
  const [zero, negative, denormal, nan, infinite] = log(
    Float32Array.of(0, -3, 1e-40, Number.NaN, Infinity),
    1e-5,
  )
  assert.equal([zero, negative, denormal], [least, least, least])
  assert.ok(Number.isNaN(nan))
  assert.is(infinite, Infinity)
})

test('banded products add in ascending order, whichever rows share the call', () => {
  const inputs = 9
  const runs = [
    { first: 0, weights: [0.5, 0.25, 2] },
    { first: 4, weights: [] },
    { first: 8, weights: [3] },
    { first: 2, weights: [1, -1, 0.1, 0.2, 0.3] },
  ]
  const table = region.alloc(runs.reduce((total, { weights }) => total + 2 + weights.length, 0))
  let at = table
  for (const { first, weights } of runs) {
    heap.i32(at, 2).set([first, weights.length])
    heap.f32(at + 8, weights.length).set(weights)
    at += 8 + 4 * weights.length
  }
  for (const rows of [1, 2, 3, 4, 6]) {
    const x = randomArray(rows * inputs, rows)
    const out = region.copy(new Float32Array(rows * runs.length + 4).fill(7))
    kernels.bandedF32(out, region.copy(x), table, rows, inputs, runs.length)
    const expected = Array.from({ length: rows * runs.length }, (_, i) => {
      const { first, weights } = runs[i % runs.length]
      let sum = 0
      weights.forEach((weight, k) => {
        const value = x[Math.floor(i / runs.length) * inputs + first + k]
        sum = Math.fround(sum + Math.fround(Math.fround(weight) * value))
      })
      return sum
    })
    assert.equal([...heap.f32(out, expected.length + 4)], [...expected, 7, 7, 7, 7])
  }
})

test.run()
