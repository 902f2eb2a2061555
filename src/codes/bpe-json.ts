import { TokenError } from '../errors.js'
import type { BpeMerge } from './bpe-train.js'

/** Hugging Face's tokenizer.json, as far as it matters here. */
export interface TokenizerJson {
  readonly model: {
    readonly type: string
    readonly vocab: Readonly<Record<string, number>>
    /** Pairs, or in older files texts with a space between. */
    readonly merges: readonly (readonly [string, string] | string)[]
  }
  readonly [other: string]: unknown
}

const SURROGATES = 0xd800

/** @throws TokenError where codes would become surrogates, which no UTF-8 file can hold */
export function serialiseTokenizer(
  expansions: readonly (readonly number[] | undefined)[],
  merges: readonly BpeMerge[],
  firstCodePoint: number,
): TokenizerJson {
  const largest = expansions.reduce(
    (most, codes) => (codes?.length === 1 ? Math.max(most, codes[0]) : most),
    0,
  )
  if (firstCodePoint <= SURROGATES && firstCodePoint + largest >= SURROGATES)
    throw new TokenError(
      `code ${largest} would become a surrogate; from U+${firstCodePoint.toString(16)} there is room for ${SURROGATES - firstCodePoint} codes`,
    )
  const names = expansions.map((codes, id) =>
    codes ? String.fromCodePoint(...codes.map(code => firstCodePoint + code)) : `<|special_${id}|>`,
  )
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(names.map((name, id) => [name, id])),
      merges: merges.map(({ left, right }): [string, string] => [names[left], names[right]]),
    },
  } as TokenizerJson
}

/** @throws TokenError where the text is no BPE model, or a merge makes what the vocabulary does not have */
export function parseTokenizer(
  json: string | TokenizerJson,
  firstCodePoint: number,
): { expansions: (number[] | undefined)[]; merges: BpeMerge[] } {
  const { vocab, merges } = modelOf(json)
  const size = Object.values(vocab).reduce((most, id) => Math.max(most, id + 1), 0)
  const expansions = new Array<number[] | undefined>(size).fill(undefined)
  for (const [name, id] of Object.entries(vocab)) expansions[id] = codesOf(name, firstCodePoint)
  const idOf = (name: string) => {
    if (Object.hasOwn(vocab, name)) return vocab[name]
    throw new TokenError(`a merge needs '${name.slice(0, 40)}', which the vocabulary does not have`)
  }
  return {
    expansions,
    merges: merges.map(merge => {
      const [left, right] = typeof merge === 'string' ? merge.split(' ') : merge
      return { left: idOf(left), right: idOf(right), id: idOf(left + right) }
    }),
  }
}

function modelOf(json: string | TokenizerJson): TokenizerJson['model'] {
  let parsed: unknown
  try {
    parsed = typeof json === 'string' ? JSON.parse(json) : json
  } catch (error) {
    throw new TokenError(`the tokenizer file is not valid JSON: ${(error as Error).message}`, {
      cause: error,
    })
  }
  const { model } = (parsed ?? {}) as Partial<TokenizerJson>
  const isVocab = typeof model?.vocab === 'object' && model.vocab !== null
  if (model?.type !== 'BPE' || !isVocab || !Array.isArray(model.merges))
    throw new TokenError(
      `the tokenizer's model is of type '${String(model?.type)}', expected 'BPE' with vocab and merges`,
    )
  const ids = Object.values(model.vocab)
  if (!ids.every(id => Number.isInteger(id) && id >= 0 && id < 2 ** 26))
    throw new TokenError('the vocabulary has ids that are no whole numbers below 2^26')
  return model
}

/** Undefined for names that are no codes, such as `<pad>`. */
function codesOf(name: string, firstCodePoint: number): number[] | undefined {
  const codes = Array.from(name, letter => (letter.codePointAt(0) ?? 0) - firstCodePoint)
  return codes.length > 0 && codes.every(code => code >= 0) ? codes : undefined
}
