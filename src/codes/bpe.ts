import { TokenError } from '../errors.js'
import { parseTokenizer, serialiseTokenizer, type TokenizerJson } from './bpe-json.js'
import { type BpeMerge, type BpeTrainOptions, trainMerges } from './bpe-train.js'
import { PriorityQueue } from './priority-queue.js'

/** How codes are written as characters in tokenizer files. */
export interface BpeJsonOptions {
  /** Code point of code 0 (default 0x4e00, as codec-bpe). */
  readonly firstCodePoint?: number
}

/** Byte-pair encoding of codes: fewer, longer tokens, without loss. */
export class TokenBpe {
  /** In the order in which they apply. */
  readonly merges: readonly BpeMerge[]
  /** The codes that each token stands for; undefined for special tokens. */
  readonly expansions: readonly (readonly number[] | undefined)[]
  readonly #ids = new Map<number, number>()
  readonly #ranks = new Map<number, number>()

  /** Use {@link TokenBpe.train} or {@link TokenBpe.fromJSON}. */
  constructor(expansions: readonly (readonly number[] | undefined)[], merges: readonly BpeMerge[]) {
    this.expansions = expansions
    this.merges = merges
    expansions.forEach((codes, id) => {
      if (codes?.length === 1) this.#ids.set(codes[0], id)
    })
    merges.forEach(({ left, right }, rank) => {
      this.#ranks.set(left * expansions.length + right, rank)
    })
  }

  /**
   * Learns tokens from sequences of codes. For several codebooks give `codesToIds(codes, { codebookSizes, offset: 0 })` of each clip.
   *
   * @throws TokenError for codes outside the alphabet
   */
  static train(sequences: readonly ArrayLike<number>[], options: BpeTrainOptions): TokenBpe {
    const merges = trainMerges(sequences, options)
    const expansions = Array.from({ length: options.alphabetSize }, (_, code) => [code])
    for (const { left, right, id } of merges) expansions[id] ??= [...expansions[left], ...expansions[right]]
    return new TokenBpe(expansions, merges)
  }

  /** Reads Hugging Face's tokenizer.json with a BPE model, parsed or as text. @throws TokenError for another kind of file */
  static fromJSON(json: string | TokenizerJson, { firstCodePoint = 0x4e00 }: BpeJsonOptions = {}): TokenBpe {
    const { expansions, merges } = parseTokenizer(json, firstCodePoint)
    return new TokenBpe(expansions, merges)
  }

  /** Tokens in all. */
  get vocabSize(): number {
    return this.expansions.length
  }

  /** What Hugging Face tokenizers load. @throws TokenError where codes would become surrogates */
  toJSON({ firstCodePoint = 0x4e00 }: BpeJsonOptions = {}): TokenizerJson {
    return serialiseTokenizer(this.expansions, this.merges, firstCodePoint)
  }

  /** Tokens of codes: of all merges that apply the earliest learnt, leftmost first. @throws TokenError for unknown codes */
  encode(codes: ArrayLike<number>): number[] {
    const length = codes.length
    const tokens = Int32Array.from(codes, (code, i) => this.#tokenOf(code, i))
    const next = Int32Array.from(codes, (_, i) => (i + 1 < length ? i + 1 : -1))
    const previous = Int32Array.from(codes, (_, i) => i - 1)
    const queue = new PriorityQueue<{ rank: number; at: number }>((a, b) =>
      a.rank !== b.rank ? a.rank < b.rank : a.at < b.at,
    )
    const rankAt = (at: number) =>
      at < 0 || tokens[at] < 0 || next[at] < 0
        ? undefined
        : this.#ranks.get(tokens[at] * this.vocabSize + tokens[next[at]])
    const propose = (at: number) => {
      const rank = rankAt(at)
      if (rank !== undefined) queue.push({ rank, at })
    }
    for (let at = 0; at < length; at++) propose(at)
    for (let best = queue.pop(); best; best = queue.pop()) {
      const { rank, at } = best
      if (rankAt(at) !== rank) continue
      const second = next[at]
      tokens[at] = this.merges[rank].id
      tokens[second] = -1
      next[at] = next[second]
      if (next[at] >= 0) previous[next[at]] = at
      propose(previous[at])
      propose(at)
    }
    return Array.from(tokens.filter(token => token >= 0))
  }

  /** Codes of tokens. Special tokens stand for none. @throws TokenError for tokens beyond the vocabulary */
  decode(tokens: ArrayLike<number>): number[] {
    return Array.from(tokens).flatMap((token, i) => {
      if (Number.isInteger(token) && token >= 0 && token < this.vocabSize) return this.expansions[token] ?? []
      throw new TokenError(`token ${token} at ${i} is outside the vocabulary, 0 to ${this.vocabSize - 1}`)
    })
  }

  #tokenOf(code: number, at: number): number {
    const id = this.#ids.get(code)
    if (id !== undefined) return id
    throw new TokenError(`code ${code} at ${at} has no token; this BPE knows ${this.#ids.size} codes`)
  }
}
