// Interpolated Kneser-Ney smoothing, modified as in Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language
// Modeling": three discounts per order, lower orders from the number of different predecessors.
import { ConfigError, TokenError } from '../errors.js'
import type { CodeClips } from './tokens.js'

export interface NgramOptions {
  /** Length of an n-gram (default 3). */
  order?: number
  /** One absolute discount for all counts, between 0 and 1 (default: three, estimated from each order's counts). */
  discount?: number
}

type Discounts = readonly [one: number, two: number, more: number]

/** Used where an order has too few different counts to estimate discounts from; KenLM's fallback. */
const FALLBACK: Discounts = [0.5, 1, 1.5]

const ROOT = 0

/**
 * N-gram language model of codes: how many bits per token are left for a simple predictor. Times the token rate it compares
 * tokenizers: bits per second. Unigrams are interpolated with 1 / size, so that every code has a probability.
 */
export class NgramModel {
  readonly order: number
  readonly size: number
  readonly #children = new Map<number, number>()
  /** Per n-gram: its parent (the context), length, and count: occurrences at full length, else different predecessors. */
  readonly #parents: number[] = [-1]
  readonly #lengths: number[] = [0]
  readonly #counts: number[] = [0]
  /** Per context: sum of its children's counts, and the probability mass that discounting frees. */
  readonly #totals: Float64Array
  readonly #freed: Float64Array
  readonly #discounts: readonly Discounts[]

  /**
   * Counts `clips`, codes of one sequence each (several codebooks: flatten them); every clip begins with order - 1 marks of its start.
   * @throws ConfigError for an order below 1 or a discount outside (0, 1), TokenError for codes out of range or none
   */
  constructor(clips: CodeClips, size: number, options: NgramOptions = {}) {
    const { order = 3, discount } = options
    if (!(Number.isInteger(order) && order >= 1))
      throw new ConfigError(`n-grams of order ${order}; expected 1 or more`)
    if (discount !== undefined && !(discount > 0 && discount < 1))
      throw new ConfigError(`a discount of ${discount}; expected a number between 0 and 1`)
    this.order = order
    this.size = size
    for (const codes of clips) this.#count(codes)
    if (!clips.some(codes => codes.length > 0))
      throw new TokenError('no codes to train an n-gram model on; every clip is empty')
    this.#discounts = Array.from({ length: order }, (_, k) =>
      discount === undefined ? this.#estimated(k + 1) : ([discount, discount, discount] as const),
    )
    this.#totals = new Float64Array(this.#counts.length)
    this.#freed = new Float64Array(this.#counts.length)
    this.#normalise()
  }

  /**
   * Mean of -log2 P(code | the order - 1 before it) over all codes of `clips`; 2 to its power is the perplexity.
   * @throws TokenError for codes out of range or none
   */
  bitsPerToken(clips: CodeClips): number {
    let bits = 0
    let tokens = 0
    for (const codes of clips) {
      let contexts = this.#start()
      for (let t = 0; t < codes.length; t++) {
        const code = this.#checked(codes[t], t)
        bits -= Math.log2(this.#probability(code, contexts))
        contexts = this.#after(code, contexts)
      }
      tokens += codes.length
    }
    if (tokens === 0) throw new TokenError('no codes to measure; every clip is empty')
    return bits / tokens
  }

  /** Contexts of length 0 to order - 1 at the start of a clip; -1 for those never seen. */
  #start(): number[] {
    const contexts = [ROOT]
    for (let length = 1; length < this.order; length++)
      contexts.push(this.#child(contexts[length - 1], this.size) ?? -1)
    return contexts
  }

  #after(code: number, contexts: readonly number[]): number[] {
    const next = [ROOT]
    for (let length = 1; length < this.order; length++) {
      const context = contexts[length - 1]
      next.push(context < 0 ? -1 : (this.#child(context, code) ?? -1))
    }
    return next
  }

  #child(context: number, code: number): number | undefined {
    return this.#children.get(context * (this.size + 1) + code)
  }

  #add(context: number, code: number): number {
    const node = this.#counts.length
    this.#children.set(context * (this.size + 1) + code, node)
    this.#parents.push(context)
    this.#lengths.push(this.#lengths[context] + 1)
    this.#counts.push(0)
    return node
  }

  #checked(code: number, frame: number): number {
    if (!(Number.isInteger(code) && code >= 0 && code < this.size))
      throw new TokenError(`code ${code} at frame ${frame} is out of range; expected 0 to ${this.size - 1}`)
    return code
  }

  #count(codes: ArrayLike<number>): void {
    const contexts = [ROOT]
    for (let length = 1; length < this.order; length++) {
      const context = contexts[length - 1]
      contexts.push(this.#child(context, this.size) ?? this.#add(context, this.size))
    }
    for (let t = 0; t < codes.length; t++) {
      const code = this.#checked(codes[t], t)
      let shorter = ROOT
      for (let length = 1; length <= this.order; length++) {
        const context = contexts[length - 1]
        contexts[length - 1] = shorter
        const seen = this.#child(context, code)
        const ngram = seen ?? this.#add(context, code)
        if (seen === undefined && length > 1) this.#counts[shorter]++ // a predecessor that the shorter n-gram did not have
        if (length === this.order) this.#counts[ngram]++
        shorter = ngram
      }
    }
  }

  /** D1 = 1 - 2 Y n2 / n1 and so on, Y = n1 / (n1 + 2 n2), n_r the number of n-grams counted r times. */
  #estimated(length: number): Discounts {
    const n = [0, 0, 0, 0, 0]
    this.#counts.forEach((count, node) => {
      if (this.#lengths[node] === length && count > 0 && count < 5) n[count]++
    })
    const y = n[1] / (n[1] + 2 * n[2])
    const discounts = [1, 2, 3].map(r => r - ((r + 1) * y * n[r + 1]) / n[r])
    const sound = discounts.every((value, i) => value >= 0 && value <= i + 1)
    return sound ? (discounts as unknown as Discounts) : FALLBACK
  }

  #discount(count: number, length: number): number {
    return count === 0 ? 0 : this.#discounts[length - 1][Math.min(count, 3) - 1]
  }

  #normalise(): void {
    for (let node = 1; node < this.#counts.length; node++) {
      const context = this.#parents[node]
      this.#totals[context] += this.#counts[node]
      this.#freed[context] += this.#discount(this.#counts[node], this.#lengths[node])
    }
  }

  /** From the shortest context to the longest that was seen. */
  #probability(code: number, contexts: readonly number[]): number {
    let probability = 1 / this.size
    for (const [length, context] of contexts.entries()) {
      if (context < 0 || this.#totals[context] === 0) break
      const ngram = this.#child(context, code)
      const count = ngram === undefined ? 0 : this.#counts[ngram]
      const kept = Math.max(0, count - this.#discount(count, length + 1))
      probability = (kept + this.#freed[context] * probability) / this.#totals[context]
    }
    return probability
  }
}
