// What text and HTML tell of a fairness report, in words; how it is laid out is theirs.
import type { FairnessFigure, FairnessReport, GroupMean, GroupPair } from '../../metrics/index.js'
import { plural } from '../text.js'

/** How measures are called and rounded; those that are missing keep their names. */
export type MeasureLabels = Readonly<Record<string, { readonly label: string; readonly digits: number }>>

export const ETHICS =
  'Differences say how the model treats groups of voices. They must not be used to tell to what group a person belongs.'

/** A difference between two groups: name, value, interval, p. */
export type DifferenceRow = readonly [name: string, value: string, interval: string, p: string]

export const DIFFERENCE_HEADS: DifferenceRow = ['difference', 'value', '95 % interval', 'p']

/** `female (7 speakers, 14 clips), male (7 speakers, 14 clips)` */
export function groupSizes({ groups }: FairnessReport): string {
  return groups
    .map(({ name, speakers, clips }) => `${name} (${plural(speakers, 'speaker')}, ${plural(clips, 'clip')})`)
    .join(', ')
}

/** Where the numbers come from. */
export function method({ shuffles, resamples, seed }: FairnessReport): string {
  return (
    `Intervals: bootstrap over speakers, ${resamples} times. p: group labels shuffled over speakers, ${shuffles} times or in all ways ` +
    `where there are fewer (seed ${seed}); p is not corrected for the number of differences.`
  )
}

/** Pairs that can be told from their speakers, and how many cannot. */
export function comparable(report: FairnessReport): { pairs: readonly GroupPair[]; others: number } {
  const speakers = new Map(report.groups.map(group => [group.name, group.speakers]))
  const pairs = report.pairs.filter(({ groups }) => groups.every(group => speakers.get(group)! > 1))
  return { pairs, others: report.pairs.length - pairs.length }
}

/** `female - male: p from 1000 shuffles` */
export function pairHeading({ groups, permutations: { count, isExact } }: GroupPair): string {
  const source = isExact ? `all ${count} ways to share out the speakers` : `${count} shuffles`
  return `${groups[0]} beside ${groups[1]}, p from ${source}`
}

/** What differs between two groups, tokens first, then measures; and what could not be told, with reasons. */
export function differences(
  pair: GroupPair,
  report: FairnessReport,
  labels: MeasureLabels,
): { rows: DifferenceRow[]; missing: string[] } {
  const layer = (codebook: number | 'features') =>
    report.codebookSizes.length === 1 || codebook === 'features' ? '' : `, codebook ${codebook}`
  const [a, b] = pair.groups
  const figures: readonly Named[] = [
    ...pair.distribution.flatMap(({ codebook, unigram, bigram }) => [
      named(`histograms of codes, JSD${layer(codebook)}`, unigram),
      named(`histograms of neighbouring codes, JSD${layer(codebook)}`, bigram),
    ]),
    ...pair.sameText.map(({ of, gap }) =>
      named(`same text, ${of === 'features' ? 'features' : `edit distance${layer(of)}`}`, gap),
    ),
    ...pair.counterfactual.map(({ codebook, difference }) =>
      named(`codes changed per semitone${layer(codebook)}, ${a} - ${b}`, difference),
    ),
    ...pair.measures.map(({ measure, difference }) =>
      named(`${labelOf(measure, labels)}, ${a} - ${b}`, difference, labels[measure]?.digits),
    ),
  ]
  return { rows: figures.filter(isTold).map(differenceRow), missing: reasons(figures) }
}

interface Named {
  readonly name: string
  readonly figure: FairnessFigure
  readonly digits: number
}

function named(name: string, figure: FairnessFigure, digits = 3): Named {
  return { name, figure, digits }
}

function isTold({ figure }: Named): boolean {
  return figure.value !== null
}

function reasons(figures: readonly Named[]): string[] {
  return figures.filter(each => !isTold(each)).map(({ name, figure }) => `${name}: ${figure.reason}`)
}

function differenceRow({ name, figure, digits }: Named): DifferenceRow {
  const { value, interval, p, chance } = figure
  const byChance = chance === undefined ? '' : ` (by chance ${chance.toFixed(digits)})`
  return [name, value!.toFixed(digits) + byChance, showInterval(interval, digits), showP(p)]
}

/** What is told of all groups at once: name, value, interval, what no difference gives. */
export type LeakageRow = readonly [name: string, value: string, interval: string, none: string]

export const LEAKAGE_HEADS: LeakageRow = ['over all groups', 'value', '95 % interval', 'without difference']

/** The probe of each codebook, and neutral voices; and what could not be told, with reasons. */
export function leakage(report: FairnessReport): { rows: LeakageRow[]; missing: string[] } {
  const layer = (codebook: number | 'features') =>
    report.codebookSizes.length === 1
      ? ''
      : `, ${codebook === 'features' ? codebook : `codebook ${codebook}`}`
  const figures = [
    ...report.probe.map(({ codebook, groups, folds, balancedAccuracy, chance }) => {
      const about = chance === null ? '' : ` (${groups.join(', ')}; ${folds} folds)`
      const name = `balanced accuracy of a linear probe${layer(codebook)}${about}`
      return { ...named(name, balancedAccuracy, 2), none: chance?.toFixed(2) ?? '-' }
    }),
    ...report.orientation.map(({ neutral, groups: [a, b], of, value }) => ({
      ...named(`${neutral}: distance to ${a} less distance to ${b}${layer(of)}`, value),
      none: '0',
    })),
  ]
  const rows = figures
    .filter(isTold)
    .map(
      ({ name, figure: { value, interval }, digits, none }): LeakageRow => [
        name,
        value!.toFixed(digits),
        showInterval(interval, digits),
        none,
      ],
    )
  return { rows, missing: reasons(figures) }
}

export function labelOf(measure: string, labels: MeasureLabels): string {
  return labels[measure]?.label ?? measure
}

/** `0.912 (0.901 to 0.921)` */
export function showGroupMean({ mean, interval }: GroupMean, digits: number): string {
  if (mean === null) return '-'
  return mean.toFixed(digits) + (interval ? ` (${showInterval(interval, digits)})` : '')
}

export function showInterval(interval: FairnessFigure['interval'], digits: number): string {
  return interval ? interval.map(end => end.toFixed(digits)).join(' to ') : '-'
}

function showP(p: number | null): string {
  if (p === null) return '-'
  return p < 0.001 ? '< 0.001' : p.toFixed(3)
}
