import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { byteSource } from '../../src/checkpoints/bytes.js'
import { narrowF16, widen } from '../../src/checkpoints/dtypes.js'
import { quantizeRows, roundAs } from '../../src/checkpoints/reduced.js'
import { openSafetensors, writeSafetensors } from '../../src/checkpoints/safetensors.js'
import { CheckpointError } from '../../src/errors.js'
import { randomArray } from '../support/random.js'

function widened(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length)
  widen('F16', new Uint8Array(halves.buffer), values)
  return values
}

test('every half survives the way to f32 and back', () => {
  const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits)
  const isNumber = (bits: number) => (bits & 0x7fff) <= 0x7c00
  const back = narrowF16(widened(all))
  for (const bits of all) {
    if (isNumber(bits)) assert.is(back[bits], bits)
    else assert.ok(!isNumber(back[bits]), `NaN ${bits.toString(16)} stays NaN`)
  }
})

test('values between two halves go to the nearer, ties to the even one', () => {
  const numbers = Array.from({ length: 0x7c00 }, (_, bits) => bits)
  const halves = widened(Uint16Array.from(numbers))
  for (let bits = 0; bits < 0x7bff; bits += 7) {
    const [low, high] = [halves[bits], halves[bits + 1]]
    const middle = (low + high) / 2 // exact in f32
    const even = bits % 2 === 0 ? bits : bits + 1
    const step = (high - low) / 64
    assert.equal(
      [...narrowF16(Float32Array.of(middle, -middle, middle - step, middle + step))],
      [even, even | 0x8000, bits, bits + 1],
    )
  }
  assert.equal(
    [...narrowF16(Float32Array.of(65519.99, 65520, -1e30, 2 ** -25, 2.0001 ** -25))].slice(0, 4),
    [0x7bff, 0x7c00, 0xfc00, 0],
  )
})

test('rows become multiples of their largest magnitude / 127', () => {
  const values = randomArray(7 * 30, 3, 5)
  values.fill(0, 30, 60)
  for (const [dtype, most] of [
    ['I8', 127],
    ['I16', 2047],
  ] as const) {
    const { integers, scales } = quantizeRows(dtype, 'w', values, 7)
    for (let row = 0; row < 7; row++) {
      const part = values.subarray(row * 30, (row + 1) * 30)
      const peak = Math.max(...part.map(Math.abs))
      assert.is(scales[row], Math.fround(peak / most))
      for (const [i, value] of part.entries())
        assert.ok(Math.abs(value - integers[row * 30 + i] * scales[row]) <= scales[row] * 0.5001)
    }
    assert.equal(Math.max(...integers.map(Math.abs)), most)
  }
})

test('what is not finite cannot be quantized', () => {
  for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY]) {
    const values = new Float32Array(6)
    values[4] = bad
    assert.throws(
      () => quantizeRows('I8', 'w', values, 2),
      (error: Error) => error instanceof CheckpointError && /row 1 of 'w' holds/.test(error.message),
    )
  }
})

const file = (scaleShape: number[]) => {
  const { integers, scales } = quantizeRows('I8', 'w', randomArray(20, 4), 5)
  return writeSafetensors({
    w: { dtype: 'I8', shape: [5, 4], data: integers },
    'w.scale': { dtype: 'F32', shape: scaleShape, data: scales },
    'norm.scale': { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) },
    plain: { dtype: 'I8', shape: [2], data: Int8Array.of(-3, 4) },
  })
}

test('bytes with scales are read multiplied out, others as they are', async () => {
  const source = await openSafetensors(await byteSource(file([5])))
  assert.equal(source.names().sort(), ['norm.scale', 'plain', 'w'])
  assert.not(source.has('w.scale'))
  assert.equal([...(await source.read('plain'))], [-3, 4])
  assert.equal([...(await source.read('norm.scale'))], [1, 2])
  const rounded = randomArray(20, 4)
  roundAs('I8', 'w', rounded, 5)
  assert.equal(await source.read('w'), rounded)
  const target = new Float32Array(20)
  await source.readInto('w', target)
  assert.equal(target, rounded)
})

test('scales that do not fit are refused', async () => {
  const source = await openSafetensors(await byteSource(file([5, 1])))
  try {
    await source.read('w')
    assert.unreachable()
  } catch (error) {
    assert.instance(error, CheckpointError)
    assert.match(
      (error as Error).message,
      /'w\.scale' is \[5, 1\], expected one scale for each row of 'w' \[5, 4\]/,
    )
  }
})

test.run()
