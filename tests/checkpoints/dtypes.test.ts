import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesPerElement, DTYPES, type Dtype, widen } from '../../src/checkpoints/dtypes.js'
import { identical } from '../support/compare.js'

/** Widens `bytes` from an odd address, as they lie in files. */
function widened(dtype: Dtype, array: ArrayBufferView): Float32Array {
  const shifted = new Uint8Array(array.byteLength + 1)
  shifted.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), 1)
  const target = new Float32Array(array.byteLength / bytesPerElement(dtype))
  widen(dtype, shifted.subarray(1), target)
  return target
}

const ALL_16_BITS = Uint16Array.from({ length: 65536 }, (_, i) => i)

test('every float16 is its sign, exponent and fraction', () => {
  const values = widened('F16', ALL_16_BITS)
  for (const bits of ALL_16_BITS) {
    const sign = bits & 0x8000 ? -1 : 1
    const exponent = (bits >> 10) & 31
    const fraction = (bits & 0x3ff) / 1024
    const expected =
      exponent === 31
        ? fraction === 0
          ? sign * Number.POSITIVE_INFINITY
          : Number.NaN
        : sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15))
    assert.ok(
      Object.is(values[bits], expected),
      `0x${bits.toString(16)}: ${values[bits]}, expected ${expected}`,
    )
  }
})

test('every bfloat16 is the upper half of a float32', () => {
  const expected = new Float32Array(Uint32Array.from(ALL_16_BITS, bits => bits << 16).buffer)
  const values = widened('BF16', ALL_16_BITS)
  for (let i = 0; i < 65536; i++) assert.ok(Object.is(values[i], expected[i]), `${i}`)
})

test('the other dtypes convert like typed arrays', () => {
  const floats = new Float32Array([0, -0, 1.5, Number.POSITIVE_INFINITY, 1e-45])
  identical(widened('F32', floats), floats)
  identical(widened('F64', new Float64Array([0.1, -1e300, 3])), Float32Array.of(0.1, -1e300, 3))
  const whole: [Dtype, ArrayBufferView, number[]][] = [
    ['I8', Int8Array.of(-128, 127), [-128, 127]],
    ['U8', Uint8Array.of(0, 255), [0, 255]],
    ['BOOL', Uint8Array.of(0, 1), [0, 1]],
    ['I16', Int16Array.of(-32768, 5), [-32768, 5]],
    ['U16', Uint16Array.of(65535), [65535]],
    ['I32', Int32Array.of(-(2 ** 31), 16777217), [-(2 ** 31), 16777216]],
    ['U32', Uint32Array.of(2 ** 32 - 1), [2 ** 32]],
    ['I64', BigInt64Array.of(-5n, 2n ** 40n), [-5, 2 ** 40]],
    ['U64', BigUint64Array.of(2n ** 63n), [2 ** 63]],
  ]
  for (const [dtype, array, expected] of whole)
    assert.equal(Array.from(widened(dtype, array)), expected, dtype)
  assert.is(whole.length + 4, DTYPES.length)
})

test.run()
