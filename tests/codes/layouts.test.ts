import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  codesToIds,
  delay,
  type Flattening,
  flatten,
  idsToCodes,
  moshiDelays,
  OUTETTS_QWEN,
  packIntoBytes,
  staircaseDelays,
  TokenError,
  truncateCodebooks,
  undelay,
  unflatten,
  unpackFromBytes,
} from '../../src/codes/index.js'
import { vectors } from './vectors.js'

const CODES = [
  [0, 1, 2],
  [10, 11, 12],
  [20, 21, 22],
]

const refuses = (call: () => unknown, pattern: RegExp) =>
  assert.throws(call, (error: Error) => error instanceof TokenError && pattern.test(error.message))

test('each order of flattening', () => {
  assert.equal(flatten(CODES, { order: 'time' }), [0, 10, 20, 1, 11, 21, 2, 12, 22])
  assert.equal(flatten(CODES, { order: 'codebook' }), [0, 1, 2, 10, 11, 12, 20, 21, 22])
  assert.equal(flatten(CODES, { order: 'coarse-first' }), [0, 1, 2, 10, 20, 11, 21, 12, 22])
  assert.equal(flatten(CODES, { order: 'coarse-first', coarse: 2 }), [0, 10, 1, 11, 2, 12, 20, 21, 22])
  for (const order of ['time', 'codebook', 'coarse-first'] as const)
    for (const coarse of [1, 2, 3])
      assert.equal(unflatten(flatten(CODES, { order, coarse }), 3, { order, coarse }), CODES)
  assert.equal(flatten([[], []], { order: 'time' }), [])
  refuses(() => flatten([[1], [2, 3]], { order: 'time' }), /codebook 1 has 2 frames, codebook 0 has 1/)
  refuses(
    () => unflatten([1, 2, 3], 2, { order: 'time' }),
    /3 codes are no whole number of frames of 2 codebooks/,
  )
  refuses(() => flatten(CODES, { order: 'coarse-first', coarse: 4 }), /coarse is 4, expected 1 to 3/)
})

test("Moshi's delay pattern, as its code makes it", () => {
  const { delays, codes, delayed, fill } = vectors('delay')
  assert.equal(delay(codes, delays, fill), delayed)
  assert.equal(undelay(delayed, delays), codes)
  assert.equal([0, ...moshiDelays()], delays)
  assert.equal(staircaseDelays(4), [0, 1, 2, 3])
  const stairs = delay(CODES, staircaseDelays(3), -1)
  assert.equal(stairs, [
    [0, 1, 2, -1, -1],
    [-1, 10, 11, 12, -1],
    [-1, -1, 20, 21, 22],
  ])
  assert.equal(undelay(stairs, [0, 1, 2]), CODES)
  refuses(() => delay(CODES, [0, 1], -1), /expected 3 whole numbers of frames/)
  refuses(() => undelay([[1], [2]], [0, 5]), /1 frames are shorter than the longest delay, 5/)
})

test('fewer codebooks', () => {
  assert.equal(truncateCodebooks(CODES, 2), CODES.slice(0, 2))
  for (const wrong of [0, 4, 1.5]) refuses(() => truncateCodebooks(CODES, wrong), /cannot keep/)
})

test('codes of small codebooks as bytes', () => {
  const codes = Array.from({ length: 16 }, (_, q) => [q, 15 - q, (5 * q) % 16])
  const packed = packIntoBytes(codes, 16)
  assert.equal([packed.size, packed.codes.length, packed.codes[1][0]], [256, 8, 2 + 16 * 3])
  assert.equal(unpackFromBytes(packed.codes, 16, 16), codes)
  const bits = packIntoBytes([[1], [0], [1], [1], [0], [0], [0], [1]], 2)
  assert.equal(bits, { codes: [[0b10001101]], size: 256 })
  assert.equal(unpackFromBytes(bits.codes, 8, 2).flat(), [1, 0, 1, 1, 0, 0, 0, 1])
})

test('ids of a language model, with BOS, EOS and PAD', () => {
  const vocabulary = { codebookSizes: [8, 16], offset: 100, bos: 1, eos: 2, pad: 3 }
  const codes = [
    [0, 7],
    [15, 4],
  ]
  assert.equal(codesToIds(codes, vocabulary), [1, 100, 123, 107, 112, 2])
  assert.equal(
    codesToIds(codes, { ...vocabulary, sharesIds: true }, { order: 'codebook' }),
    [1, 100, 107, 115, 104, 2],
  )
  const padded = codesToIds(codes, vocabulary, { length: 9 })
  assert.equal(padded, [1, 100, 123, 107, 112, 2, 3, 3, 3])
  assert.equal(idsToCodes(padded, vocabulary), codes)
  assert.equal(idsToCodes(padded.slice(0, 5), vocabulary), codes)
  const orders: Flattening[] = ['time', 'codebook', 'coarse-first']
  for (const order of orders)
    assert.equal(idsToCodes(codesToIds(codes, vocabulary, { order }), vocabulary, { order }), codes)
  refuses(() => codesToIds(codes, vocabulary, { length: 5 }), /has 6 ids, expected 5/)
  refuses(
    () => codesToIds([[8], [0]], vocabulary),
    /code 8 at frame 0 of codebook 0 is out of range; expected 0 to 7/,
  )
  refuses(
    () => idsToCodes([1, 100, 107, 2], vocabulary),
    /id 107 at frame 0 is no code of codebook 1, whose ids are 108 to 123/,
  )
})

test('OuteTTS ids stop at code 4095', () => {
  assert.equal(codesToIds([[0, 4095]], OUTETTS_QWEN), [151667, 151672, 155767, 151668])
  assert.equal(idsToCodes([151672, 155767], OUTETTS_QWEN), [[0, 4095]])
  for (const id of [155768, 155771, 151671])
    refuses(() => idsToCodes([id], OUTETTS_QWEN), /is no code of codebook 0, whose ids are 151672 to 155767/)
})

test.run()
