import { stretch } from './logistic.js'

/** How far a probability moves towards the bit that came, of 16384: 1 / (n + 1.5) after n bits. */
const RATE = /* @__PURE__ */ Uint16Array.from({ length: 256 }, (_, n) => Math.floor(32768 / (2 * n + 3)))

/** Probability 1/2 (22 bits above) after no bits (10 bits below). */
const FRESH = (1 << 31) >>> 0
const COUNT = 1023

/** Classes of how often a context was seen. */
const CONFIDENCE = /* @__PURE__ */ Uint8Array.from({ length: 256 }, (_, n) =>
  n === 0 ? 0 : n < 3 ? 1 : n < 12 ? 2 : 3,
)

function learnt(state: number, bit: number, memory: number): number {
  const probability = state >>> 10
  const count = state & COUNT
  // 17 bits times 14 bits fit 32.
  const change = (((bit * 0x3fffff - probability) >> 5) * RATE[count]) >> 9
  return (((probability + change) << 10) | Math.min(count + 1, memory)) >>> 0
}

/** Whether a bit is the one of the last code, while all bits above it were. */
export class RepeatTable {
  /** Log odds * 256 of a 1 where `look` looked last; 0 says nothing. */
  logOdds = 0
  readonly #states: Uint32Array
  readonly #contexts: number
  readonly #memory: number
  #context = 0
  #slot = -1

  /** @param contexts values of `choose`'s context */
  constructor(codebooks: number, contexts: number, memory: number) {
    this.#states = new Uint32Array(codebooks * contexts * REPEAT_SLOTS)
    this.#contexts = contexts
    this.#memory = memory
  }

  choose(codebook: number, context: number): void {
    this.#context = (codebook * this.#contexts + context) * REPEAT_SLOTS
  }

  /** Looks at the bit at `shift` of the last code. */
  look(shift: number, bit: number): void {
    this.#slot = this.#context + 2 * shift + bit
    this.logOdds = stretch((this.#states[this.#slot] || FRESH) >>> 16)
  }

  /** Says nothing about the next bit, and learns nothing from it. */
  lookAway(): void {
    this.#slot = -1
    this.logOdds = 0
  }

  learn(bit: number): void {
    if (this.#slot >= 0)
      this.#states[this.#slot] = learnt(this.#states[this.#slot] || FRESH, bit, this.#memory)
  }
}

/** Two for each of 16 bits. */
const REPEAT_SLOTS = 32

/** The next four bits of a context: a check of the context, then the 15 nodes of their tree, side by side for the cache. */
const BUCKET = 16

/** Probabilities of bits in contexts that are found by a hash; of two candidates with other contents the one seen less gives way. */
export class ContextTable {
  /** Log odds * 256 of a 1 where `look` looked last. */
  logOdds = 0
  readonly #states: Uint32Array
  readonly #shift: number
  readonly #memory: number
  #context = 0
  #bucket = 0
  #slot = 0

  /**
   * @param bits log2 of the slots, at least 6
   * @param memory bits that a probability is the mean of, at most 255
   */
  constructor(bits: number, memory: number) {
    this.#states = new Uint32Array(1 << bits)
    this.#shift = 32 - (bits - Math.log2(BUCKET))
    this.#memory = memory
  }

  /** Chooses the context of the next looks. */
  choose(codebook: number, first: number, second: number): void {
    const one = Math.imul(first, 0x9e3779b1) ^ Math.imul(codebook + 1, 0x85ebca6b)
    this.#context = Math.imul(one ^ (one >>> 15), 0xc2b2ae35) ^ Math.imul(second, 0x27d4eb2f)
  }

  /** Goes on to the four bits that follow those in `node`. */
  enter(node: number): void {
    let hash = Math.imul(this.#context ^ Math.imul(node, 0x2c1b3c6d), 0x297a2d39)
    hash = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1)
    // The check takes the low bits, the place the high ones; 0 is an empty bucket.
    this.#bucket = this.#find((hash >>> this.#shift) * BUCKET, (hash & 0xffff) | 0x10000)
  }

  /** Looks at a node of the four bits, 1 to 15. @returns how often it was seen, in classes 0 to 3 */
  look(node: number): number {
    this.#slot = this.#bucket + node
    const state = this.#states[this.#slot] || FRESH
    this.logOdds = stretch(state >>> 16)
    return CONFIDENCE[state & COUNT]
  }

  learn(bit: number): void {
    this.#states[this.#slot] = learnt(this.#states[this.#slot] || FRESH, bit, this.#memory)
  }

  #find(bucket: number, check: number): number {
    const states = this.#states
    if (states[bucket] === check) return bucket
    const neighbour = bucket ^ BUCKET
    if (states[neighbour] === check) return neighbour
    const isRarer = (states[neighbour + 1] & COUNT) < (states[bucket + 1] & COUNT)
    const chosen = isRarer ? neighbour : bucket
    if (states[chosen] !== 0) states.fill(0, chosen, chosen + BUCKET)
    states[chosen] = check
    return chosen
  }
}
