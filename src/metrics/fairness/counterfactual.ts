import { ConfigError, TokenError } from '../../errors.js'
import type { Corpus, FairnessEntry, ShiftedCodes } from './corpus.js'
import { speakersOf } from './corpus.js'
import { type GroupMean, groupMean } from './means.js'
import type { Resampling } from './resampling.js'
import { normalisedEditDistance } from './sequences.js'

/** How much of the tokens changes when nothing but the pitch does. */
export interface ShiftSensitivity {
  /** By semitones. */
  readonly curve: readonly {
    readonly semitones: number
    /** [codebook] normalised edit distance to the codes of the unshifted clip, 0 to 1. */
    readonly changed: readonly number[]
  }[]
  /** [codebook] slope of the line through 0 and no change that fits best (least squares), per semitone. */
  readonly perSemitone: readonly number[]
}

/**
 * Change of a clip's codes with the shift of its pitch. The curve bends, and codes change for shifts that nobody hears too: compare slopes of
 * the same shifts only.
 * @throws ConfigError without a shift, TokenError where the numbers of codebooks differ
 */
export function shiftSensitivity(
  codes: readonly ArrayLike<number>[],
  shifted: readonly ShiftedCodes[],
): ShiftSensitivity {
  if (shifted.length === 0 || shifted.some(({ semitones }) => !(Math.abs(semitones) > 0)))
    throw new ConfigError(
      `shifts of ${shifted.map(({ semitones }) => semitones).join(', ') || 'nothing'}; expected one at least, none of 0 semitones`,
    )
  const curve = [...shifted]
    .sort((a, b) => a.semitones - b.semitones)
    .map(({ semitones, codes: moved }) => {
      if (moved.length !== codes.length)
        throw new TokenError(
          `${codes.length} codebooks, ${moved.length} when shifted by ${semitones} semitones`,
        )
      return { semitones, changed: codes.map((row, q) => normalisedEditDistance(row, moved[q])) }
    })
  const squares = curve.reduce((sum, { semitones }) => sum + semitones ** 2, 0)
  const perSemitone = codes.map(
    (_, q) =>
      curve.reduce((sum, { semitones, changed }) => sum + Math.abs(semitones) * changed[q], 0) / squares,
  )
  return { curve, perSemitone }
}

/** Sensitivity of one codebook, by group. */
export interface GroupSensitivity {
  readonly codebook: number
  readonly perSemitone: readonly GroupMean[]
  readonly curve: readonly { readonly semitones: number; readonly groups: readonly GroupMean[] }[]
}

/** Sensitivities of the entries that have shifted codes. */
export function sensitivities({ speakers }: Corpus): Map<FairnessEntry, ShiftSensitivity> {
  const entries = speakers.flatMap(speaker => speaker.entries)
  const found = new Map<FairnessEntry, ShiftSensitivity>()
  for (const entry of entries)
    if (entry.shifted?.length) found.set(entry, shiftSensitivity(entry.codes, entry.shifted))
  return found
}

export function groupSensitivity(
  corpus: Corpus,
  found: ReadonlyMap<FairnessEntry, ShiftSensitivity>,
  codebook: number,
  resampling: Resampling,
): GroupSensitivity {
  const shifts = [...found.values()].flatMap(({ curve }) => curve.map(({ semitones }) => semitones))
  const means = (measure: (sensitivity: ShiftSensitivity) => number | undefined) =>
    corpus.groups.map(group =>
      groupMean(
        group,
        speakersOf(corpus, group),
        entry => {
          const sensitivity = found.get(entry)
          return (sensitivity && measure(sensitivity)) ?? null
        },
        resampling,
      ),
    )
  return {
    codebook,
    perSemitone: means(({ perSemitone }) => perSemitone[codebook]),
    curve: [...new Set(shifts)]
      .sort((a, b) => a - b)
      .map(wanted => ({
        semitones: wanted,
        groups: means(({ curve }) => curve.find(({ semitones }) => semitones === wanted)?.changed[codebook]),
      })),
  }
}
