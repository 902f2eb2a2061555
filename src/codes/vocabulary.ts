import { TokenError } from '../errors.js'
import { type CodeRows, type FlatteningOptions, flatten, unflatten } from './layouts.js'

/** Where codes lie in a language model's vocabulary. */
export interface CodeVocabulary {
  /** Entries of each codebook. */
  readonly codebookSizes: readonly number[]
  /** Id of code 0 of codebook 0. */
  readonly offset: number
  /** Each codebook has ids of its own, one codebook after another (default), or all share the same. */
  readonly sharesIds?: boolean
  /** Ids that begin, end and fill up a sequence; those that are given are written. */
  readonly bos?: number
  readonly eos?: number
  readonly pad?: number
}

/** Ids of Qwen-2.5 vocabularies of OuteTTS 0.2 and 0.3 at 500 M; other vocabularies need their tokenizer's own ids of `<|k|>`. */
export const OUTETTS_QWEN: CodeVocabulary = {
  codebookSizes: [4096],
  offset: 151672,
  bos: 151667, // <|audio_start|>
  eos: 151668, // <|audio_end|>
}

/**
 * Codes as ids of a language model: BOS, flattened codes with their offsets, EOS, then PAD up to `length`.
 *
 * @throws TokenError for codes outside their codebook, or when the sequence is longer than `length`
 */
export function codesToIds(
  codes: CodeRows,
  vocabulary: CodeVocabulary,
  { order = 'time', coarse, length }: Partial<FlatteningOptions> & { length?: number } = {},
): number[] {
  const { bos, eos, pad } = vocabulary
  const offsets = codebookOffsets(vocabulary)
  const shifted = codes.map((row, codebook) =>
    Array.from(row, (code, frame) => {
      if (Number.isInteger(code) && code >= 0 && code < vocabulary.codebookSizes[codebook])
        return code + offsets[codebook]
      throw new TokenError(
        `code ${code} at frame ${frame} of codebook ${codebook} is out of range; expected 0 to ${vocabulary.codebookSizes[codebook] - 1}`,
      )
    }),
  )
  const ids = flatten(shifted, { order, coarse })
  if (bos !== undefined) ids.unshift(bos)
  if (eos !== undefined) ids.push(eos)
  if (length === undefined) return ids
  if (ids.length > length || (ids.length < length && pad === undefined))
    throw new TokenError(`the sequence has ${ids.length} ids, expected ${length}; cut the codes or give pad`)
  while (ids.length < length) ids.push(pad as number)
  return ids
}

/**
 * Inverse of {@link codesToIds}. Ids up to BOS are left out, and so is everything from the first EOS or PAD on.
 *
 * @throws TokenError for an id that stands for no code, such as `<|4096|>` to `<|4099|>` of OuteTTS, or for a code of another codebook
 */
export function idsToCodes(
  ids: ArrayLike<number>,
  vocabulary: CodeVocabulary,
  { order = 'time', coarse }: Partial<FlatteningOptions> = {},
): number[][] {
  const { codebookSizes, bos, eos, pad } = vocabulary
  const list = Array.from(ids)
  const start = bos === undefined ? 0 : list.indexOf(bos) + 1
  const end = list.findIndex((id, i) => i >= start && (id === eos || id === pad))
  const offsets = codebookOffsets(vocabulary)
  const rows = unflatten(list.slice(start, end < 0 ? undefined : end), codebookSizes.length, {
    order,
    coarse,
  })
  return rows.map((row, codebook) =>
    row.map((id, frame) => {
      const code = id - offsets[codebook]
      if (Number.isInteger(code) && code >= 0 && code < codebookSizes[codebook]) return code
      throw new TokenError(
        `id ${id} at frame ${frame} is no code of codebook ${codebook}, whose ids are ${offsets[codebook]} to ${offsets[codebook] + codebookSizes[codebook] - 1}`,
      )
    }),
  )
}

function codebookOffsets({ codebookSizes, offset, sharesIds }: CodeVocabulary): number[] {
  let next = offset
  return codebookSizes.map(size => {
    const own = next
    if (!sharesIds) next += size
    return own
  })
}
