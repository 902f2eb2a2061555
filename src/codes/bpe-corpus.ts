/** A pair of neighbouring tokens, how often it was counted, and where it is. */
export interface Pair {
  readonly left: number
  readonly right: number
  count: number
  /** First and last position in a chain through `nextSame`; -1 for none. */
  head: number
  tail: number
}

const NONE = -1

/**
 * All training sequences as linked tokens, with a chain of positions per pair, so that a merge touches nothing but the places where
 * its pair stands.
 */
export class BpeCorpus {
  readonly #tokens: Int32Array
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly #nextSame: Int32Array
  readonly #previousSame: Int32Array
  /** The pair that starts at each position. */
  readonly #pairAt: (Pair | undefined)[]
  readonly #pairs = new Map<number, Pair>()
  readonly #keyStep: number

  /** @param vocabSize more than any token that will come up */
  constructor(sequences: readonly ArrayLike<number>[], vocabSize: number) {
    const length = sequences.reduce((sum, sequence) => sum + sequence.length, 0)
    this.#keyStep = vocabSize
    this.#tokens = new Int32Array(length)
    this.#next = new Int32Array(length).fill(NONE)
    this.#previous = new Int32Array(length).fill(NONE)
    this.#nextSame = new Int32Array(length)
    this.#previousSame = new Int32Array(length)
    this.#pairAt = new Array(length)
    let at = 0
    for (const sequence of sequences) {
      this.#tokens.set(sequence, at)
      for (const end = at + sequence.length - 1; at < end; at++) {
        this.#next[at] = at + 1
        this.#previous[at + 1] = at
        this.#attach(at).count++
      }
      if (sequence.length > 0) at++
    }
  }

  /** Every pair that was ever seen. */
  get pairs(): Pair[] {
    return [...this.#pairs.values()]
  }

  /**
   * Replaces a pair by a token everywhere, in each sequence from left to right.
   *
   * The pair's own count stays as it was, as in Hugging Face tokenizers; overlapping neighbours (`aaa`) take from it.
   *
   * @param allows whether a new pair may ever be merged; others are not counted
   * @returns the pairs that became more frequent
   */
  merge(pair: Pair, token: number, allows: (left: number, right: number) => boolean): Set<Pair> {
    const grown = new Set<Pair>()
    const join = (at: number) => {
      if (!allows(this.#tokens[at], this.#tokens[this.#next[at]])) return
      const joined = this.#attach(at)
      joined.count++
      grown.add(joined)
    }
    for (const at of this.#positions(pair)) {
      if (this.#pairAt[at] !== pair) continue
      const second = this.#next[at]
      const before = this.#previous[at]
      const after = this.#next[second]
      this.#detach(at)
      if (before !== NONE) this.#lose(before)
      if (after !== NONE) this.#lose(second)
      this.#tokens[at] = token
      this.#next[at] = after
      if (after !== NONE) this.#previous[after] = at
      if (before !== NONE) join(before)
      if (after !== NONE) join(at)
    }
    return grown
  }

  #positions(pair: Pair): number[] {
    const positions: number[] = []
    for (let at = pair.head; at !== NONE; at = this.#nextSame[at]) positions.push(at)
    // Chains grow in order except where two merges make the same token.
    return positions.sort((a, b) => a - b)
  }

  #lose(at: number): void {
    const pair = this.#detach(at)
    if (pair) pair.count--
  }

  /** Puts the pair that starts at a position into its chain. */
  #attach(at: number): Pair {
    const left = this.#tokens[at]
    const right = this.#tokens[this.#next[at]]
    const key = left * this.#keyStep + right
    let pair = this.#pairs.get(key)
    if (!pair) this.#pairs.set(key, (pair = { left, right, count: 0, head: NONE, tail: NONE }))
    this.#previousSame[at] = pair.tail
    this.#nextSame[at] = NONE
    if (pair.tail === NONE) pair.head = at
    else this.#nextSame[pair.tail] = at
    pair.tail = at
    this.#pairAt[at] = pair
    return pair
  }

  #detach(at: number): Pair | undefined {
    const pair = this.#pairAt[at]
    if (!pair) return undefined
    const before = this.#previousSame[at]
    const after = this.#nextSame[at]
    if (before === NONE) pair.head = after
    else this.#nextSame[before] = after
    if (after === NONE) pair.tail = before
    else this.#previousSame[after] = before
    this.#pairAt[at] = undefined
    return pair
  }
}
