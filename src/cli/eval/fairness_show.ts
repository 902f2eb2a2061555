import type { FairnessReport } from '../../metrics/index.js'
import { plural, showGrid } from '../text.js'
import {
  comparable,
  DIFFERENCE_HEADS,
  differences,
  ETHICS,
  groupSizes,
  LEAKAGE_HEADS,
  labelOf,
  leakage,
  type MeasureLabels,
  method,
  pairHeading,
  showGroupMean,
} from './fairness_rows.js'

/** A fairness report for a terminal; `by` names what the groups are taken from. */
export function fairnessText(report: FairnessReport, by: string, labels: MeasureLabels = {}): string {
  const { pairs, others } = comparable(report)
  const leftOut =
    others > 0
      ? [
          `${plural(others, 'pair')} of groups not shown: a group of one speaker cannot be told from the person`,
        ]
      : []
  const all = leakage(report)
  return [
    `fairness by ${by}: ${groupSizes(report)}`,
    ...(report.means.length > 0 ? [indented(meansGrid(report, labels))] : []),
    ...pairs.flatMap(pair => {
      const { rows, missing } = differences(pair, report, labels)
      return [pairHeading(pair), indented([DIFFERENCE_HEADS, ...rows]), ...missing.map(notTold)]
    }),
    ...(all.rows.length > 0 ? [indented([LEAKAGE_HEADS, ...all.rows])] : []),
    ...all.missing.map(notTold),
    ...leftOut,
    method(report),
    ETHICS,
  ].join('\n')
}

function notTold(reason: string): string {
  return `  ${reason}`
}

function meansGrid({ groups, means }: FairnessReport, labels: MeasureLabels): string[][] {
  const rows = means.map(({ measure, groups: each }) => [
    labelOf(measure, labels),
    ...each.map(mean => showGroupMean(mean, labels[measure]?.digits ?? 3)),
  ])
  return [['mean (95 % interval)', ...groups.map(({ name }) => name)], ...rows]
}

function indented(rows: readonly (readonly string[])[]): string {
  return showGrid(rows).replace(/^/gm, '  ')
}
