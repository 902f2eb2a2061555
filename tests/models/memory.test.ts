// Encoding takes the same memory for any length, and a long clip gives the same tokens however it is cut.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { syntheticWavTokenizer } from '../../bench/synthetic.js'
import { loadModel } from '../../src/models/registry.js'
import { freshCore } from '../support/core.js'
import { decode, encode, openModel } from '../support/model.js'
import { randomArray } from '../support/random.js'

const MIB = 2 ** 20
const LIMIT = 16 * MIB

test('tokens of a 10-minute clip are the same tiled and in one piece', async () => {
  const { heap, region, model } = await openModel('vectors/wavtokenizer/tiny-75.ckpt')
  const samples = randomArray(600 * 24_000 + 77, 4, 0.4)
  const whole = encode(region, model, samples, undefined, () => samples.length)
  assert.is(whole.length, Math.ceil(samples.length / 320))
  heap.peak = heap.used
  const before = heap.used
  const tiled = encode(region, model, samples, undefined, () => 6000)
  assert.ok(heap.peak - before < LIMIT, `${((heap.peak - before) / MIB).toFixed(1)} MiB beyond the weights`)
  assert.ok(
    tiled.every((code, frame) => code === whole[frame]),
    'every token',
  )
})

test('the encoder at its published size stays under 16 MiB beyond its weights, and flat', async () => {
  const { heap, region } = await freshCore()
  const source = syntheticWavTokenizer([2, 4, 5, 8])
  const names = source.names().filter(name => name.startsWith('feature_extractor'))
  const model = await loadModel(region, { ...source, names: () => names, has: name => names.includes(name) })
  const weights = heap.used
  const peak = (seconds: number) => {
    heap.peak = heap.used
    encode(region, model, randomArray(seconds * 24_000, 1, 0.3), undefined, () => 6000)
    return heap.peak - weights
  }
  const [short, long] = [peak(9), peak(18)]
  assert.ok(long < LIMIT, `${(long / MIB).toFixed(1)} MiB`)
  assert.ok(
    long <= 1.1 * short,
    `${long} bytes for 18 s, ${short} for 9 s: only queues still growing to their bound may differ`,
  )
})

const BOTH_WAYS = [
  'encodec/own.th',
  'languagecodec/tiny.ckpt',
  'mimi/tiny.safetensors',
  'dac/own.pth',
  'snac/24k.bin',
]
for (const name of BOTH_WAYS)
  test(`${name}: both ways, memory does not grow with the clip`, async () => {
    const { heap, region, model } = await openModel(`vectors/${name}`)
    const weights = heap.used
    const peaks = (seconds: number) => {
      heap.peak = heap.used
      const codes = encode(region, model, randomArray(seconds * 24_000, 1, 0.3), undefined, () => 6000)
      const encoding = heap.peak - weights
      heap.peak = heap.used
      decode(region, model, codes)
      return [encoding, heap.peak - weights - 4 * codes.length]
    }
    const [short, long] = [peaks(16), peaks(48)]
    // a single activation of the whole clip would add 12 MiB; queues of narrow rows still grow to their bound
    for (const way of [0, 1])
      assert.ok(long[way] < short[way] + 1.5 * MIB, `${long[way]} bytes for 48 s, ${short[way]} for 16 s`)
  })

test.run()
