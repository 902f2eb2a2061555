import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeTokens, encodeTokens, TOKEN_FILE_FORMATS } from '../../src/codes/formats.js'
import { TokenError } from '../../src/errors.js'
import { AudioTokens } from '../../src/tokens.js'
import { random } from '../support/random.js'

const text = (value: string) => new TextEncoder().encode(value)
const codesOf = (bytes: Uint8Array) => decodeTokens(bytes).codes.map(row => Array.from(row))
const throwsToken = (bytes: Uint8Array, pattern: RegExp) =>
  assert.throws(
    () => decodeTokens(bytes),
    (error: Error) => error instanceof TokenError && pattern.test(error.message),
  )

/** A .npy file as numpy.save writes it, from raw data. */
function npy(
  descr: string,
  shape: string,
  data: ArrayBufferView,
  { fortran = false, version = 1 } = {},
): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${shape}, }\n`
  const lengthBytes = version === 1 ? [header.length, 0] : [header.length, 0, 0, 0]
  const payload = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return Uint8Array.of(0x93, ...text('NUMPY'), version, 0, ...lengthBytes, ...text(header), ...payload)
}

function sample(codebooks: number, frames: number): AudioTokens {
  const next = random(7)
  const codes = Array.from({ length: codebooks }, () =>
    Array.from({ length: frames }, () => Math.floor(((next() + 1) / 2) * 4096)),
  )
  const codebookSizes = codes.map(() => 4096)
  return new AudioTokens(codes, { codebookSizes, frameRate: 75, sampleRate: 24000, model: 'wavtokenizer' })
}

test('every format gives back the codes that were written', () => {
  for (const format of TOKEN_FILE_FORMATS) {
    for (const [codebooks, frames] of [
      [1, 1],
      [1, 75],
      [8, 1],
      [3, 20],
    ]) {
      const tokens = sample(codebooks, frames)
      const stored = decodeTokens(encodeTokens(tokens, format))
      assert.is(stored.fileFormat, format)
      assert.equal(stored.codes, tokens.codes, `${format} ${codebooks} x ${frames}`)
    }
  }
})

test('json keeps everything that the tokens know', () => {
  const tokens = sample(2, 5)
  const { fileFormat, codes, ...rest } = decodeTokens(encodeTokens(tokens, 'json'))
  assert.equal(rest, { codebookSizes: [4096, 4096], frameRate: 75, sampleRate: 24000, model: 'wavtokenizer' })
})

test('the .npy file that is written is the one that numpy.save writes', () => {
  const tokens = new AudioTokens([[1, 4095, 258]], { ...sample(1, 1) })
  const bytes = encodeTokens(tokens, 'npy')
  const header = `{'descr': '<u2', 'fortran_order': False, 'shape': (1, 3), }`
  assert.is(bytes.length, 128 + 6)
  assert.equal(Array.from(bytes.subarray(0, 10)), [0x93, ...text('NUMPY'), 1, 0, 118, 0])
  assert.is(new TextDecoder().decode(bytes.subarray(10, 128)), `${header.padEnd(117)}\n`)
  assert.equal(Array.from(bytes.subarray(128)), [1, 0, 255, 15, 2, 1])
})

test('.npy of every integer type, dimension, order and header version', () => {
  assert.equal(codesOf(npy('<i8', '(3,)', BigInt64Array.of(1n, 2n, 3n))), [[1, 2, 3]])
  assert.equal(codesOf(npy('<u8', '(1, 2)', BigUint64Array.of(7n, 65535n))), [[7, 65535]])
  assert.equal(codesOf(npy('<i4', '(2, 2)', Int32Array.of(1, 2, 3, 4))), [
    [1, 2],
    [3, 4],
  ])
  assert.equal(codesOf(npy('<i2', '(1, 1, 3)', Int16Array.of(5, 6, 7))), [[5, 6, 7]])
  assert.equal(codesOf(npy('<u4', '(2, 1, 1)', Uint32Array.of(5, 6))), [[5], [6]])
  assert.equal(codesOf(npy('|u1', '(2,)', Uint8Array.of(200, 6))), [[200, 6]])
  assert.equal(codesOf(npy('<u2', '(2, 3)', Uint16Array.of(1, 4, 2, 5, 3, 6), { fortran: true })), [
    [1, 2, 3],
    [4, 5, 6],
  ])
  assert.equal(codesOf(npy('<u2', '(1,)', Uint16Array.of(9), { version: 2 })), [[9]])
  assert.equal(codesOf(npy('<u2', '(0,)', new Uint16Array())), [[]])
})

test('bare JSON lists and free spacing in text are read', () => {
  assert.equal(codesOf(text('[1, 2, 3]')), [[1, 2, 3]])
  assert.equal(codesOf(text('\ufeff [[1], [2]]\n')), [[1], [2]])
  assert.equal(codesOf(text('{"codes":[[4,5]]}')), [[4, 5]])
  assert.equal(codesOf(text('\n 1  2\t3 \r\n4 5 6\n\n')), [
    [1, 2, 3],
    [4, 5, 6],
  ])
})

test('junk is named', () => {
  throwsToken(new Uint8Array(), /empty \(0 bytes\)/)
  throwsToken(text('RIFF....WAVE'), /first bytes are 52 49 46 46; it is a WAV file: encode it first/)
  throwsToken(Uint8Array.of(0xff, 0xfe, 0x00), /first bytes are ff fe 00/)
  throwsToken(text('hello'), /first bytes are 68 65 6c 6c/)
  throwsToken(text('   \n'), /first bytes are/)
  throwsToken(text('1 2 x3'), /'x3' .* is not a code/)
  throwsToken(text('1 2.5'), /'2\.5'/)
  throwsToken(text('1 2\n3'), /codebook 1 has 1 frames, codebook 0 has 2/)
  throwsToken(text('1 70000'), /code 70000 at frame 1 of codebook 0/)
  throwsToken(text('{"codes":[[1,2'), /not valid JSON \(truncated\?\)/)
  throwsToken(text('{"name":"x","version":1}'), /no list 'codes'.*it has: name, version/)
  throwsToken(text('{"codes":[[1,-2]]}'), /code -2 at frame 1/)
  throwsToken(text('{"codes":[[1,null]]}'), /code null at frame 1/)
  throwsToken(text('{"codes":[[1],[2,3]]}'), /codebook 1 has 2 frames/)
  throwsToken(text('{"codes":["1"]}'), /code "1" at frame 0/)
  throwsToken(
    text('{"codes":[1],"frameRate":-3}'),
    /'frameRate' in the token file is -3, expected a positive number/,
  )
  throwsToken(text('{"codes":[1],"codebookSizes":4096}'), /'codebookSizes'/)
  throwsToken(text('{"codes":[1],"model":{}}'), /'model'.*expected a text/)
})

test('broken .npy files are named', () => {
  const sound = npy('<u2', '(1, 3)', Uint16Array.of(1, 2, 3))
  throwsToken(sound.subarray(0, 8), /truncated inside its header/)
  throwsToken(sound.subarray(0, 30), /truncated: its header claims/)
  throwsToken(sound.subarray(0, -1), /truncated: \[1, 3\] of '<u2' needs 6 bytes, 5 are there/)
  throwsToken(npy('<f4', '(1,)', Float32Array.of(1)), /holds '<f4', expected little-endian integers/)
  throwsToken(npy('>u2', '(1,)', Uint16Array.of(1)), /holds '>u2'/)
  throwsToken(npy('<u2', '()', Uint16Array.of(1)), /shape \[\], expected/)
  throwsToken(npy('<u2', '(2, 2, 1)', Uint16Array.of(1, 2, 3, 4)), /shape \[2, 2, 1\], expected/)
  throwsToken(npy('<u2', '(0, 5)', new Uint16Array()), /shape \[0, 5\], expected/)
  throwsToken(npy('<u2', '(99999999999999, 0)', new Uint16Array()), /with 1 to 1024 codebooks/)
  throwsToken(npy('<u2', '(1, 99999999999999)', new Uint16Array()), /truncated/)
  throwsToken(npy('<i4', '(2,)', Int32Array.of(1, -1)), /code -1 at frame 1/)
  throwsToken(npy('<i8', '(1,)', BigInt64Array.of(1n << 40n)), /code 1099511627776/)
  throwsToken(npy('<u2', '(1,)', Uint16Array.of(1), { version: 9 }), /version 9 is unknown/)
  throwsToken(Uint8Array.of(0x93, ...text('NUMPY'), 1, 0, 2, 0, 0x7b, 0x7d), /says neither type nor shape/)
})

test('5000 mutated files: codes or a TokenError, nothing else', () => {
  const next = random(3)
  const below = (limit: number) => Math.floor(((next() + 1) / 2) * limit)
  const seeds = TOKEN_FILE_FORMATS.map(format => encodeTokens(sample(2, 12), format))
  let read = 0
  for (let i = 0; i < 5000; i++) {
    const bytes = seeds[i % seeds.length].slice(0, below(8) === 0 ? below(200) : undefined)
    for (let edits = below(3); edits >= 0; edits--) bytes[below(bytes.length)] = below(256)
    try {
      const { codes } = decodeTokens(bytes)
      read++
      assert.ok(codes.every(row => row.length === codes[0].length))
    } catch (error) {
      if (!(error instanceof TokenError)) assert.unreachable(`file ${i}: ${(error as Error).stack}`)
    }
  }
  assert.ok(read > 500, `${read} files could be read`)
})

test.run()
