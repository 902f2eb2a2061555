import { escapeXml } from '../../../plots/index.js'
import type { Difference } from '../compare.js'
import type { MeasureTable } from '../measures.js'
import { showDifference, showMean, showMeasure } from '../show.js'
import type { Report, Summary } from '../summary.js'
import { type PanelSeries, panel } from './panel.js'
import { section, table } from './parts.js'
import { COLOURS } from './style.js'

/** Rates that lie further apart than this are drawn on a logarithmic axis. */
const WIDE = 8

/** What several systems' reports begin with: quality against bitrate, all measures beside each other, differences clip by clip. */
export function comparison(report: Report): string {
  return [
    section('Quality and bitrate', tradeoffs(report)),
    section('Side by side', sideBySide(report)),
    ...report.differences.map(one => differenceSection(one, report.table)),
  ].join('\n')
}

function tradeoffs({ systems, table }: Report): string {
  const summaries = systems.map(({ summary }) => summary)
  const models = [...new Set(summaries.map(modelOf))]
  const rates = summaries.map(({ bitsPerSecond }) => bitsPerSecond)
  const isLogarithmic = Math.max(...rates) > WIDE * Math.min(...rates)
  const panels = Object.entries(table).flatMap(([name, measure]) => {
    const having = summaries.filter(({ measures }) => measures[name])
    if (measure.isSpeed || having.length === 0) return []
    const series = models.flatMap((model, index): PanelSeries[] => {
      const own = having.filter(summary => modelOf(summary) === model)
      const points = own
        .map(({ bitsPerSecond, measures }) => ({
          x: bitsPerSecond / 1000,
          y: measures[name]!.mean,
          interval: measures[name]!.interval,
        }))
        .sort((a, b) => a.x - b.x)
      return points.length > 0 ? [{ colour: index % COLOURS, points }] : []
    })
    const words = having.map(
      ({ system, bitsPerSecond, measures }) =>
        `${system}: ${showMeasure(measure, measures[name]!.mean)} at ${(bitsPerSecond / 1000).toFixed(2)} kbit/s`,
    )
    const title = `${measure.label} (${measure.better} is better)`
    return [
      panel({
        title,
        xLabel: 'kbit/s',
        series,
        isLogarithmic,
        describe: `${measure.label}: ${words.join('; ')}`,
      }),
    ]
  })
  const key = models.map(
    (model, index) =>
      `<li><svg width="10" height="10" aria-hidden="true"><circle class="s${index % COLOURS}" cx="5" cy="5" r="4"/></svg>${escapeXml(model)}</li>`,
  )
  return `<ul class="key">${key.join('')}</ul>\n<div class="panels">${panels.join('\n')}</div>`
}

/** One model at several numbers of codebooks is one line. */
function modelOf({ system }: Summary): string {
  return system.replace(/, \d+ codebooks?$/, '')
}

function sideBySide({ systems, table: measures }: Report): string {
  const summaries = systems.map(({ summary }) => summary)
  const rows = Object.entries(measures)
    .filter(([name]) => summaries.some(summary => summary.measures[name]))
    .map(([name, measure]) => [
      measure.label,
      measure.better,
      ...summaries.map(({ measures: means, clips }) => {
        const mean = means[name]
        return mean ? showMean(measure, mean, clips) : '-'
      }),
    ])
  const rates = ['kbit/s', '', ...summaries.map(({ bitsPerSecond }) => (bitsPerSecond / 1000).toFixed(2))]
  return table(['mean (95 % interval)', 'better', ...summaries.map(({ system }) => system)], [rates, ...rows])
}

function differenceSection({ system, from, measures }: Difference, known: MeasureTable): string {
  const rows = Object.entries(measures).map(([name, mean]) => [
    known[name].label,
    showDifference(known[name], mean),
    String(mean.clips),
  ])
  return section(
    `${system} against ${from}, clip by clip`,
    table(['measure', 'mean difference (95 % interval of the pairs)', 'files'], rows),
  )
}
