import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { near } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'

const { kernels, region } = await freshCore()

for (const length of [0, 1, 3, 4, 5, 17, 64, 131]) {
  test(`sum and affine map of ${length} elements`, () => {
    const [a, b] = [randomArray(length + 1, 1), randomArray(length + 1, 2)]
    const out = region.copy(a)
    const x = region.copy(b)
    kernels.addF32(out, x, length)
    near(
      region.heap.f32(out, length),
      a.subarray(0, length).map((value, i) => value + b[i]),
      1e-7,
      'sum',
    )
    kernels.affineF32(out, x, length, 0.3, -1.5)
    near(
      region.heap.f32(out, length),
      b.subarray(0, length).map(value => value * 0.3 - 1.5),
      2e-7,
      'affine map',
    )
    assert.is(region.heap.f32(out, length + 1)[length], a[length], 'what lies behind is left alone')
  })
}

for (const [rows, channels] of [
  [1, 1],
  [3, 4],
  [5, 7],
  [2, 33],
]) {
  test(`rows added with a factor each, and snake: ${rows} x ${channels}`, () => {
    const length = rows * channels
    const [a, b, scales] = [randomArray(length + 1, 1), randomArray(length, 2), randomArray(rows, 3)]
    const out = region.copy(a)
    kernels.addScaledRowsF32(out, region.copy(b), region.copy(scales), rows, channels)
    const expected = a.map((value, i) => (i < length ? value + b[i] * scales[Math.floor(i / channels)] : value))
    near(region.heap.f32(out, length), expected.subarray(0, length), 2e-7, 'sum')
    assert.is(region.heap.f32(out, length + 1)[length], a[length], 'what lies behind is left alone')

    const alpha = randomArray(channels, 4).map(value => 2 + value)
    const inverse = alpha.map(value => 1 / value)
    const x = region.copy(a)
    kernels.snakeF32(x, x, region.copy(alpha), region.copy(inverse), rows, channels)
    const snake = a.map((value, i) => {
      const factor = alpha[i % channels]
      return i < length ? value + Math.sin(factor * value) ** 2 / factor : value
    })
    near(region.heap.f32(x, length), snake.subarray(0, length), 3e-7, 'snake')
    assert.is(region.heap.f32(x, length + 1)[length], a[length], 'what lies behind is left alone')
  })
}

test('each row times its factor', () => {
  for (const length of [1, 4, 7]) {
    const [x, factors] = [randomArray(3 * length + 1, 1), randomArray(3, 2)]
    const rows = region.copy(x)
    kernels.scaleRowsF32(rows, region.copy(factors), 3, length)
    const expected = x.map((value, i) => (i < 3 * length ? value * factors[Math.floor(i / length)] : value))
    assert.equal(region.heap.f32(rows, x.length), expected)
  }
})

test.run()
