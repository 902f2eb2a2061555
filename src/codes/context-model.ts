import { ContextTable, RepeatTable } from './context-table.js'
import { squash } from './logistic.js'
import type { BitCoder } from './range-coder.js'

/** How many earlier codes predict the next: 0, 1 or 2. */
export type ContextOrder = 0 | 1 | 2

/** Most bits that a count remembers. The quick one follows what a speaker does now: 9.14 -> 9.05 bits per code of the default model. */
const STEADY = 255
const QUICK = 6

/** Places of the tables: every order has the first two. */
const USUAL = 0
const RECENT = 1
const BEFORE = 2
const BOTH = 3
const ABOVE = 4

/** Longer runs of one code are taken together. */
const LONGEST_RUN = 3

/** Weights of the mixer have 14 fractional bits and stay within 8, so that sums of six products fit 32 bits. */
const WEIGHT_LIMIT = (1 << 16) - 1
const INITIAL_WEIGHT = 6554 // 0.4
const LEARNING_SHIFT = 16

/**
 * Predicts codes bit by bit, most significant first: adaptive counts in several contexts, mixed in the logistic domain (Mahoney 2005,
 * "Adaptive weighing of context models for lossless data compression"). Integers alone, so encoder and decoder agree on every engine.
 *
 * Contexts of every order: the bits of this code so far, with a long and with a short memory, and whether the last code goes on.
 * Order 1 adds the code before it; order 2 adds that code and the one before, or in deeper codebooks the code of the codebook above in
 * the same frame, also alone.
 */
export class ContextModel {
  readonly #widths: readonly number[]
  readonly #tables: ContextTable[]
  readonly #repeat: RepeatTable
  /** [codebook][set][tables and repeat] */
  readonly #weights: Int32Array
  readonly #sets: number
  /** Codes of the last and the second last frame, and how often the last were repeated. */
  #last: Uint16Array
  #secondLast: Uint16Array
  readonly #runs: Uint8Array

  constructor(widths: readonly number[], tableBits: number, order: ContextOrder) {
    this.#widths = widths
    const count = order === 0 ? BEFORE : order === 1 ? BOTH : widths.length > 1 ? ABOVE + 1 : ABOVE
    this.#tables = Array.from(
      { length: count },
      (_, i) => new ContextTable(tableBits, i === RECENT ? QUICK : STEADY),
    )
    this.#repeat = new RepeatTable(widths.length, LONGEST_RUN + 1, STEADY)
    this.#sets = 2 * 4 ** (count - BEFORE)
    this.#weights = new Int32Array(widths.length * this.#sets * (count + 1)).fill(INITIAL_WEIGHT)
    this.#last = new Uint16Array(widths.length)
    this.#secondLast = new Uint16Array(widths.length)
    this.#runs = new Uint8Array(widths.length)
  }

  /** Codes one frame through `coder`, which brings the codes to `frame` or takes them from it. */
  code(frame: Uint16Array, coder: BitCoder): void {
    for (let codebook = 0; codebook < frame.length; codebook++) {
      this.#chooseContexts(codebook, frame)
      frame[codebook] = this.#codeOne(codebook, frame[codebook], coder)
      const isRepeat = frame[codebook] === this.#last[codebook]
      this.#runs[codebook] = isRepeat ? Math.min(this.#runs[codebook] + 1, LONGEST_RUN) : 0
    }
    const free = this.#secondLast
    this.#secondLast = this.#last
    this.#last = free
    free.set(frame)
  }

  #chooseContexts(codebook: number, frame: Uint16Array): void {
    const tables = this.#tables
    const before = this.#last[codebook] + 1
    // Codebook 0 has none above it; there, the second last frame takes that place.
    const other = codebook === 0 ? this.#secondLast[0] + 1 : frame[codebook - 1] + 1
    tables[USUAL].choose(codebook, 0, 0)
    tables[RECENT].choose(codebook, 0, 0)
    this.#repeat.choose(codebook, this.#runs[codebook])
    tables[BEFORE]?.choose(codebook, before, 0)
    tables[BOTH]?.choose(codebook, before, other)
    tables[ABOVE]?.choose(codebook, 0, other)
  }

  #codeOne(codebook: number, code: number, coder: BitCoder): number {
    const width = this.#widths[codebook]
    const tables = this.#tables
    const last = this.#last[codebook] | (1 << width)
    let node = 1
    for (let shift = width - 1; shift >= 0; shift--) {
      const bitOfFour = (width - 1 - shift) % 4
      if (bitOfFour === 0) for (const table of tables) table.enter(node)
      const inner = (1 << bitOfFour) | (node & ((1 << bitOfFour) - 1))
      const follows = last >>> (shift + 1) === node
      if (follows) this.#repeat.look(shift, (last >>> shift) & 1)
      else this.#repeat.lookAway()
      let set = follows ? 1 : 0
      for (let i = 0; i < tables.length; i++) {
        const confidence = tables[i].look(inner)
        if (i >= BEFORE) set = 4 * set + confidence
      }
      const weightsAt = (codebook * this.#sets + set) * (tables.length + 1)
      const probability = this.#mix(weightsAt)
      const bit = coder.code((code >>> shift) & 1, probability)
      this.#learn(weightsAt, bit, probability)
      node = 2 * node + bit
    }
    return node - (1 << width)
  }

  #mix(weightsAt: number): number {
    const tables = this.#tables
    let sum = Math.imul(this.#weights[weightsAt + tables.length], this.#repeat.logOdds)
    for (let i = 0; i < tables.length; i++) sum += Math.imul(this.#weights[weightsAt + i], tables[i].logOdds)
    return squash(sum >> 14)
  }

  #learn(weightsAt: number, bit: number, probability: number): void {
    const tables = this.#tables
    const error = (bit << 16) - probability
    for (let i = 0; i < tables.length; i++) {
      this.#adjust(weightsAt + i, tables[i].logOdds, error)
      tables[i].learn(bit)
    }
    this.#adjust(weightsAt + tables.length, this.#repeat.logOdds, error)
    this.#repeat.learn(bit)
  }

  #adjust(at: number, logOdds: number, error: number): void {
    const weight = this.#weights[at] + (Math.imul(logOdds, error) >> LEARNING_SHIFT)
    this.#weights[at] = Math.max(-WEIGHT_LIMIT, Math.min(WEIGHT_LIMIT, weight))
  }
}
