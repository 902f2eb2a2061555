// The same text from several mouths: what is compared, and over what a mean is taken.
import type { Corpus, FairnessEntry, Speaker } from './corpus.js'
import { normalisedEditDistance, warpedCosineDistance, withoutRepeats } from './sequences.js'

/** What of two clips is compared: the codes of a codebook, or features. */
export type View = number | 'features'

/** Two clips of one text. */
export interface RenderingPair {
  /** Indices into the speakers. */
  readonly speakers: readonly [number, number]
  readonly distance: number
}

/**
 * Distances between the clips of each text whose two speakers are `wanted` (default: different ones). Texts without such a pair
 * are left out.
 */
export function renderingPairs(
  speakers: readonly Speaker[],
  view: View,
  wanted: (a: number, b: number) => boolean = (a, b) => a !== b,
): RenderingPair[][] {
  const byText = new Map<string, { speaker: number; entry: FairnessEntry }[]>()
  speakers.forEach(({ entries }, speaker) => {
    for (const entry of entries)
      if (entry.text !== undefined && (view !== 'features' || entry.features))
        byText.set(entry.text, [...(byText.get(entry.text) ?? []), { speaker, entry }])
  })
  const pairsOf = (clips: { speaker: number; entry: FairnessEntry }[]): RenderingPair[] =>
    clips.flatMap((a, i) =>
      clips
        .slice(i + 1)
        .filter(b => wanted(a.speaker, b.speaker))
        .map(b => ({ speakers: [a.speaker, b.speaker], distance: distanceOf(a.entry, b.entry, view) })),
    )
  return [...byText.values()].map(pairsOf).filter(pairs => pairs.length > 0)
}

function distanceOf(a: FairnessEntry, b: FairnessEntry, view: View): number {
  if (view === 'features') return warpedCosineDistance(a.features!, b.features!)
  return normalisedEditDistance(withoutRepeats(a.codes[view]), withoutRepeats(b.codes[view]))
}

/** All codebooks, and features where any clip has them. */
export function viewsOf({ codebookSizes, speakers }: Corpus): View[] {
  const hasFeatures = speakers.some(({ entries }) => entries.some(({ features }) => features !== undefined))
  return [...codebookSizes.keys(), ...(hasFeatures ? (['features'] as const) : [])]
}
