import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freshCore } from '../support/core.js'
import { hann } from '../support/spectra.js'
import { worstUlps } from '../support/ulp.js'

const test = suite('assembly/tables')
const { kernels, heap, region } = await freshCore()

function window(size: number, length: number, scale = 1): Float32Array {
  const pointer = region.alloc(size)
  kernels.hannWindow(pointer, size, length, scale)
  return heap.f32(pointer, size).slice()
}

test('the Hann window is the f64 one, rounded once', () => {
  for (const length of [1, 2, 3, 7, 12, 400, 1280, 2400]) {
    const exact = (i: number) => Math.sin((Math.PI * i) / length) ** 2
    const at = Array.from({ length }, (_, i) => i)
    const worst = worstUlps(at, window(length, length), exact)
    assert.ok(worst.error <= 0.501, `element ${worst.at} of ${length} is off by ${worst.error} ulp`)
  }
})

test('the window is symmetric about its middle, which is exactly one', () => {
  const w = window(1280, 1280)
  assert.is(w[0], 0)
  assert.is(w[640], 1)
  for (let i = 1; i < 640; i++) assert.is(w[i], w[1280 - i])
})

test('a shorter window lies in the middle of zeros, and the scale is applied before rounding', () => {
  const w = window(12, 8, 1 / 3)
  assert.equal([...w.subarray(0, 2), ...w.subarray(10)], [0, 0, 0, 0])
  hann(8).forEach((value, i) => {
    assert.is(w[2 + i], Math.fround(value / 3))
  })
  assert.is(window(13, 8)[2 + 4], 1, 'the spare element is behind')
})

test.run()
