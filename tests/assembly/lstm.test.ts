import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Activation } from '../../bindings/kernels.js'
import { identical, near } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'
import { worstUlps } from '../support/ulp.js'
import { cases, vectors } from '../support/vectors.js'

const test = suite('assembly/lstm')
const { kernels, heap, region } = await freshCore()
const expected = vectors('kernels.safetensors')

interface State {
  out: Float32Array
  h: Float32Array
  c: Float32Array
}

function padded(columns: number): number {
  return Math.ceil(columns / 16) * 16
}

/** weight: [outputs][inputs]. */
function pack(weight: Float32Array, outputs: number, inputs: number): number {
  const packed = region.alloc(padded(outputs) * inputs)
  kernels.packWeights(packed, region.copy(weight), outputs, 1, inputs, inputs, 0, 1)
  return packed
}

/** Runs gates [T][4H] through the kernel in chunks of `chunk` steps. */
function lstm(
  gates: Float32Array,
  weight: Float32Array,
  start: { h: Float32Array; c: Float32Array },
  chunk = 1e9,
): State {
  const hidden = start.h.length
  const steps = gates.length / (4 * hidden)
  const input = region.copy(gates)
  const w = pack(weight, 4 * hidden, hidden)
  const [h, c] = [region.copy(start.h), region.copy(start.c)]
  const scratch = region.alloc(padded(4 * hidden))
  const out = region.alloc(steps * hidden)
  for (let step = 0; step < steps; step += chunk) {
    const at = step * hidden * 4
    kernels.lstmF32(out + at, input + 4 * at, w, h, c, scratch, Math.min(chunk, steps - step), hidden)
  }
  return {
    out: heap.f32(out, steps * hidden).slice(),
    h: heap.f32(h, hidden).slice(),
    c: heap.f32(c, hidden).slice(),
  }
}

function zeros(hidden: number): { h: Float32Array; c: Float32Array } {
  return { h: new Float32Array(hidden), c: new Float32Array(hidden) }
}

/** torch.nn.LSTM's equations in f64. */
function exactLstm(gates: Float32Array, weight: Float32Array, start: { h: Float32Array; c: Float32Array }) {
  const hidden = start.h.length
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
  let h = Array.from(start.h)
  let c = Array.from(start.c)
  const out: number[] = []
  for (let first = 0; first < gates.length; first += 4 * hidden) {
    const sums = Array.from({ length: 4 * hidden }, (_, row) =>
      h.reduce((sum, value, k) => sum + weight[row * hidden + k] * value, gates[first + row]),
    )
    const gate = (index: number, unit: number) => sums[index * hidden + unit]
    c = c.map((cell, j) => sigmoid(gate(1, j)) * cell + sigmoid(gate(0, j)) * Math.tanh(gate(2, j)))
    h = c.map((cell, j) => sigmoid(gate(3, j)) * Math.tanh(cell))
    out.push(...h)
  }
  return { out, h, c }
}

/** The cells after one step of units that see nothing but their gates: c = sigmoid(f) * c + sigmoid(i) * tanh(g). */
function cells(i: Float32Array, f: Float32Array, g: Float32Array, c: Float32Array): Float32Array {
  const units = i.length
  const result = new Float32Array(units)
  for (let first = 0; first < units; first += 32) {
    const part = (values: Float32Array) => [...values.subarray(first, first + 32)]
    const gates = Float32Array.from([...part(i), ...part(f), ...part(g), ...part(i).fill(0)])
    const hidden = part(i).length
    const start = { h: new Float32Array(hidden), c: Float32Array.from(part(c)) }
    result.set(lstm(gates, new Float32Array(4 * hidden * hidden), start).c, first)
  }
  return result
}

test('equals the equations in f64 for hidden sizes with every tail, from any state', () => {
  for (const hidden of [1, 2, 3, 4, 5, 8, 12, 17, 33]) {
    const gates = randomArray(7 * 4 * hidden, hidden, 2)
    const weight = randomArray(4 * hidden * hidden, 1, 2 / Math.sqrt(hidden))
    const start = { h: randomArray(hidden, 2), c: randomArray(hidden, 3, 2) }
    const actual = lstm(gates, weight, start)
    const exact = exactLstm(gates, weight, start)
    for (const name of ['out', 'h', 'c'] as const)
      near(actual[name], exact[name], 2e-6, `H = ${hidden}: ${name}`)
  }
})

test('chunks of any size give the same bits', () => {
  const hidden = 21
  const gates = randomArray(17 * 4 * hidden, 4, 2)
  const weight = randomArray(4 * hidden * hidden, 5, 0.4)
  const whole = lstm(gates, weight, zeros(hidden))
  for (const chunk of [1, 2, 5, 16]) {
    const parts = lstm(gates, weight, zeros(hidden), chunk)
    for (const name of ['out', 'h', 'c'] as const)
      identical(parts[name], whole[name], `${name} in chunks of ${chunk}`)
  }
})

test('agrees with PyTorch, input product included', () => {
  for (const { name, about } of cases('kernels.safetensors', 'lstm')) {
    const { T: steps, C: inputs, H: hidden } = about
    const tensor = (short: string) => expected.get(`${name}.${short}`)!.data
    const bias = new Float32Array(padded(4 * hidden))
    bias.set(tensor('b_ih').map((value, i) => value + tensor('b_hh')[i]))
    const gates = region.alloc(steps * 4 * hidden)
    const w = pack(tensor('w_ih'), 4 * hidden, inputs)
    // biome-ignore format: the call reads as the kernel's signature
    kernels.matmulF32(gates, 4 * hidden, region.copy(tensor('x')), inputs, w, region.copy(bias), 0, steps, inputs, 4 * hidden, Activation.none)
    const actual = lstm(heap.f32(gates, steps * 4 * hidden).slice(), tensor('w_hh'), zeros(hidden))
    near(actual.out, tensor('y'), 2e-6, name)
    near(actual.h, tensor('h'), 2e-6, `${name} h`)
    near(actual.c, tensor('c'), 4e-6, `${name} c`)
  }
})

test('its tanh is within 2.5 ulp, near 0 as well', () => {
  const even = randomArray(4000, 6, 12)
  const tiny = randomArray(1000, 7).map(u => Math.sign(u) * 10 ** (-12 * Math.abs(u)))
  for (const g of [even, tiny]) {
    const open = new Float32Array(g.length).fill(100) // sigmoid 1
    const worst = worstUlps(g, cells(open, open, g, new Float32Array(g.length)), Math.tanh)
    assert.ok(worst.error <= 2.5, `tanh(${worst.at}) is off by ${worst.error} ulp`)
  }
})

test('its sigmoid is within 2.5 ulp where the result is a normal number, and saturates', () => {
  const f = randomArray(4000, 8, 87)
  const closed = new Float32Array(f.length).fill(-1000) // sigmoid 0
  const ones = new Float32Array(f.length).fill(1)
  const worst = worstUlps(f, cells(closed, f, closed, ones), x => 1 / (1 + Math.exp(-x)))
  assert.ok(worst.error <= 2.5, `sigmoid(${worst.at}) is off by ${worst.error} ulp`)
  const far = Float32Array.of(90, 1e30, Infinity, -90, -1e30, -Infinity)
  const shut = new Float32Array(6).fill(-1000)
  assert.equal([...cells(shut, far, shut, new Float32Array(6).fill(1))], [1, 1, 1, 0, 0, 0])
})

test('sigmoid and tanh agree with PyTorch', () => {
  for (const name of ['sigmoid', 'tanh'] as const) {
    const x = expected.get(`${name}.x`)!.data
    const y = expected.get(`${name}.y`)!.data
    const all = (value: number) => new Float32Array(x.length).fill(value)
    const actual = name === 'tanh' ? cells(all(100), all(0), x, all(0)) : cells(all(-1000), x, all(0), all(1))
    actual.forEach((value, i) => {
      assert.ok(
        Math.abs(value - y[i]) <= 2.5e-7 * Math.abs(y[i]),
        `${name}(${x[i]}) = ${value}, expected ${y[i]}`,
      )
    })
  }
})

test.run()
