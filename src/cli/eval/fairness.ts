import {
  type FairnessEntry,
  type FairnessReport,
  fairnessReport,
  normalisedWords,
} from '../../metrics/index.js'
import { UsageError } from '../environment.js'
import { type Manifest, textOf } from './manifest.js'

/** What of an evaluated clip is compared between groups. */
export interface GroupedClip {
  readonly input: string
  readonly codes: readonly ArrayLike<number>[]
  readonly codebookSizes: readonly number[]
  readonly measures: Readonly<Record<string, number | null>>
}

/** A clip that is in no group, and why. */
export interface Ungrouped {
  readonly input: string
  readonly reason: string
}

/** Differences between the groups of one column. */
export interface GroupedReport {
  readonly by: string
  readonly report: FairnessReport
  readonly ungrouped: readonly Ungrouped[]
}

/** @param measures names of those to be compared: speeds depend on the machine, not on who speaks */
export function groupedReport(
  clips: readonly GroupedClip[],
  manifest: Manifest,
  by: string,
  measures: readonly string[],
): GroupedReport {
  const { entries, ungrouped } = fairnessEntries(clips, manifest, by, measures)
  return { by, report: fairnessReport(entries), ungrouped }
}

/** Throws UsageError unless the manifest has the column that groups are taken from, and who speaks. */
export function checkGrouping({ path, columns }: Manifest, column: string): void {
  if (!columns.includes(column))
    throw new UsageError(`--group-by ${column}: ${path} has no such column, but ${columns.join(', ')}`)
  if (!columns.includes('speaker'))
    throw new UsageError(
      `--group-by ${column}: ${path} has no column 'speaker'; without it chance cannot be told, for clips of one person are not independent`,
    )
}

/**
 * Clips as `fairnessReport` takes them. Texts are equal where their words are.
 *
 * @param measures names of those to be compared: speeds depend on the machine, not on who speaks
 */
export function fairnessEntries(
  clips: readonly GroupedClip[],
  manifest: Manifest,
  column: string,
  measures: readonly string[],
): { entries: FairnessEntry[]; ungrouped: Ungrouped[] } {
  const entries: FairnessEntry[] = []
  const ungrouped: Ungrouped[] = []
  for (const clip of clips) {
    const { input, codes, codebookSizes } = clip
    const row = manifest.rowOf(input)
    const group = row?.[column]?.trim()
    const speaker = row?.speaker?.trim()
    if (!row || !group || !speaker) {
      const reason = row ? `no ${group ? 'speaker' : column} is given` : 'the manifest does not name it'
      ungrouped.push({ input, reason })
      continue
    }
    const words = normalisedWords(textOf(row) ?? '').join(' ')
    const kept = measures.map(name => [name, clip.measures[name] ?? null])
    entries.push({
      id: input,
      group,
      speaker,
      ...(words && { text: words }),
      codes,
      codebookSizes,
      measures: Object.fromEntries(kept),
    })
  }
  return { entries, ungrouped }
}
