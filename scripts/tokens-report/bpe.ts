import { TokenBpe } from '../../src/codes/index.js'
import { random } from '../../tests/support/random.js'
import type { Corpus } from './coding.js'
import { table } from './format.js'

const EXTRA = [512, 2048, 4096]

/** Codes per token on clips that were not trained on, by vocabulary. */
export function bpeTable(corpora: readonly Corpus[]): string {
  const rows = corpora.flatMap(({ name, clips, size, frameRate }) =>
    EXTRA.flatMap(extra => {
      const trained = clips.filter((_, i) => i % 2 === 0)
      const unseen = clips.filter((_, i) => i % 2 === 1)
      const bpe = TokenBpe.train(trained, { alphabetSize: size, vocabSize: size + extra })
      if (bpe.merges.length < extra && extra !== EXTRA[0] && bpe.merges.length <= extra / 2) return []
      const perToken = (list: readonly number[][]) =>
        list.flat().length / list.reduce((sum, clip) => sum + bpe.encode(clip).length, 0)
      const bits = Math.ceil(Math.log2(bpe.vocabSize))
      const [seen, fresh] = [perToken(trained), perToken(unseen)]
      const rate = frameRate / fresh
      return [
        [
          name,
          String(bpe.merges.length),
          seen.toFixed(2),
          fresh.toFixed(2),
          rate.toFixed(1),
          (rate * bits).toFixed(0),
        ],
      ]
    }),
  )
  const head = [
    'corpus',
    'merges',
    'codes per token, trained on',
    'not trained on',
    'tokens/s',
    'bit/s, whole bits',
  ]
  return `Trained on every other clip; pairs seen once are not merged.\n\n${table(head, rows)}`
}

/** Time for a million codes, drawn so that each follows one that it follows in the corpus. */
export function bpeTiming({ clips, size }: Corpus): string {
  const followers = new Map<number, number[]>()
  for (const clip of clips)
    for (let i = 1; i < clip.length; i++)
      followers.set(clip[i - 1], [...(followers.get(clip[i - 1]) ?? []), clip[i]])
  const next = random(1)
  const pick = (list: readonly number[]) => list[Math.floor(((next() + 1) / 2) * list.length)]
  const all = clips.flat()
  const sequences = Array.from({ length: 2000 }, () => {
    const sequence = [pick(all)]
    while (sequence.length < 500) sequence.push(pick(followers.get(sequence[sequence.length - 1]) ?? all))
    return sequence
  })
  const start = performance.now()
  const bpe = TokenBpe.train(sequences, { alphabetSize: size, vocabSize: 2 * size })
  const trained = performance.now()
  for (const sequence of sequences) bpe.encode(sequence)
  const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(1)
  return `A million codes: ${bpe.merges.length} merges learnt in ${seconds(start, trained)} s, encoded in ${seconds(trained, performance.now())} s.`
}
