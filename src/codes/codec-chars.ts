import { TokenError } from '../errors.js'
import { type CodeRows, flatten, unflatten } from './layouts.js'

/** How codec-bpe writes codes as characters. */
export interface CodecCharOptions {
  /** Entries of each codebook. */
  readonly codebookSize: number
  /** Code point of code 0 of codebook 0 (default 0x4e00). */
  readonly firstCodePoint?: number
}

const SURROGATES = 0xd800

/**
 * Codes as codec-bpe's text: frame by frame, one character per codebook, each codebook with characters of its own.
 *
 * @throws TokenError where characters would be surrogates, or for codes outside the codebook
 */
export function codesToChars(codes: CodeRows, options: CodecCharOptions): string {
  const { codebookSize, firstCodePoint = 0x4e00 } = options
  if (firstCodePoint <= SURROGATES && firstCodePoint + codes.length * codebookSize > SURROGATES)
    throw new TokenError(
      `${codes.length} codebooks of ${codebookSize} reach the surrogates; at most ${Math.floor((SURROGATES - firstCodePoint) / codebookSize)} fit`,
    )
  const shifted = codes.map((row, codebook) =>
    Array.from(row, code => {
      if (Number.isInteger(code) && code >= 0 && code < codebookSize)
        return firstCodePoint + codebook * codebookSize + code
      throw new TokenError(`code ${code} is outside codebook ${codebook}, 0 to ${codebookSize - 1}`)
    }),
  )
  return flatten(shifted, { order: 'time' })
    .map(point => String.fromCodePoint(point))
    .join('')
}

/**
 * Inverse of {@link codesToChars}, for text that a language model wrote: characters whose codebook is not the one that must follow are
 * left out, and so are incomplete frames at both ends.
 */
export function charsToCodes(text: string, codebooks: number, options: CodecCharOptions): number[][] {
  const { codebookSize, firstCodePoint = 0x4e00 } = options
  const points = Array.from(text, letter => (letter.codePointAt(0) ?? 0) - firstCodePoint)
  const known = points.filter(point => point >= 0 && point < codebooks * codebookSize)
  const codebookOf = (point: number) => Math.floor(point / codebookSize)
  let expected = known.length > 0 ? codebookOf(known[0]) : 0
  const consistent = known.filter(point => {
    if (codebookOf(point) !== expected) return false
    expected = (expected + 1) % codebooks
    return true
  })
  const start = consistent.findIndex(point => codebookOf(point) === 0)
  const whole = start < 0 ? [] : consistent.slice(start)
  const frames = Math.floor(whole.length / codebooks)
  const rows = unflatten(whole.slice(0, frames * codebooks), codebooks, { order: 'time' })
  return rows.map((row, codebook) => row.map(point => point - codebook * codebookSize))
}
