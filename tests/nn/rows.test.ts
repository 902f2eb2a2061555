import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Region } from '../../bindings/memory.js'
import { receiver } from '../../src/nn/clip.js'
import { Conv1d, type Conv1dShape, seanetPadding, zeroPadding } from '../../src/nn/conv1d.js'
import type { RowSink } from '../../src/nn/rows.js'
import { identical, near } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { concat, push } from '../support/model.js'
import { random, randomArray } from '../support/random.js'
import { cases, vectors } from '../support/vectors.js'

const { region } = await freshCore()

/** Runs a layer over rows pushed in chunks. */
function run(
  open: (region: Region, sink: RowSink) => RowSink,
  input: Float32Array,
  channels: number,
  outputs: number,
  chunk = () => 1 << 20,
  drain = false,
) {
  const local = region.child()
  const parts: Float32Array[] = []
  const stage = open(
    local,
    receiver(local, outputs, (rows, count) => parts.push(local.heap.f32(rows, count * outputs).slice())),
  )
  const rows = input.length / channels
  for (let row = 0; row < rows; ) {
    const count = Math.min(chunk(), rows - row)
    const target = stage.reserve(count)
    local.heap.f32(target, count * channels).set(input.subarray(row * channels, (row + count) * channels))
    stage.commit(count)
    if (drain) stage.drain()
    row += count
  }
  stage.end()
  local.free()
  return concat(parts)
}

/** The same convolution, padded by hand as specified: zeros behind a signal too short to reflect, one reflection, cut again. */
function reference(
  input: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
  shape: Conv1dShape,
): number[] {
  const { inputs, outputs, kernel, stride = 1, dilation = 1, padding } = shape
  const length = input.length / inputs
  const right = padding.right + Math.ceil(length / stride) * stride - length
  const most = Math.max(padding.left, right)
  const extended = padding.mode === 'reflect' && length <= most ? most + 1 : length
  const at = (row: number, channel: number): number => {
    if (padding.mode === 'reflect') row = row < 0 ? -row : row >= extended ? 2 * (extended - 1) - row : row
    return row < 0 || row >= length ? 0 : input[row * inputs + channel]
  }
  const frames = Math.floor((padding.left + length + right - (kernel - 1) * dilation - 1) / stride) + 1
  const result: number[] = []
  for (let t = 0; t < frames; t++)
    for (let n = 0; n < outputs; n++) {
      let sum = bias[n]
      for (let tap = 0; tap < kernel; tap++)
        for (let c = 0; c < inputs; c++)
          sum += at(t * stride + tap * dilation - padding.left, c) * weight[(n * inputs + c) * kernel + tap]
      result.push(sum)
    }
  return result
}

const SHAPES: readonly Conv1dShape[] = [
  { inputs: 1, outputs: 5, kernel: 7, padding: seanetPadding(7, 1) },
  { inputs: 3, outputs: 17, kernel: 3, padding: seanetPadding(3, 1) },
  { inputs: 3, outputs: 2, kernel: 4, stride: 2, padding: seanetPadding(4, 2) },
  { inputs: 2, outputs: 6, kernel: 10, stride: 5, padding: seanetPadding(10, 5) },
  { inputs: 2, outputs: 3, kernel: 16, stride: 8, padding: seanetPadding(16, 8) },
  { inputs: 2, outputs: 3, kernel: 16, stride: 8, padding: seanetPadding(16, 8, 1, true) },
  { inputs: 3, outputs: 4, kernel: 3, dilation: 3, padding: seanetPadding(3, 1, 3) },
  { inputs: 4, outputs: 4, kernel: 7, padding: zeroPadding(7) },
  { inputs: 4, outputs: 4, kernel: 7, padding: zeroPadding(7, 0) },
]

for (const shape of SHAPES) {
  const { inputs, outputs, kernel, stride = 1, dilation = 1, padding } = shape
  const name = `${padding.mode} k${kernel} s${stride} d${dilation} left ${padding.left} right ${padding.right}`
  test(`conv1d ${name}: every short length and a long one, whole and in chunks`, () => {
    const weight = randomArray(outputs * inputs * kernel, kernel)
    const bias = randomArray(outputs, 3)
    const local = region.child()
    const layer = new Conv1d(local, weight, bias, shape)
    const next = random(11)
    for (const length of [...Array.from({ length: 3 * kernel + 2 }, (_, i) => i + 1), 997]) {
      const input = randomArray(length * inputs, length)
      const whole = run((r, sink) => layer.open(r, sink), input, inputs, outputs)
      near(whole, reference(input, weight, bias, shape), 1e-5, `length ${length}`)
      for (const drain of [false, true]) {
        const chunk = () => 1 + Math.floor(((next() + 1) / 2) * 40)
        identical(
          run((r, sink) => layer.open(r, sink), input, inputs, outputs, chunk, drain),
          whole,
          `length ${length} in chunks`,
        )
      }
    }
    local.free()
  })
}

test('conv1d equals PyTorch', () => {
  const file = vectors('kernels.safetensors')
  const all = cases('kernels.safetensors', 'conv1d_')
  assert.ok(all.length >= 15, `${all.length} cases`)
  for (const { name, about } of all) {
    const get = (part: string) => file.get(`${name}.${part}`)!.data
    const { C: inputs, N: outputs, K: kernel, stride, dilation } = about
    const zero = String(about.padding) === 'zero'
    const padding = zero ? zeroPadding((kernel - 1) * dilation + 1) : seanetPadding(kernel, stride, dilation)
    const layer = new Conv1d(region, get('w'), get('b'), {
      inputs,
      outputs,
      kernel,
      stride,
      dilation,
      padding,
    })
    near(
      run((r, sink) => layer.open(r, sink), get('x'), inputs, outputs),
      get('y'),
      2e-6,
      name,
    )
  }
})

test('an empty input ends in an empty output', () => {
  const layer = new Conv1d(region, randomArray(14, 1), undefined, { ...SHAPES[0], outputs: 2 })
  assert.is(run((r, sink) => layer.open(r, sink), new Float32Array(0), 1, 2).length, 0)
})

test('push hands integers through', () => {
  const local = region.child()
  const seen: number[] = []
  push(
    local,
    receiver(local, 1, (rows, count) => seen.push(...local.heap.i32(rows, count))),
    [1, 4095, 7],
    () => 2,
  )
  assert.equal(seen, [1, 4095, 7])
  local.free()
})

test.run()
