import type { FairnessReport, GroupMean } from '../../../metrics/index.js'
import { escapeXml } from '../../../plots/index.js'
import { plural } from '../../text.js'
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
  showInterval,
} from '../fairness_rows.js'
import { paragraph, section, table } from './parts.js'

/** A fairness report as a section of the page; `by` names what the groups are taken from. */
export function fairnessSection(report: FairnessReport, by: string, labels: MeasureLabels = {}): string {
  const { pairs, others } = comparable(report)
  const all = leakage(report)
  const plots = report.means.map(({ measure, groups }) => dotPlot(measure, groups, labels))
  return section(
    `Fairness by ${by}`,
    [
      paragraph(`${groupSizes(report)}. ${method(report)} ${ETHICS}`),
      ...(plots.length > 0 ? [`<div class="panels">${plots.join('\n')}</div>`] : []),
      ...pairs.flatMap(pair => {
        const { rows, missing } = differences(pair, report, labels)
        return [
          `<h3>${escapeXml(pairHeading(pair))}</h3>`,
          table(DIFFERENCE_HEADS, rows),
          ...missing.map(reason => paragraph(`${reason}.`)),
        ]
      }),
      ...(all.rows.length > 0 ? [table(LEAKAGE_HEADS, all.rows)] : []),
      ...all.missing.map(reason => paragraph(`${reason}.`)),
      ...(others > 0
        ? [
            paragraph(
              `${plural(others, 'pair')} of groups not shown: a group of one speaker cannot be told from the person.`,
            ),
          ]
        : []),
    ].join('\n'),
  )
}

const WIDTH = 300
const NAMES = 96
const RIGHT = 14
const ROW = 22
const AXIS = 30
/** Characters of a group's name that fit. */
const NAME_LENGTH = 14

/** Means of every group as dots, their intervals as lines, over one axis. Colours are the page's. */
function dotPlot(measure: string, groups: readonly GroupMean[], labels: MeasureLabels): string {
  const digits = labels[measure]?.digits ?? 3
  const shown = groups.filter(({ mean }) => mean !== null)
  const label = escapeXml(labelOf(measure, labels))
  if (shown.length === 0) return `<figure><figcaption>${label}: no clip has it</figcaption></figure>`
  const ends = shown.flatMap(({ mean, interval }) => [mean!, ...(interval ?? [])])
  const [low, high] = [Math.min(...ends), Math.max(...ends)]
  const span = high - low || 1
  const x = (value: number) => Number((NAMES + ((WIDTH - NAMES - RIGHT) * (value - low)) / span).toFixed(1))
  const rows = shown.map((group, row) => {
    const y = ROW * row + ROW / 2
    const { mean, interval } = group
    const line = interval
      ? `<line class="axis" stroke-width="3" x1="${x(interval[0])}" x2="${x(interval[1])}" y1="${y}" y2="${y}"/>`
      : ''
    const name = group.group.length > NAME_LENGTH ? `${group.group.slice(0, NAME_LENGTH - 1)}…` : group.group
    return (
      `<text x="${NAMES - 10}" y="${y + 4}" text-anchor="end">${escapeXml(name)}</text>${line}` +
      `<circle class="bar" cx="${x(mean!)}" cy="${y}" r="4.5"><title>${escapeXml(`${group.group}: ${showGroupMean(group, digits)}`)}</title></circle>`
    )
  })
  const floor = ROW * shown.length + 4
  const words = shown.map(group => `${group.group} ${showGroupMean(group, digits)}`).join(', ')
  const [first, last] = showInterval([low, high], digits).split(' to ')
  return (
    `<figure><figcaption>${label}</figcaption>\n` +
    `<svg viewBox="0 0 ${WIDTH} ${floor + AXIS}" width="${WIDTH}" height="${floor + AXIS}" role="img" ` +
    `aria-label="${label} by group: ${escapeXml(words)}">${rows.join('')}` +
    `<line class="axis" x1="${NAMES - 4}" x2="${WIDTH - RIGHT + 4}" y1="${floor}" y2="${floor}"/>` +
    `<text class="soft" x="${x(low)}" y="${floor + 16}">${first}</text>` +
    `<text class="soft" x="${x(high)}" y="${floor + 16}" text-anchor="end">${high > low ? last : ''}</text></svg></figure>`
  )
}
