import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cut, History, repeat, replace } from '../../examples/browser/edits.js'
import {
  describeLength,
  describeToken,
  packedBytes,
  showBytes,
  showFactor,
  showTime,
  stem,
  storedSizes,
} from '../../examples/browser/figures.js'
import { CLIP_HASH, fromHash, readTokens, toHash } from '../../examples/browser/token-files.js'
import { AudioTokens, type TokenizerInfo } from '../../src/index.js'

const test = suite('site/edits')
const FORMAT = { codebookSizes: [4096], frameRate: 75, sampleRate: 24000, model: 'mini' }
const tokensOf = (...codes: number[]) => new AudioTokens([codes], FORMAT)
const codes = (tokens: AudioTokens) => [...tokens.codes[0]]

test('cut, repeat and replace change the selected frames alone', () => {
  const tokens = tokensOf(10, 11, 12, 13, 14)
  const selection = { start: 1, end: 3 }
  assert.equal(codes(cut(tokens, selection)), [10, 13, 14])
  assert.equal(codes(repeat(tokens, selection)), [10, 11, 12, 11, 12, 13, 14])
  assert.equal(codes(replace(tokens, selection, tokensOf(7, 8, 9))), [10, 7, 8, 9, 13, 14])
  assert.equal(codes(tokens), [10, 11, 12, 13, 14])
})

test('edits reach both ends and keep all codebooks together', () => {
  const tokens = new AudioTokens(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    { ...FORMAT, codebookSizes: [16, 16] },
  )
  const all = { start: 0, end: 3 }
  assert.equal(codes(repeat(tokens, all)), [1, 2, 3, 1, 2, 3])
  assert.equal([...cut(tokens, { start: 2, end: 3 }).codes[1]], [4, 5])
  assert.equal([...replace(tokens, { start: 0, end: 1 }, tokens.slice(2)).codes[1]], [6, 5, 6])
})

test('tokens of another model cannot be put in', () => {
  const other = new AudioTokens([[1]], { ...FORMAT, model: 'wavtokenizer' })
  assert.throws(
    () => replace(tokensOf(1, 2), { start: 0, end: 1 }, other),
    /cannot join tokens of wavtokenizer/,
  )
})

test('history goes back and forth, and forgets what was undone when something new is done', () => {
  const history = new History('a')
  assert.not(history.canUndo)
  assert.is(history.undo(), 'a')
  history.push('b')
  history.amend('B')
  history.push('c')
  assert.is(history.undo(), 'B')
  assert.is(history.undo(), 'a')
  assert.is(history.redo(), 'B')
  assert.ok(history.canRedo)
  history.push('d')
  assert.not(history.canRedo)
  assert.is(history.redo(), 'd')
  assert.is(history.undo(), 'B')
})

test('sizes: the file that is there, nominal rates, packed codes', () => {
  const tokens = tokensOf(...new Array(750).fill(1)) // 10 s, 12 bits a code
  assert.is(packedBytes(tokens), 1125)
  assert.equal(
    storedSizes({ name: 'this WAV file', bytes: 480_044 }, tokens).map(({ bytes }) => bytes),
    [480_044, 80_000, 30_000, 7_500, 1125],
  )
  assert.is(packedBytes(tokensOf(1)), 2)
})

test('numbers are written for people', () => {
  assert.equal([0, 579, 999.4, 1125, 246_704, 9_568_764].map(showBytes), [
    '0 B',
    '579 B',
    '999 B',
    '1.13 kB',
    '247 kB',
    '9.57 MB',
  ])
  assert.equal([0, 5.139, 59.999, 61.5, 3600].map(showTime), [
    '0:00.00',
    '0:05.14',
    '1:00.00',
    '1:01.50',
    '60:00.00',
  ])
  assert.equal([0.51, 9.94, 38.9].map(showFactor), ['0.5', '9.9', '39'])
  assert.is(describeToken(tokensOf(10, 2045), 1), 'token 1 of 2: code 2045, 0.013 s')
  assert.is(describeLength(tokensOf(1), { start: 0, end: 1 }), '1 token, 0.013 s')
  assert.is(describeLength(tokensOf(1, 2, 3), { start: 0, end: 3 }), '3 tokens, 0.040 s')
  assert.equal(['a.b.wav', 'clip', '.wav'].map(stem), ['a.b', 'clip', 'clip'])
})

test('an address holds tokens, and token files may say less than everything', () => {
  const info = { ...FORMAT, family: 'mini' } as unknown as TokenizerInfo
  const tokens = tokensOf(...Array.from({ length: 75 }, (_, i) => (i * 997) % 4096))
  const hash = toHash(tokens)
  assert.match(hash, /^#clip=[\w-]+$/)
  assert.equal(readTokens(fromHash(hash), info), tokens)
  assert.throws(() => fromHash(`${CLIP_HASH}*`), /damaged/)
  assert.throws(() => readTokens(fromHash(hash.slice(0, 40)), info))
  assert.equal(readTokens(new TextEncoder().encode('1 2 3'), info), tokensOf(1, 2, 3))
})

test.run()
