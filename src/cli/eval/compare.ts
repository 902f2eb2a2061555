import { bootstrapMean, type Mean } from './bootstrap.js'
import type { Evaluation } from './clip.js'
import { type MeasureTable, qualities } from './measures.js'

/** How much another system differs from the first on the same clips. */
export interface Difference {
  readonly system: string
  readonly from: string
  /** Means of (this - first) over the clips that both have, whose interval is that of the pairs. */
  readonly measures: Readonly<Record<string, Mean>>
}

/** Paired differences of every system from the first; speeds are no part of it. */
export function differences(groups: readonly (readonly Evaluation[])[], table: MeasureTable): Difference[] {
  const [first, ...others] = groups
  const base = new Map(first.map(clip => [clip.input, clip]))
  return others.map(clips => ({
    system: clips[0].system,
    from: first[0].system,
    measures: Object.fromEntries(
      qualities(table).flatMap(name => {
        const mean = difference(name, base, clips)
        return mean ? [[name, mean]] : []
      }),
    ),
  }))
}

function difference(
  name: string,
  base: ReadonlyMap<string, Evaluation>,
  clips: readonly Evaluation[],
): Mean | undefined {
  const pairs = clips.flatMap(clip => {
    const before = base.get(clip.input)?.measures[name] ?? null
    const after = clip.measures[name] ?? null
    return before === null || after === null
      ? []
      : [{ change: after - before, words: clip.words?.[name] ?? 1 }]
  })
  return bootstrapMean(
    pairs.map(({ change }) => change),
    pairs.map(({ words }) => words),
  )
}
