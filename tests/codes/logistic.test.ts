import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { crc32 } from '../../src/codes/crc32.js'
import { squash, stretch } from '../../src/codes/logistic.js'
import { LEARNER, RangeDecoder, RangeEncoder } from '../../src/codes/range-coder.js'
import { random } from '../support/random.js'

test('squash is the logistic function to one part in 65536, and the same on every engine', () => {
  const values: number[] = []
  for (let x = -3500; x <= 3500; x++) {
    const exact = 65536 / (1 + Math.exp(-x / 256))
    assert.ok(Math.abs(squash(x) - exact) <= 1.001, `squash(${x}) is ${squash(x)}, not ${exact}`)
    values.push(squash(x))
  }
  assert.equal([squash(0), squash(-1e6), squash(1e6)], [32768, 1, 65535])
  assert.is(crc32(new Uint8Array(Uint16Array.from(values).buffer)), 2174818702)
})

test('stretch is its inverse', () => {
  assert.is(stretch(32768), 0)
  for (let p = 0; p < 65536; p++) {
    assert.ok(squash(stretch(p)) >= Math.min(p, 65535))
    if (p > 1) assert.ok(squash(stretch(p) - 1) < p)
  }
})

test('bits of any probability come back, near their entropy', () => {
  for (const probability of [1, 700, 32768, 65000, 65535]) {
    const next = random(probability)
    const bits: number[] = Array.from({ length: 20000 }, () => ((next() + 1) * 32768 < probability ? 1 : 0))
    const encoder = new RangeEncoder()
    for (const bit of bits) encoder.code(bit, probability)
    const bytes = encoder.end()
    const decoder = new RangeDecoder(bytes)
    assert.equal(
      bits.map(() => decoder.code(0, probability)),
      bits,
    )
    const cost = (bit: number) => -Math.log2(bit ? probability / 65536 : 1 - probability / 65536)
    const ideal = bits.reduce((sum, bit) => sum + cost(bit), 0) / 8
    assert.ok(bytes.length <= ideal * 1.002 + 2, `${bytes.length} bytes instead of ${ideal}`)
  }
})

test('bits against all odds and changing odds come back', () => {
  const next = random(5)
  const steps = Array.from({ length: 5000 }, (): [number, number] => [
    next() > 0 ? 1 : 0,
    1 + Math.floor(((next() + 1) / 2) * 65535),
  ])
  const encoder = new RangeEncoder()
  for (const [bit, probability] of steps) encoder.code(bit, probability)
  const decoder = new RangeDecoder(encoder.end())
  for (const [bit, probability] of steps) assert.is(decoder.code(0, probability), bit)
  assert.equal([LEARNER.code(1, 5), LEARNER.code(0, 5)], [1, 0])
})

test('no bits need no bytes', () => {
  assert.is(new RangeEncoder().end().length, 0)
})

test.run()
