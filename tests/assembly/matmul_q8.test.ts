// Products with reduced weights against integer and f64 references, exactly: nothing here may depend on rounding but where stated.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Activation } from '../../bindings/kernels.js'
import { INTEGERS, type IntegerDtype } from '../../src/nn/weights.js'
import { identical, near } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'

const test = suite('assembly/matmul_q8')
const { kernels, heap, region } = await freshCore()
const { fround } = Math
const INTEGER_DTYPES = ['q8', 'q12'] as const
const padded = (columns: number) => Math.ceil(columns / 16) * 16

/** Every value with every integer dtype. */
function both<T>(values: readonly T[]): [IntegerDtype, T][] {
  return INTEGER_DTYPES.flatMap(dtype => values.map((value): [IntegerDtype, T] => [dtype, value]))
}

interface Strides {
  taps: number
  strides: [number, number, number]
}

/** w [columns][k] as Linear, or read with other strides. */
function packInteger(
  dtype: IntegerDtype,
  w: Float32Array,
  columns: number,
  k: number,
  { taps, strides }: Strides = linear(k),
) {
  const { most, size } = INTEGERS[dtype]
  const count = padded(columns) * (k + (k & 1))
  const bytes = count * size
  const [packed, scales] = [region.alloc(bytes / 4), region.copy(new Float32Array(padded(columns)))]
  heap.bytes(packed, bytes).fill(77)
  // biome-ignore format: the call reads as the kernel's signature
  const bound = kernels.packWeightsInteger(packed, scales, region.copy(w), columns, taps, k / taps, ...strides, most, size)
  const integers = () => new (size === 1 ? Int8Array : Int16Array)(kernels.memory.buffer, packed, count)
  return { packed, scales, bound, most, integers }
}

function linear(k: number): Strides {
  return { taps: 1, strides: [k, 0, 1] }
}

/** The integer of column n, row k in packed panels. */
function at(bytes: ArrayLike<number>, n: number, k: number, inputs: number): number {
  const pairs = Math.ceil(inputs / 2)
  return bytes[Math.floor(n / 16) * pairs * 32 + (k >> 1) * 32 + (n % 16) * 2 + (k & 1)]
}

function quantize(a: Float32Array, rows: number, k: number, aPitch: number, limit: number) {
  const pitch = Math.ceil(k / 8) * 8
  const out = region.alloc((rows * pitch) / 2)
  const rowScales = region.alloc(rows)
  heap.bytes(out, rows * pitch * 2).fill(99)
  kernels.quantizeRowsI16(out, rowScales, region.copy(a), aPitch, rows, k, limit)
  return {
    out,
    rowScales,
    pitch,
    values: new Int16Array(heap.bytes(out, 1).buffer, out, rows * pitch).slice(),
    scales: heap.f32(rowScales, rows).slice(),
  }
}

function roundToEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}

test('packed bytes are the nearest multiples of the column scale; the bound is the largest sum of magnitudes', () => {
  for (const [dtype, columns] of both([1, 15, 16, 17, 33])) {
    for (const k of [1, 2, 3, 8, 21]) {
      const w = randomArray(columns * k, k + columns, 3)
      const { scales, bound, most, integers } = packInteger(dtype, w, columns, k)
      const scale = heap.f32(scales, padded(columns))
      let largest = 0
      for (let n = 0; n < padded(columns); n++) {
        const row = w.subarray(n * k, n * k + k)
        const peak = row.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
        assert.is(scale[n], n < columns ? fround(peak / most) : 0)
        let sum = 0
        for (let i = 0; i < k + (k & 1); i++) {
          const byte = at(integers(), n, i, k)
          const expected = n < columns && i < k ? roundToEven(fround(row[i] / scale[n])) : 0
          assert.is(byte, expected, `column ${n}, k ${i} of ${columns} x ${k}`)
          sum += Math.abs(byte)
        }
        largest = Math.max(largest, sum)
      }
      assert.is(bound, largest)
      region.free()
    }
  }
})

test('convolution weights are packed tap by tap', () => {
  const [outputs, inputs, taps] = [19, 5, 3]
  const w = randomArray(outputs * inputs * taps, 5)
  const byTap = new Float32Array(w.length)
  for (let n = 0; n < outputs; n++)
    for (let c = 0; c < inputs; c++)
      for (let tap = 0; tap < taps; tap++)
        byTap[(n * taps + tap) * inputs + c] = w[(n * inputs + c) * taps + tap]
  const k = inputs * taps
  for (const dtype of INTEGER_DTYPES) {
    const conv = packInteger(dtype, w, outputs, k, { taps, strides: [k, 1, taps] }).integers().slice()
    assert.equal(conv, packInteger(dtype, byTap, outputs, k).integers())
  }
  region.free()
})

test('columns of zeros or of denormal weights become zeros', () => {
  const { scales, integers } = packInteger('q8', Float32Array.of(0, 0, 1e-40, -1e-41), 2, 2)
  assert.ok(integers().every(value => value === 0))
  assert.ok(heap.f32(scales, 16).every(scale => scale === 0))
  region.free()
})

test('rows are quantized to the limit, with ties to even, whatever their pitch; the padding is zero', () => {
  for (const k of [1, 3, 7, 8, 9, 16, 37]) {
    for (const aPitch of [k, 2, k + 5]) {
      const rows = 5
      const a = randomArray((rows - 1) * aPitch + k, k, 40)
      const { values, scales, pitch } = quantize(a, rows, k, aPitch, 2345)
      for (let row = 0; row < rows; row++) {
        const from = a.subarray(row * aPitch, row * aPitch + k)
        const peak = from.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
        assert.is(scales[row], fround(peak / 2345))
        const factor = fround(2345 / peak)
        const expected = Array.from({ length: pitch }, (_, i) =>
          i < k ? roundToEven(fround(from[i] * factor)) : 0,
        )
        assert.equal([...values.subarray(row * pitch, (row + 1) * pitch)], expected)
        assert.ok(Math.max(...expected.map(Math.abs)) === 2345)
      }
      region.free()
    }
  }
})

test('rows of zeros stay zero; a row that is not finite has no finite scale', () => {
  const a = Float32Array.of(0, 0, 0, 1e-35, Number.NaN, 1, Number.NEGATIVE_INFINITY, 1)
  const { values, scales } = quantize(a, 4, 2, 2, 32767)
  assert.ok(values.subarray(0, 16).every(value => value === 0))
  assert.equal([...scales.subarray(0, 2)], [0, 0])
  assert.not(Number.isFinite(scales[2]) || Number.isFinite(scales[3]))
  region.free()
})

interface Problem {
  rows: number
  k: number
  columns: number
  outPitch?: number
  residual?: 'apart' | 'in place'
  activation?: Activation
}

/** The kernel's output and the same from exact integer sums, rounded where the kernel rounds. */
function bothWays(dtype: IntegerDtype, { rows, k, columns, outPitch = columns, residual, activation = Activation.none }: Problem) {
  const { packed, scales, bound, integers } = packInteger(dtype, randomArray(columns * k, k, 2), columns, k)
  const limit = Math.min(32767, Math.floor((2 ** 31 - 1) / bound))
  const q = quantize(randomArray(rows * k, rows, 3), rows, k, k, limit)
  const bias = randomArray(columns, 5)
  const biases = region.copy(new Float32Array(padded(columns)))
  heap.f32(biases, columns).set(bias)
  const before = randomArray(rows * outPitch, 6)
  const out = region.copy(before)
  const added = residual === 'apart' ? region.copy(randomArray(rows * outPitch, 7)) : residual ? out : 0
  const addend = added ? heap.f32(added, rows * outPitch).slice() : undefined
  const panel = dtype === 'q8' ? region.alloc(16 * k) : 0
  kernels.matmulInteger(
    out,
    outPitch,
    q.out,
    q.rowScales,
    packed,
    scales,
    biases,
    added,
    rows,
    k,
    columns,
    activation,
    panel,
  )
  const column = heap.f32(scales, columns)
  const expected = before.map((value, i) => {
    const [row, n] = [Math.floor(i / outPitch), i % outPitch]
    if (n >= columns) return value
    let sum = 0
    for (let j = 0; j < k; j++) sum += q.values[row * q.pitch + j] * at(integers(), n, j, k)
    assert.ok(Math.abs(sum) < 2 ** 31)
    const scaled = fround(fround(fround(sum) * fround(q.scales[row] * column[n])) + bias[n])
    return addend ? fround(scaled + addend[i]) : scaled
  })
  const actual = heap.f32(out, rows * outPitch).slice()
  region.free()
  return { actual, expected }
}

test('products equal exact integer sums bit for bit, for every tail of rows, k and columns', () => {
  for (const rows of [1, 2, 3, 5]) {
    for (const k of [1, 2, 3, 8, 17, 34]) {
      for (const columns of [1, 5, 15, 16, 17, 33]) {
        for (const [dtype, residual] of both([undefined, 'apart', 'in place'] as const)) {
          const { actual, expected } = bothWays(dtype, { rows, k, columns, residual, outPitch: columns + 3 })
          identical(actual, expected, `${dtype} ${rows} x ${k} x ${columns}, residual ${residual}`)
        }
      }
    }
  }
})

test('activations follow the residual', () => {
  const problem: Problem = { rows: 3, k: 19, columns: 21, residual: 'apart' }
  const { expected } = bothWays('q8', problem)
  const { actual } = bothWays('q8', { ...problem, activation: Activation.elu })
  near(
    actual,
    expected.map(x => (x > 0 ? x : Math.expm1(x))),
    1e-6,
  )
})

test('the largest sums that the bound allows do not overflow', () => {
  for (const dtype of INTEGER_DTYPES) largestSums(dtype)
})

function largestSums(dtype: IntegerDtype): void {
  const [k, columns] = [3584, 16]
  const w = new Float32Array(columns * k).fill(1)
  w.fill(-1, k, 2 * k)
  const { packed, scales, bound, most } = packInteger(dtype, w, columns, k)
  assert.is(bound, most * k)
  const limit = Math.floor((2 ** 31 - 1) / bound)
  const q = quantize(new Float32Array(k).fill(-5), 1, k, k, limit)
  const out = region.alloc(columns)
  const zeros = region.copy(new Float32Array(columns))
  const panel = dtype === 'q8' ? region.alloc(16 * k) : 0
  kernels.matmulInteger(
    out,
    columns,
    q.out,
    q.rowScales,
    packed,
    scales,
    zeros,
    0,
    1,
    k,
    columns,
    Activation.none,
    panel,
  )
  const result = heap.f32(out, columns).slice()
  near(result.subarray(0, 2), [-5 * k, 5 * k], 1e-6)
  region.free()
}

/** The nearest value with 11 significant bits, or a multiple of 2^-29 of its column's power of two where that is larger. */
function nearestHalf(x: number, top: number): number {
  const exponent = Math.max(exponentOf(Math.abs(x)), top - 28)
  const step = 2 ** (exponent - 10)
  return roundToEven(x / step) * step
}

function exponentOf(x: number): number {
  return x === 0 ? -200 : Math.floor(Math.log2(x))
}

test('f16 products equal f32 products of the rounded weights bit for bit', () => {
  for (const rows of [1, 2, 5]) {
    for (const k of [1, 3, 17]) {
      for (const columns of [1, 15, 16, 17, 33]) {
        const w = randomArray(columns * k, k + 7, 1)
        for (let i = 0; i < w.length; i++) w[i] *= [1e-3, 1e-20, 3e4, 1, 1e-9, 0][(i * 7 + Math.floor(i / k)) % 6]
        const rounded = w.map((x, i) => {
          const n = Math.floor(i / k)
          const peak = w.subarray(n * k, n * k + k).reduce((most, v) => Math.max(most, Math.abs(v)), 0)
          return nearestHalf(x, exponentOf(peak))
        })
        const size = padded(columns)
        const [f32, f16] = [region.alloc(size * k), region.alloc((size * k) / 2)]
        const factors = region.copy(new Float32Array(size))
        kernels.packWeights(f32, region.copy(rounded), columns, 1, k, k, 0, 1)
        kernels.packWeightsF16(f16, factors, region.copy(w), columns, 1, k, k, 0, 1)
        const a = region.copy(randomArray(rows * k, 2))
        const bias = region.copy(randomArray(size, 3))
        const before = randomArray(rows * (columns + 1), 4)
        const outs = [region.copy(before), region.copy(before)]
        const panel = region.alloc(16 * k)
        const silu = Activation.silu
        // biome-ignore-start format: the calls read as the kernels' signatures
        kernels.matmulF32(outs[0], columns + 1, a, k, f32, bias, outs[0], rows, k, columns, silu)
        kernels.matmulF16(outs[1], columns + 1, a, k, f16, factors, bias, outs[1], rows, k, columns, silu, panel)
        // biome-ignore-end format: above
        const [expected, actual] = outs.map(out => heap.f32(out, before.length).slice())
        identical(actual, expected, `${rows} x ${k} x ${columns}`)
        region.free()
      }
    }
  }
})

test.run()
