import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  bitsPerSecond,
  type CodeMethod,
  type CompressOptions,
  compress,
  type FeatureMethod,
  type Features,
  TokenError,
} from '../../src/codes/index.js'
import { random } from '../support/random.js'

const FEATURE_METHODS: FeatureMethod[] = [
  'average-pool',
  'max-pool',
  'stack',
  'tome',
  'tome-kth',
  'a-tome',
  'segments',
  'prune',
]

/** Vectors that stay for some frames, with a little noise. */
function steady(frames: number, dim = 6): Features {
  const next = random(4)
  const values = new Float32Array(frames * dim)
  for (let t = 0; t < frames; t++)
    for (let i = 0; i < dim; i++)
      values[t * dim + i] = t % 4 === 0 ? next() : values[(t - 1) * dim + i] + 0.01 * next()
  return { values, dim }
}

function error(a: Features, b: Features): number {
  assert.equal([a.values.length, a.dim], [b.values.length, b.dim])
  const squares = a.values.map((value, i) => (value - b.values[i]) ** 2)
  return squares.reduce((sum, x) => sum + x, 0) / a.values.reduce((sum, x) => sum + x * x, 0)
}

test('every method on features: a whole map, the ratio, and the way back', () => {
  const x = steady(50)
  for (const method of FEATURE_METHODS)
    for (const ratio of [1, 2, 4]) {
      const { tokens, map, sizes, restore } = compress(x, method, ratio)
      const label = `${method} at ${ratio}`
      const count = sizes.length
      assert.is(tokens.values.length, count * tokens.dim, label)
      assert.is(map.length, 50, label)
      assert.ok(
        count <= Math.ceil(50 / ratio) && count >= Math.floor(50 / ratio),
        `${label}: ${count} tokens`,
      )
      const counted = new Array<number>(count).fill(0)
      for (const token of map) counted[token]++
      assert.equal(Array.from(sizes), counted, label)
      assert.ok(Math.min(...counted) > 0, label)
      const firsts = counted.map((_, token) => map.indexOf(token))
      assert.equal(
        firsts,
        [...firsts].sort((a, b) => a - b),
        `${label}: time order`,
      )
      const loss = error(x, restore())
      if (ratio === 1) assert.ok(loss === 0, `${label} loses ${loss}`)
      else assert.ok(loss < 0.8, `${label} loses ${loss}`)
    }
})

test('what finds similar frames loses next to nothing where frames come in fours', () => {
  const x = steady(48)
  for (const method of ['tome', 'a-tome', 'segments'] as const)
    assert.ok(error(x, compress(x, method, 4).restore()) < 2e-3, method)
})

test('options', () => {
  const x = steady(40)
  const sizes = (method: FeatureMethod, options: CompressOptions) =>
    Array.from(compress(x, method, 1, options).sizes)
  assert.equal(sizes('segments', { threshold: 0.99 }), new Array(10).fill(4))
  assert.equal(sizes('segments', { threshold: 0.99, longest: 2 }), new Array(20).fill(2))
  assert.equal(sizes('a-tome', { threshold: 0.99 }), new Array(20).fill(2))
  const scores = Array.from({ length: 40 }, (_, t) => (t === 7 || t === 30 ? 1 : 0))
  const pruned = compress(x, 'prune', 20, { scores })
  assert.equal([pruned.map[0], pruned.map.indexOf(1)], [0, 19])
  assert.equal(pruned.tokens.values.slice(0, 6), x.values.slice(42, 48))
  const averaged = compress(x, 'prune', 20, { scores, mergesDropped: true })
  assert.not.equal(averaged.tokens.values, pruned.tokens.values)
  const metric = { values: Float32Array.from({ length: 40 }, (_, t) => Math.floor(t / 2) + 1), dim: 1 }
  assert.is(compress(x, 'tome', 2, { metric }).sizes.length, 20)
})

test('every method on codes', () => {
  const codes = [[3, 3, 3, 1, 2, 2, 2]]
  const methods: [CodeMethod, number, CompressOptions, number[][]][] = [
    ['dedup', 1, {}, [[3, 1, 2]]],
    ['duration', 1, { n: 2 }, [[3, 3, 2]]],
    ['codec-merging', 2, { codebooks: [steady(4, 3)] }, [[3, 1, 2, 2]]],
  ]
  for (const [method, ratio, options, expected] of methods) {
    const { tokens, map, sizes, restore } = compress(codes, method, ratio, options)
    assert.equal(
      [tokens[0].length, map.length, sizes.length],
      [expected[0].length, 7, expected[0].length],
      method,
    )
    if (method !== 'codec-merging') assert.equal(tokens, expected, method)
    assert.is(restore()[0].length, 7)
  }
  assert.equal(compress(codes, 'dedup').restore(), codes)
})

test('codec-merging with the latent puts the loss into deeper codebooks', () => {
  const codebooks = [steady(16), steady(24)]
  const latent = steady(10)
  const { tokens, restore } = compress(
    [[...new Uint16Array(10)], [...new Uint16Array(10)]],
    'codec-merging',
    2,
    {
      codebooks,
      latent,
    },
  )
  assert.equal(
    tokens.map(row => row.length),
    [5, 10],
  )
  const [first, second] = restore()
  assert.equal(
    first,
    tokens[0].flatMap(code => [code, code]),
  )
  assert.equal(second, tokens[1])
})

test('bits per second count the durations', () => {
  const { codes, map, sizes } = { codes: 2, map: new Int32Array(8), sizes: Uint32Array.of(1, 7) }
  // Elias gamma: 1 bit for 1, 5 bits for 7.
  assert.is(bitsPerSecond({ map, sizes }, 12, 80), ((codes * 12 + 6) * 80) / 8)
  assert.is(bitsPerSecond({ map: new Int32Array(0), sizes: new Uint32Array(0) }, 12, 80), 0)
})

test('what cannot be compressed is refused', () => {
  const refuses = (call: () => unknown, pattern: RegExp) =>
    assert.throws(call, (e: Error) => e instanceof TokenError && pattern.test(e.message))
  const x = steady(8)
  refuses(() => compress(x, 'tome', 0.5), /the ratio is 0.5, expected 1 or more/)
  refuses(
    () => compress(x, 'dedup' as FeatureMethod, 2),
    /'dedup' is no method for features; expected average-pool/,
  )
  refuses(
    () => compress([[1]], 'tome' as CodeMethod, 2),
    /'tome' is no method for codes; expected dedup, duration/,
  )
  refuses(() => compress([[1]], 'codec-merging', 2), /needs the vectors of the codebooks/)
  refuses(() => compress(x, 'stack', 9), /windows of 9 frames are longer than all 8/)
  refuses(() => compress(x, 'prune', 2, { scores: [1] }), /1 scores for 8 frames/)
  refuses(
    () => compress({ values: Float32Array.of(1, Number.NaN), dim: 1 }, 'tome', 2),
    /value NaN in frame 1/,
  )
  for (const method of FEATURE_METHODS.filter(name => name !== 'tome-kth'))
    assert.is(compress({ values: new Float32Array(0), dim: 3 }, method, 2).sizes.length, 0, method)
})

test.run()
