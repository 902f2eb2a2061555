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

/**
 * Throws TokenError or ConfigError where what is left of the groups cannot be compared.
 *
 * @param measures names of those to be compared: speeds depend on the machine, not on who speaks
 */
export function groupedReport(
  clips: readonly GroupedClip[],
  manifest: Manifest,
  by: string,
  measures: readonly string[],
): GroupedReport {
  const { entries, ungrouped } = fairnessEntries(clips, manifest, by, measures)
  return { by, report: fairnessReport(entries), ungrouped }
}

/** Throws UsageError unless the manifest has the column that groups are taken from, who speaks, and two groups of these files. */
export function checkGrouping(manifest: Manifest, column: string, inputs: readonly string[]): void {
  const { path, columns } = manifest
  if (!columns.includes(column))
    throw new UsageError(`--group-by ${column}: ${path} has no such column, but ${columns.join(', ')}`)
  if (!columns.includes('speaker'))
    throw new UsageError(
      `--group-by ${column}: ${path} has no column 'speaker'; without it chance cannot be told, for clips of one person are not independent`,
    )
  const groupOf = new Map<string, string>()
  for (const input of inputs) {
    const row = manifest.rowOf(input)
    const group = row?.[column]?.trim()
    const speaker = row?.speaker?.trim()
    if (!group || !speaker) continue
    const other = groupOf.get(speaker) ?? group
    if (other !== group)
      throw new UsageError(`--group-by ${column}: speaker ${speaker} is in the groups ${other} and ${group}`)
    groupOf.set(speaker, group)
  }
  const groups = [...new Set(groupOf.values())]
  if (groups.length < 2)
    throw new UsageError(
      `--group-by ${column}: the files are in ${groups.length === 0 ? 'no group' : `one group, ${groups[0]}`}; two are needed`,
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
