import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Activation } from '../../bindings/kernels.js'
import { identical, near } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'
import { cases, vectors } from '../support/vectors.js'

const test = suite('assembly/conv1d')
const { kernels, heap, region } = await freshCore()
const expected = vectors('kernels.safetensors')

/** x: the rows its taps need, edges included; w: [taps][channels]. The byte behind the result stays 7. */
function depthwise(
  x: Float32Array,
  w: Float32Array,
  bias: Float32Array,
  taps: number,
  dilation = 1,
): Float32Array {
  const channels = bias.length
  const rows = x.length / channels - (taps - 1) * dilation
  const out = region.copy(new Float32Array(rows * channels + 1).fill(7))
  kernels.depthwiseF32(out, region.copy(x), region.copy(w), region.copy(bias), rows, channels, taps, dilation)
  const result = heap.f32(out, rows * channels + 1).slice()
  assert.is(result.at(-1), 7, 'written past the end')
  return result.subarray(0, -1)
}

/** [channels][1][taps] -> [taps][channels] */
function tapsFirst(w: Float32Array, channels: number): Float32Array {
  const taps = w.length / channels
  return w.map((_, i) => w[(i % channels) * taps + Math.floor(i / channels)])
}

test('depthwise equals the f64 sum for every tail of rows and channels, with dilation', () => {
  for (const rows of [1, 3, 4, 5, 8, 17]) {
    for (const channels of [1, 3, 4, 5, 8, 15, 33]) {
      for (const [taps, dilation] of [
        [1, 1],
        [3, 1],
        [7, 1],
        [3, 3],
        [4, 2],
      ]) {
        const reach = (taps - 1) * dilation
        const x = randomArray((rows + reach) * channels, rows)
        const w = randomArray(taps * channels, channels)
        const bias = randomArray(channels, taps)
        const exact = Array.from({ length: rows * channels }, (_, i) => {
          const c = i % channels
          let sum = bias[c]
          for (let tap = 0; tap < taps; tap++) sum += x[i + tap * dilation * channels] * w[tap * channels + c]
          return sum
        })
        near(
          depthwise(x, w, bias, taps, dilation),
          exact,
          1e-6,
          `${rows} x ${channels}, ${taps} taps, dilation ${dilation}`,
        )
      }
    }
  }
})

test('depthwise gives the same bits row by row', () => {
  const [rows, channels, taps] = [11, 22, 7]
  const x = randomArray((rows + taps - 1) * channels, 1)
  const w = randomArray(taps * channels, 2)
  const bias = randomArray(channels, 3)
  const whole = depthwise(x, w, bias, taps)
  for (let row = 0; row < rows; row++) {
    const own = depthwise(x.subarray(row * channels, (row + taps) * channels), w, bias, taps)
    identical(own, whole.subarray(row * channels, (row + 1) * channels), `row ${row}`)
  }
})

test('depthwise agrees with PyTorch', () => {
  for (const { name, about } of cases('kernels.safetensors', 'depthwise')) {
    const [x, w, b, y] = ['x', 'w', 'b', 'y'].map(tensor => expected.get(`${name}.${tensor}`)!.data)
    const padded = new Float32Array((about.T + about.K - 1) * about.C)
    padded.set(x, ((about.K - 1) / 2) * about.C)
    near(depthwise(padded, tapsFirst(w, about.C), b, about.K), y, 1e-6, name)
  }
})

test('overlapAddRows adds every product to its row, over what is there', () => {
  for (const [rows, taps, channels, stride] of [
    [1, 1, 1, 1],
    [3, 4, 5, 2],
    [5, 3, 17, 3],
    [4, 10, 3, 5],
    [7, 2, 4, 3],
  ]) {
    const x = randomArray(rows * taps * channels, taps)
    const initial = randomArray(((rows - 1) * stride + taps) * channels, rows)
    const exact = Array.from(initial)
    x.forEach((value, i) => {
      const row = Math.floor(i / (taps * channels))
      exact[row * stride * channels + (i % (taps * channels))] += value
    })
    const out = region.copy(initial)
    kernels.overlapAddRowsF32(out, region.copy(x), rows, taps, channels, stride)
    near(heap.f32(out, exact.length), exact, 5e-7, `${rows} rows of ${taps} x ${channels}, stride ${stride}`)
  }
})

test('a product and overlapAddRows agree with PyTorch conv_transpose1d', () => {
  for (const { name, about } of cases('kernels.safetensors', 'conv_transpose1d')) {
    const { T: rows, C: inputs, N: outputs, K: taps, stride } = about
    const [x, w, b, y] = ['x', 'w', 'b', 'y'].map(tensor => expected.get(`${name}.${tensor}`)!.data)
    const n = taps * outputs
    const padded = Math.ceil(n / 16) * 16
    // w is [inputs][outputs][taps]; output column tap * outputs + channel of the product reads w[input][channel][tap]
    const byColumn = Float32Array.from({ length: n * inputs }, (_, i) => {
      const [column, input] = [Math.floor(i / inputs), i % inputs]
      return w[input * n + (column % outputs) * taps + Math.floor(column / outputs)]
    })
    const packed = region.alloc(padded * inputs)
    kernels.packWeights(packed, region.copy(byColumn), n, 1, inputs, inputs, 0, 1)
    const products = region.alloc(rows * n)
    const zeros = region.copy(new Float32Array(padded))
    kernels.matmulF32(products, n, region.copy(x), inputs, packed, zeros, 0, rows, inputs, n, Activation.none)
    const out = region.copy(Float32Array.from(y, (_, i) => b[i % outputs]))
    kernels.overlapAddRowsF32(out, products, rows, taps, outputs, stride)
    near(heap.f32(out, y.length), y, 1e-6, name)
  }
})

test.run()
