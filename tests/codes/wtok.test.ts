import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { crc32 } from '../../src/codes/crc32.js'
import {
  decodeTokens,
  decodeWtok,
  encodeTokens,
  encodeWtok,
  type TokenCoding,
  TokenError,
  TokenFileError,
  TokenReader,
  TokenWriter,
} from '../../src/codes/index.js'
import { bitsOf, packedBytes } from '../../src/codes/packing.js'
import { asFraction } from '../../src/codes/wtok-format.js'
import { AudioTokens } from '../../src/tokens.js'
import { random } from '../support/random.js'

const CODINGS: readonly TokenCoding[] = ['packed', 0, 1, 2]
const FORMAT = { model: 'mini', sampleRate: 24000, frameRate: 75 }

/** Codes that come back: a code is repeated, taken from the last twenty, or new. */
function speechLike(size: number, frames: number, seed: number): number[] {
  const next = random(seed)
  const uniform = () => (next() + 1) / 2
  const codes: number[] = []
  for (let frame = 0; frame < frames; frame++) {
    const choice = frame === 0 ? 1 : uniform()
    if (choice < 0.25) codes.push(codes[frame - 1])
    else if (choice < 0.7) codes.push(codes[Math.max(0, frame - 1 - Math.floor(uniform() * 20))])
    else codes.push(Math.floor(uniform() * size))
  }
  return codes
}

function sample(codebookSizes: readonly number[], frames: number, seed = 1): number[][] {
  return codebookSizes.map((size, c) => speechLike(size, frames, seed + c))
}

const plain = (codes: readonly Uint16Array[]) => codes.map(row => Array.from(row))

function bytesOf(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts))
}

function failure(call: () => unknown): TokenFileError {
  try {
    call()
  } catch (error) {
    assert.instance(error, TokenFileError, String(error))
    return error as TokenFileError
  }
  throw new Error('nothing was thrown')
}

test('crc32 is that of zip', () => {
  assert.is(crc32(new TextEncoder().encode('123456789')), 0xcbf43926)
  assert.is(crc32(new Uint8Array(0)), 0)
})

test('every number of codebooks, size and coding comes back', () => {
  for (const codebookSizes of [[4096], [1], [2], [65536], [4097], [1024, 1024], [1, 3, 65536, 4096, 7]])
    for (const frames of [0, 1, 2, 7, 1024, 1025])
      for (const coding of CODINGS) {
        const codes = sample(codebookSizes, frames)
        const { header, codes: back } = decodeWtok(encodeWtok(codes, { ...FORMAT, codebookSizes, coding }))
        const label = `${codebookSizes} x ${frames}, ${coding}`
        assert.equal(plain(back), codes, label)
        assert.equal([header.frames, header.coding], [frames, coding], label)
      }
})

test('the header keeps model, hash, rates and sizes', () => {
  const modelHash = '00ff7a0123456789'
  const options = {
    model: 'mini é',
    modelHash,
    sampleRate: 44100,
    frameRate: 44100 / 512,
    codebookSizes: [5],
  }
  const { header } = decodeWtok(encodeWtok([[1, 4]], options))
  assert.equal(header, { ...options, frames: 2, coding: 2, tableBits: 10 })
})

test('AudioTokens through the general reader and writer', () => {
  const tokens = new AudioTokens(sample([4096, 1024], 40), { ...FORMAT, codebookSizes: [4096, 1024] })
  const stored = decodeTokens(encodeTokens(tokens, 'wtok', { modelHash: 'abcd' }))
  const { fileFormat, codes, modelHash, damage, ...rest } = stored
  assert.equal([fileFormat, modelHash, damage], ['wtok', 'abcd', undefined])
  assert.equal(
    AudioTokens.from({ ...(rest as typeof FORMAT & { codebookSizes: number[] }), codes: plain(codes) }),
    tokens,
  )
})

test('the bytes never change', () => {
  const small = encodeWtok([[0, 4095, 17, 17, 17, 2048]], { ...FORMAT, codebookSizes: [4096] })
  assert.is(
    Buffer.from(small).toString('hex'),
    '8957544f4b0d0a1a01030a0100c05d00004b00000001000000060000000004ff0f6d696e69538bc5c3020607fff0002082e90f15ae84440006cab7baa8',
  )
  const large = encodeWtok(sample([4096, 1024, 1000], 3000), { ...FORMAT, codebookSizes: [4096, 1024, 1000] })
  assert.equal([large.length, crc32(large)], [7955, 990173323])
})

test('packed codes fill whole bits, most significant first', () => {
  const file = encodeWtok([[0xabc, 0xdef, 0x123]], { ...FORMAT, codebookSizes: [4096], coding: 'packed' })
  assert.match(Buffer.from(file).toString('hex'), /0103abcdef1230/)
  assert.equal([1, 2, 3, 4096, 4097, 65536].map(bitsOf), [0, 1, 2, 12, 13, 16])
})

test('entropy coding is never larger than packed, and much smaller where codes come back', () => {
  const next = random(3)
  const noise = Array.from({ length: 5000 }, () => Math.floor(((next() + 1) / 2) * 4096))
  const length = (codes: readonly number[], coding: TokenCoding, frames = 1024) =>
    encodeWtok([codes], { ...FORMAT, codebookSizes: [4096], coding, blockFrames: frames }).length
  for (const coding of CODINGS)
    for (const frames of [1, 2, 10, 1024])
      assert.ok(length(noise, coding, frames) <= length(noise, 'packed', frames))
  assert.ok(length(speechLike(4096, 5000, 4), 2) < 0.8 * length(noise, 'packed'))
  const silence = new Array(5000).fill(77)
  assert.ok(length(silence, 2) < 250, `${length(silence, 2)} bytes of silence`)
  assert.ok(length(noise, 'packed') <= packedBytes([12], 5000) + 42 + 5 * 7 + 7)
})

test('written and read in any cut, the file is the same', () => {
  const codebookSizes = [4096, 300]
  const codes = sample(codebookSizes, 700)
  const options = { ...FORMAT, codebookSizes, blockFrames: 100, frames: 700 }
  const whole = encodeWtok(codes, options)
  for (const step of [1, 7, 100, 333]) {
    const writer = new TokenWriter(options)
    const parts: Uint8Array[] = []
    for (let t = 0; t < 700; t += step) parts.push(writer.push(codes.map(row => row.slice(t, t + step))))
    parts.push(writer.end())
    assert.equal(bytesOf(parts), whole, `${step} frames at a time`)
  }
  for (const step of [1, 13, 5000]) {
    const reader = new TokenReader()
    const rows: number[][] = codebookSizes.map(() => [])
    for (let at = 0; at < whole.length; at += step)
      for (const [c, row] of reader.push(whole.subarray(at, at + step)).entries()) rows[c].push(...row)
    reader.end()
    assert.equal(rows, codes, `${step} bytes at a time`)
    assert.equal([reader.frames, reader.offset, reader.header?.model], [700, whole.length, 'mini'])
  }
})

test('a stream says nothing of its length, and flush brings every frame out', () => {
  const writer = new TokenWriter({ ...FORMAT, codebookSizes: [4096] })
  const reader = new TokenReader()
  assert.equal(reader.push(writer.push([[]])), [new Uint16Array(0)])
  assert.is(reader.header?.frames, undefined)
  for (const code of [5, 4095, 5, 5]) {
    assert.is(writer.push([[code]]).length, 0)
    assert.equal(plain(reader.push(writer.flush())), [[code]])
  }
  assert.is(writer.flush().length, 0)
  assert.throws(() => reader.end(), /truncated: 4 frames are whole \(at byte \d+\)/)
  reader.push(writer.end())
  reader.end()
  assert.throws(() => writer.push([[1]]), /was ended/)
})

test('a file cut anywhere: its offset, and every whole block', () => {
  for (const coding of CODINGS) {
    const codes = sample([4096, 10], 50)
    const file = encodeWtok(codes, { ...FORMAT, codebookSizes: [4096, 10], coding, blockFrames: 16 })
    let most = 0
    for (let length = 0; length < file.length; length++) {
      const cut = file.subarray(0, length)
      const { offset } = failure(() => decodeWtok(cut))
      assert.ok(offset <= length)
      if (offset === 0) {
        failure(() => decodeWtok(cut, { recover: true }))
        continue
      }
      const { codes: found, damage } = decodeWtok(cut, { recover: true })
      assert.is(damage?.offset, offset)
      assert.ok(found[0].length >= most)
      most = found[0].length
      assert.equal(
        plain(found),
        codes.map(row => row.slice(0, most)),
        `${length} bytes`,
      )
    }
    assert.is(most, 50)
  }
})

test('a wrong bit anywhere is found, and what lies before it is right', () => {
  const codes = sample([4096], 60)
  const file = encodeWtok(codes, { ...FORMAT, codebookSizes: [4096], blockFrames: 20 })
  for (let at = 0; at < file.length; at++)
    for (const bit of [1, 0x80]) {
      const wrong = file.slice()
      wrong[at] ^= bit
      const { offset } = failure(() => decodeWtok(wrong))
      assert.ok(offset <= at, `damage at ${at} was reported at ${offset}`)
      if (at < 42) continue
      const { codes: found } = decodeWtok(wrong, { recover: true })
      assert.equal(plain(found), [codes[0].slice(0, found[0].length)])
      assert.is(found[0].length, Math.min(60, 20 * Math.floor(found[0].length / 20)))
    }
})

test('frames before the damage come first, the error with the next call', () => {
  const codes = sample([4096], 40)
  const file = encodeWtok(codes, { ...FORMAT, codebookSizes: [4096], blockFrames: 20 })
  file[file.length - 12] ^= 1
  const reader = new TokenReader()
  assert.equal(plain(reader.push(file)), [codes[0].slice(0, 20)])
  assert.throws(
    () => reader.push(file),
    /damaged: a block with a wrong checksum after 20 frames \(at byte \d+\)/,
  )
  assert.throws(() => reader.end(), /wrong checksum/)
})

test('bytes after the end, other versions, other files', () => {
  const file = encodeWtok([[1]], { ...FORMAT, codebookSizes: [4096] })
  assert.is(failure(() => decodeWtok(bytesOf([file, new Uint8Array(3)]))).offset, file.length)
  const other = file.slice()
  other[8] = 9
  assert.match(failure(() => decodeWtok(other)).message, /version 9 is unknown; this reader knows 1/)
  assert.match(failure(() => decodeWtok(new Uint8Array(50))).message, /not a \.wtok file/)
})

test('noise after a right header ends in an error, soon', () => {
  const head = encodeWtok([[], []], { ...FORMAT, codebookSizes: [4096, 65536] })
  const start = head.length - 6
  const next = random(11)
  for (let round = 0; round < 300; round++) {
    const file = bytesOf([head.subarray(0, start), Uint8Array.from({ length: 60 }, () => next() * 256)])
    failure(() => decodeWtok(file))
  }
})

test('the writer refuses what the format or the codebooks cannot hold', () => {
  const options = { ...FORMAT, codebookSizes: [4096] }
  const refuses = (call: () => unknown, pattern: RegExp) =>
    assert.throws(call, (error: Error) => error instanceof TokenError && pattern.test(error.message))
  refuses(
    () => encodeWtok([[4096]], options),
    /code 4096 at frame 0 of codebook 0 is out of range; expected 0 to 4095/,
  )
  refuses(() => encodeWtok([[1.5]], options), /code 1.5 at frame 0/)
  refuses(() => encodeWtok([[1], [2]], options), /2 codebooks of codes found, expected 1/)
  refuses(() => encodeWtok([[1], [2, 3]], { ...options, codebookSizes: [4, 4] }), /codebook 1 has 2 frames/)
  refuses(() => new TokenWriter({ ...options, frames: 3 }).end(), /0 frames were pushed; 3 were announced/)
  refuses(() => encodeWtok([[1]], { ...options, codebookSizes: [65537] }), /1 to 65536/)
  refuses(() => encodeWtok([[1]], { ...options, sampleRate: 0.5 }), /whole numbers of Hz/)
  refuses(() => encodeWtok([[1]], { ...options, frameRate: -1 }), /positive fractions/)
  refuses(() => encodeWtok([[1]], { ...options, model: 'm'.repeat(256) }), /at most 255/)
  refuses(() => encodeWtok([[1]], { ...options, modelHash: 'xyz' }), /hexadecimal/)
  refuses(() => encodeWtok([[1]], { ...options, blockFrames: 0 }), /whole number from 1/)
})

/** SNAC's: 4, 2 and 1 frames share a code; codes and rates of 28 frames. */
const STRIDED = { model: 'snac', sampleRate: 24000, frameRate: 46.875, codebookSizes: [4096, 300, 64] }
const STRIDES = [4, 2, 1]
const stridedCodes = (frames: number) =>
  STRIDES.map((stride, c) => speechLike(STRIDED.codebookSizes[c], frames / stride, c + 1))

test('codebooks of several rates come back, in every coding and any cut', () => {
  const options = { ...STRIDED, strides: STRIDES }
  for (const coding of CODINGS)
    for (const frames of [0, 4, 28, 4096]) {
      const codes = stridedCodes(frames)
      const { header, codes: back } = decodeWtok(encodeWtok(codes, { ...options, coding }))
      const { tableBits: _, modelHash: __, ...rest } = header
      assert.equal(rest, { ...options, frames, coding }, `${frames} frames, ${coding}`)
      assert.equal(plain(back), codes, `${frames} frames, ${coding}`)
    }
  const codes = stridedCodes(400)
  const writer = new TokenWriter({ ...options, blockFrames: 50 })
  const parts: Uint8Array[] = []
  for (let t = 0; t < 400; t += 8)
    parts.push(writer.push(codes.map((row, c) => row.slice(t / STRIDES[c], (t + 8) / STRIDES[c]))))
  parts.push(writer.end())
  const reader = new TokenReader()
  const rows: number[][] = STRIDES.map(() => [])
  const file = bytesOf(parts)
  for (let at = 0; at < file.length; at += 11)
    for (const [c, row] of reader.push(file.subarray(at, at + 11)).entries()) rows[c].push(...row)
  reader.end()
  assert.equal(rows, codes)
  assert.is(reader.frames, 400)
})

test('strides that make no sense are refused, by the writer and in files', () => {
  const refuses = (strides: number[], codes: number[][], pattern: RegExp) =>
    assert.throws(() => encodeWtok(codes, { ...STRIDED, strides }), pattern)
  refuses([4, 3, 1], [[1], [2], [3]], /strides are 4, 3, 1 for 3 codebooks/)
  refuses([4, 2], [[1], [2, 2], [3, 3, 3, 3]], /strides are 4, 2 for 3 codebooks/)
  refuses([256, 1, 1], [[1], [2], [3]], /expected one for each, 1 to 255/)
  refuses(STRIDES, [[1], [2], [3, 3, 3, 3]], /codebook 1 has 2 frames, codebook 0 has 4/)
  const hundred = {
    ...STRIDED,
    codebookSizes: new Array(100).fill(2),
    strides: [12, ...new Array(99).fill(1)],
  }
  assert.throws(() => new TokenWriter(hundred), /frames of more than 1024 codes/)
  const file = encodeWtok(stridedCodes(28), { ...STRIDED, strides: STRIDES })
  const stridesAt = 31 + 2 * 3
  const headerEnd = stridesAt + 3 + 6 + STRIDED.model.length // no segments
  for (const wrong of [
    [0, 0, 0],
    [4, 3, 1],
    [1, 2, 4],
  ]) {
    const hostile = file.slice()
    hostile.set(wrong, stridesAt)
    new DataView(hostile.buffer).setUint32(headerEnd, crc32(hostile.subarray(0, headerEnd)), true)
    assert.match(failure(() => decodeWtok(hostile)).message, /makes no sense: 3 codebooks, strides/)
  }
  for (let length = 0; length < file.length; length++) failure(() => decodeWtok(file.slice(0, length)))
})

test('frame rates are exact fractions', () => {
  assert.equal(asFraction(75), [75, 1])
  assert.equal(asFraction(12.5), [25, 2])
  assert.equal(asFraction(44100 / 512), [11025, 128])
  assert.equal(asFraction(16000 / 441), [16000, 441])
  for (const value of [1 / 3, 0.1, 24000 / 7, Math.PI]) {
    const [numerator, denominator] = asFraction(value)
    assert.is(numerator / denominator, value)
  }
  for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300, 1e-300])
    assert.throws(() => asFraction(value), /positive fractions/)
})

test.run()
