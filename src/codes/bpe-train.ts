import { TokenError } from '../errors.js'
import { BpeCorpus, type Pair } from './bpe-corpus.js'
import { PriorityQueue } from './priority-queue.js'

/** Two tokens that become one. */
export interface BpeMerge {
  readonly left: number
  readonly right: number
  /** The token they become; two merges may make the same one (`aa` + `a` and `a` + `aa`). */
  readonly id: number
}

/** How to train. */
export interface BpeTrainOptions {
  /** Codes are 0 to alphabetSize - 1. */
  readonly alphabetSize: number
  /** Tokens in all, the alphabet included. */
  readonly vocabSize: number
  /** Pairs that are rarer are not merged (default 2). */
  readonly minFrequency?: number
  /** Most codes in a token (default: no limit). */
  readonly maxTokenLength?: number
  /** Told after every merge. */
  readonly onProgress?: (progress: { readonly vocabSize: number; readonly total: number }) => void
}

/**
 * Byte-pair encoding over codes: the most frequent pair of neighbours (overlapping ones counted, ties to the smallest tokens) becomes a
 * new token, again and again. No pair crosses from one sequence into another. The merges are those of Hugging Face tokenizers.
 *
 * @throws TokenError for codes outside the alphabet or sizes that make no sense
 */
export function trainMerges(sequences: readonly ArrayLike<number>[], options: BpeTrainOptions): BpeMerge[] {
  const { alphabetSize, vocabSize, minFrequency = 2, maxTokenLength = Number.POSITIVE_INFINITY } = options
  checkTraining(sequences, options)
  const names = Array.from({ length: alphabetSize }, (_, code) =>
    String.fromCharCode(code >>> 16, code & 0xffff),
  )
  const ids = new Map(names.map((name, id) => [name, id]))
  const corpus = new BpeCorpus(sequences, vocabSize)
  const queue = new PriorityQueue(isBefore, corpus.pairs.map(snapshot))
  const merges = new Map<Pair, BpeMerge>()
  const fits = (left: number, right: number) =>
    (names[left].length + names[right].length) / 2 <= maxTokenLength
  while (names.length < vocabSize) {
    const best = queue.pop()
    if (!best) break
    const { pair, count } = best
    if (count !== pair.count) {
      queue.push(snapshot(pair))
      continue
    }
    if (count < Math.max(1, minFrequency)) break
    const name = names[pair.left] + names[pair.right]
    const id = ids.get(name) ?? names.push(name) - 1
    ids.set(name, id)
    // A pair that is merged again takes its later rank, as upstream.
    merges.delete(pair)
    merges.set(pair, { left: pair.left, right: pair.right, id })
    for (const grown of corpus.merge(pair, id, fits)) if (grown.count > 0) queue.push(snapshot(grown))
    options.onProgress?.({ vocabSize: names.length, total: vocabSize })
  }
  return [...merges.values()]
}

/** A pair with its count when it was queued; counts change meanwhile. */
interface Candidate {
  readonly pair: Pair
  readonly count: number
}

function snapshot(pair: Pair): Candidate {
  return { pair, count: pair.count }
}

function isBefore(a: Candidate, b: Candidate): boolean {
  if (a.count !== b.count) return a.count > b.count
  return a.pair.left !== b.pair.left ? a.pair.left < b.pair.left : a.pair.right < b.pair.right
}

function checkTraining(sequences: readonly ArrayLike<number>[], options: BpeTrainOptions): void {
  const { alphabetSize, vocabSize, maxTokenLength = 2 } = options
  if (!Number.isInteger(alphabetSize) || alphabetSize < 1 || alphabetSize > 2 ** 21)
    throw new TokenError(`the alphabet has ${alphabetSize} codes, expected 1 to ${2 ** 21}`)
  if (!Number.isInteger(vocabSize) || vocabSize < alphabetSize || vocabSize > 2 ** 26)
    throw new TokenError(
      `the vocabulary has ${vocabSize} tokens, expected at least the alphabet's ${alphabetSize}`,
    )
  if (!(maxTokenLength >= 2))
    throw new TokenError(`maxTokenLength is ${maxTokenLength}, expected 2 codes or more`)
  sequences.forEach((sequence, s) => {
    for (let i = 0; i < sequence.length; i++) {
      const code = sequence[i]
      if (Number.isInteger(code) && code >= 0 && code < alphabetSize) continue
      throw new TokenError(
        `code ${code} at ${i} of sequence ${s} is outside the alphabet, 0 to ${alphabetSize - 1}`,
      )
    }
  })
}
