import { ConfigError, TokenError } from '../../errors.js'

/** One clip of a corpus whose groups are compared. */
export interface FairnessEntry {
  /** Names the clip in errors. */
  readonly id: string
  /** Such as a language, a dialect, a gender as the corpus' authors state it. */
  readonly group: string
  /** Who speaks; a speaker belongs to one group. */
  readonly speaker: string
  /** What is said, the same string wherever the same is said; without it there are no same-text figures. */
  readonly text?: string
  /** [codebook][code]; codebooks may have different numbers of codes. */
  readonly codes: readonly ArrayLike<number>[]
  /** Codes that each codebook has; the same in all entries. */
  readonly codebookSizes: readonly number[]
  /** How good the reconstruction is, by any measures; null: the clip does not have it. */
  readonly measures?: Readonly<Record<string, number | null>>
  /** Vectors of frames, all of one length: same-text distance is taken between these too. */
  readonly features?: readonly ArrayLike<number>[]
  /** Codes of the same clip after its pitch was moved by so many semitones. */
  readonly shifted?: readonly ShiftedCodes[]
}

/** Codes of a clip whose pitch was moved. */
export interface ShiftedCodes {
  /** Not 0. */
  readonly semitones: number
  /** [codebook][code] */
  readonly codes: readonly ArrayLike<number>[]
}

/** Everything one person says. */
export interface Speaker {
  readonly name: string
  readonly group: string
  readonly entries: readonly FairnessEntry[]
}

/** Entries by group and speaker; both sorted by name, so that the order of the corpus changes nothing. */
export interface Corpus {
  readonly codebookSizes: readonly number[]
  readonly groups: readonly string[]
  readonly speakers: readonly Speaker[]
}

/**
 * @throws ConfigError for fewer than two groups, a speaker in two of them, a figure that is not finite, a text that is empty
 * @throws TokenError for clips without codes, codes out of range, or clips of different models
 */
export function arrange(entries: readonly FairnessEntry[]): Corpus {
  const codebookSizes = entries[0]?.codebookSizes ?? []
  const speakers = new Map<string, { name: string; group: string; entries: FairnessEntry[] }>()
  for (const entry of entries) {
    checkEntry(entry, codebookSizes)
    const { speaker: name, group } = entry
    const speaker = speakers.get(name) ?? { name, group, entries: [] }
    if (speaker.group !== group)
      throw new ConfigError(
        `speaker ${name} is in group ${speaker.group} and, with ${entry.id}, in ${group}; a speaker can be in one group: ` +
          'labels are shuffled over speakers',
      )
    speaker.entries.push(entry)
    speakers.set(name, speaker)
  }
  const groups = [...new Set(entries.map(({ group }) => group))].sort()
  if (groups.length < 2)
    throw new ConfigError(
      `${entries.length} clips of ${groups.length === 1 ? `one group, ${groups[0]}` : 'no group'}; fairness compares two groups or more`,
    )
  const byId = (a: FairnessEntry, b: FairnessEntry) => (a.id < b.id ? -1 : 1)
  return {
    codebookSizes,
    groups,
    speakers: [...speakers.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(speaker => ({ ...speaker, entries: speaker.entries.sort(byId) })),
  }
}

function checkEntry(entry: FairnessEntry, codebookSizes: readonly number[]): void {
  const { id, codes, measures = {}, text, shifted = [] } = entry
  if (entry.codebookSizes.join() !== codebookSizes.join())
    throw new TokenError(
      `${id} has codebooks of ${entry.codebookSizes.join(', ')} codes, the first clip of ${codebookSizes.join(', ')}; compare clips of one model`,
    )
  checkCodes(id, codes, codebookSizes)
  for (const { semitones, codes: moved } of shifted) {
    if (!Number.isFinite(semitones) || semitones === 0)
      throw new ConfigError(`${id} is shifted by ${semitones} semitones; expected a number that is not 0`)
    checkCodes(`${id} shifted by ${semitones} semitones`, moved, codebookSizes)
  }
  if (text?.trim() === '') throw new ConfigError(`${id} has an empty text; leave it out where it is unknown`)
  for (const [name, value] of Object.entries(measures))
    if (value !== null && !Number.isFinite(value))
      throw new ConfigError(
        `${name} of ${id} is ${value}; expected a finite number, or null where there is none`,
      )
}

function checkCodes(id: string, codes: readonly ArrayLike<number>[], sizes: readonly number[]): void {
  if (codes.length === 0 || codes.length !== sizes.length || codes.some(({ length }) => length === 0))
    throw new TokenError(
      `${id} has codes of ${codes.length} codebooks (${codes.map(({ length }) => length).join(', ')}) and sizes of ${sizes.length}; ` +
        'expected as many of both, with one code each at least',
    )
  for (const [codebook, row] of codes.entries())
    for (let t = 0; t < row.length; t++)
      if (!(Number.isInteger(row[t]) && row[t] >= 0 && row[t] < sizes[codebook]))
        throw new TokenError(
          `code ${row[t]} at frame ${t} of codebook ${codebook} of ${id} is out of range; expected 0 to ${sizes[codebook] - 1}`,
        )
}

/** The speakers of one group. */
export function speakersOf({ speakers }: Corpus, group: string): Speaker[] {
  return speakers.filter(speaker => speaker.group === group)
}
