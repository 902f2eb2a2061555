import { ConfigError } from '../errors.js'

/** Smallest number of edits that turn the reference into the hypothesis. */
export interface Edits {
  readonly substitutions: number
  readonly deletions: number
  readonly insertions: number
  /** Elements of the reference. */
  readonly length: number
}

/** Lower case, letters, digits and apostrophes kept, everything else a gap between words. */
export function normalisedWords(text: string): string[] {
  return (
    text
      .toLowerCase()
      .normalize('NFKC')
      .match(/[\p{L}\p{M}\p{N}']+/gu) ?? []
  )
}

/** Levenshtein's alignment. Of equally short ones, the one with most substitutions, then deletions. */
export function edits(reference: readonly string[], hypothesis: readonly string[]): Edits {
  type Cell = readonly [cost: number, substitutions: number, deletions: number, insertions: number]
  let row: Cell[] = hypothesis.map((_, j): Cell => [j + 1, 0, 0, j + 1])
  row.unshift([0, 0, 0, 0])
  for (const [i, word] of reference.entries()) {
    const next: Cell[] = [[i + 1, 0, i + 1, 0]]
    for (const [j, other] of hypothesis.entries()) {
      const [diagonal, above, left] = [row[j], row[j + 1], next[j]]
      const differ = word === other ? 0 : 1
      if (diagonal[0] + differ <= Math.min(above[0], left[0]) + 1)
        next.push([diagonal[0] + differ, diagonal[1] + differ, diagonal[2], diagonal[3]])
      else if (above[0] <= left[0]) next.push([above[0] + 1, above[1], above[2] + 1, above[3]])
      else next.push([left[0] + 1, left[1], left[2], left[3] + 1])
    }
    row = next
  }
  const [, substitutions, deletions, insertions] = row[hypothesis.length]
  return { substitutions, deletions, insertions, length: reference.length }
}

/**
 * Errors per element of the reference over several utterances: (S + D + I) / N.
 * @throws ConfigError where the references are empty
 */
export function errorRate(utterances: readonly Edits[]): number {
  const length = utterances.reduce((sum, each) => sum + each.length, 0)
  if (length === 0)
    throw new ConfigError('the reference texts have no words; an error rate needs one at least')
  const errors = utterances.map(each => each.substitutions + each.deletions + each.insertions)
  return errors.reduce((sum, count) => sum + count, 0) / length
}

/** Word error rate of normalised texts. With transcripts of decoded and original audio it is the differential WER. */
export function wordErrorRate(reference: string, hypothesis: string): number {
  return errorRate([edits(normalisedWords(reference), normalisedWords(hypothesis))])
}

/** Character error rate of normalised texts, one space between words. */
export function characterErrorRate(reference: string, hypothesis: string): number {
  const characters = (text: string) => [...normalisedWords(text).join(' ')]
  return errorRate([edits(characters(reference), characters(hypothesis))])
}
