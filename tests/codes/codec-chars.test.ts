import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { charsToCodes, codesToChars, TokenError } from '../../src/codes/index.js'
import { vectors } from './vectors.js'

const {
  codes,
  codebook_size: codebookSize,
  codepoints,
  corrupted_codepoints,
  recovered,
} = vectors('codec-bpe-chars')

test('characters are those of codec-bpe', () => {
  const text = codesToChars(codes, { codebookSize })
  assert.equal(
    Array.from(text, letter => letter.codePointAt(0)),
    codepoints,
  )
  assert.equal(charsToCodes(text, codes.length, { codebookSize }), codes)
})

test('what a language model garbled is repaired as codec-bpe does', () => {
  const text = String.fromCodePoint(...corrupted_codepoints)
  assert.equal(charsToCodes(text, codes.length, { codebookSize }), recovered)
  assert.equal(charsToCodes('', 2, { codebookSize }), [[], []])
  assert.equal(charsToCodes('abc', 2, { codebookSize }), [[], []])
  const tail = codesToChars(codes, { codebookSize }).slice(1)
  assert.equal(
    charsToCodes(tail, codes.length, { codebookSize }),
    codes.map((row: number[]) => row.slice(1)),
  )
})

test('surrogates are refused, characters beyond them are not', () => {
  const many = Array.from({ length: 17 }, () => [2047])
  const refused = (error: Error) =>
    error instanceof TokenError && /surrogates; at most 17 fit/.test(error.message)
  assert.is(codesToChars(many, { codebookSize: 2048 }).length, 17)
  assert.throws(() => codesToChars([...many, [0]], { codebookSize: 2048 }), refused)
  const firstCodePoint = 0x10000
  const text = codesToChars([...many, [0]], { codebookSize: 2048, firstCodePoint })
  assert.equal(charsToCodes(text, 18, { codebookSize: 2048, firstCodePoint }), [...many, [0]])
  assert.throws(
    () => codesToChars([[1024]], { codebookSize: 1024 }),
    /code 1024 is outside codebook 0, 0 to 1023/,
  )
})

test.run()
