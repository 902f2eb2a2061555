import { basename } from 'node:path'
import { escapeXml } from '../../../plots/index.js'
import { describeRate } from '../../figures.js'
import { plural, showSeconds } from '../../text.js'
import type { Evaluation } from '../clip.js'
import type { Failure } from '../evaluator.js'
import type { MeasureTable } from '../measures.js'
import { showEntropy, showMeasure, showNgram, showUsage } from '../show.js'
import type { Report, Summary, SystemReport } from '../summary.js'
import { comparison } from './comparison.js'
import { fairnessSection } from './fairness.js'
import { panel } from './panel.js'
import { paragraph, section, table } from './parts.js'
import { STYLE } from './style.js'
import { usageHistogram } from './usage.js'

/** One page of its own: no script, nothing loaded from anywhere, light or dark as the reader's system is. */
export function htmlReport(report: Report): string {
  const { systems, failures, table: measures } = report
  const isOne = systems.length === 1
  const [{ summary }] = systems
  const title = isOne ? summary.model : `${systems.length} systems side by side`
  const sections = [
    ...(isOne ? [] : [comparison(report)]),
    ...systems.flatMap(system => systemSections(system, measures, isOne ? '' : `${system.summary.system}: `)),
    ...(failures.length > 0 ? [section(`Left out (${failures.length})`, failureList(failures))] : []),
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(title)}: evaluation</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeXml(title)}</h1>
${systems.map(({ summary }) => paragraph(`${isOne ? '' : `${summary.system}: `}${about(summary)}`)).join('\n')}
${sections.join('\n')}
</main>
</body>
</html>
`
}

function about(summary: Summary): string {
  const rate = describeRate({ ...summary, codebookSizes: summary.codebooks.map(({ size }) => size) })
  return `${plural(summary.clips, 'file')}, ${showSeconds(summary.audioSeconds)} of audio. ${rate}.`
}

function systemSections(
  { summary, clips, fairness }: SystemReport,
  measures: MeasureTable,
  prefix: string,
): string[] {
  const figures = clips.filter(({ figure }) => figure !== undefined)
  return [
    ...(prefix ? [] : [section('Over all files', aggregateTable(summary, measures))]),
    section(heading(prefix, 'Tokens'), tokens(summary)),
    ...(summary.drift ? [section(heading(prefix, 'Again and again'), driftPanels(summary))] : []),
    ...(fairness ? [fairnessSection(fairness.report, `${prefix}${fairness.by}`, measures)] : []),
    section(heading(prefix, `Files (${clips.length})`), clipTable(clips, measures)),
    ...(figures.length > 0
      ? [section(heading(prefix, 'Before and after'), figures.map(figureImage).join('\n'))]
      : []),
  ]
}

function heading(prefix: string, text: string): string {
  return prefix === '' ? text : prefix + text.toLowerCase()
}

function aggregateTable({ measures: means }: Summary, measures: MeasureTable): string {
  const rows = Object.entries(measures).flatMap(([name, measure]) => {
    const found = means[name]
    if (!found) return []
    const { mean, interval, clips } = found
    const range = interval ? interval.map(value => showMeasure(measure, value)).join(' to ') : '-'
    return [[measure.label, showMeasure(measure, mean), range, measure.better, String(clips)]]
  })
  return table(['measure', 'mean', '95 % interval', 'better', 'files'], rows)
}

function tokens(summary: Summary): string {
  const { codebooks, ngram } = summary
  const facts = [
    `Entropy of single codes: ${showEntropy(summary)}.`,
    ...(ngram ? [`N-grams trained on other files, ${showNgram(ngram)}.`] : []),
  ]
  const books = codebooks.map(
    (codebook, q) =>
      `<figure><figcaption>${codebooks.length > 1 ? `Codebook ${q}: ` : ''}${escapeXml(showUsage(codebook))}</figcaption>\n${usageHistogram(codebook.counts)}</figure>`,
  )
  return `${paragraph(facts.join(' '))}\n${books.join('\n')}`
}

/** What going through the model again and again leaves. */
function driftPanels({ drift }: Summary): string {
  const { stability = [], melDistance = [] } = drift ?? {}
  const chart = (title: string, means: typeof stability) =>
    panel({
      title,
      xLabel: 'times through the model',
      series: [
        { colour: 0, points: means.map(({ mean, interval }, i) => ({ x: i + 1, y: mean, interval })) },
      ],
      describe: `${title}: ${means.map(({ mean }, i) => `${i + 1}: ${mean.toFixed(3)}`).join(', ')}`,
    })
  return `<div class="panels">${chart('codes that are those of the first time', stability)}${chart('mel distance from the recording', melDistance)}</div>`
}

function clipTable(clips: readonly Evaluation[], measures: MeasureTable): string {
  const rows = clips.map(clip => [
    clip.input,
    clip.audioSeconds.toFixed(2),
    String(clip.frames),
    ...Object.entries(measures).map(([name, measure]) => showMeasure(measure, clip.measures[name])),
  ])
  return table(['file', 'seconds', 'frames', ...Object.values(measures).map(({ label }) => label)], rows)
}

function failureList(failures: readonly Failure[]): string {
  const items = failures.map(({ input, system, reason }) => {
    const where = system === undefined ? '' : ` (${escapeXml(system)})`
    return `<li><code>${escapeXml(input)}</code>${where}: ${escapeXml(reason)}</li>`
  })
  return `<ul>${items.join('')}</ul>`
}

/** A picture of its own document: styles and names of several figures would meet in one. */
function figureImage({ input, figure = '' }: Evaluation): string {
  const url = `data:image/svg+xml;base64,${Buffer.from(figure).toString('base64')}`
  const name = escapeXml(basename(input))
  return `<figure><img src="${url}" alt="${name}: waveforms and spectrograms before and after, tokens between"></figure>`
}
