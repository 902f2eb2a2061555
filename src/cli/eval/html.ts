import { basename } from 'node:path'
import { escapeXml, hex, LEVEL_SCALES } from '../../plots/index.js'
import { describeRate } from '../figures.js'
import { plural, showSeconds } from '../text.js'
import type { Evaluation } from './clip.js'
import { MEASURE_NAMES, MEASURES, type MeasureName } from './measures.js'
import { showEntropy, showMeasure, showNgram, showUsage } from './show.js'
import type { Report, Summary } from './summary.js'
import { usageHistogram } from './usage.js'

/** One page of its own: no script, nothing loaded from anywhere, light or dark as the reader's system is. */
export function htmlReport({ summary, clips, failures }: Report): string {
  const figures = clips.filter(({ figure }) => figure !== undefined)
  const sections = [
    section('Over all files', aggregateTable(summary)),
    section('Tokens', tokens(summary)),
    section(`Files (${clips.length})`, clipTable(clips)),
    figures.length > 0 && section('Before and after', figures.map(figureImage).join('\n')),
    failures.length > 0 &&
      section(
        `Left out (${failures.length})`,
        `<ul>${failures.map(({ input, reason }) => `<li><code>${escapeXml(input)}</code>: ${escapeXml(reason)}</li>`).join('')}</ul>`,
      ),
  ]
  const rate = describeRate({ ...summary, codebookSizes: summary.codebooks.map(({ size }) => size) })
  const about = `${plural(summary.clips, 'file')}, ${showSeconds(summary.audioSeconds)} of audio. ${rate}.`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(summary.model)}: evaluation</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeXml(summary.model)}</h1>
<p>${escapeXml(about)}</p>
${sections.filter(part => part !== false).join('\n')}
</main>
</body>
</html>
`
}

function section(heading: string, content: string): string {
  return `<section>\n<h2>${escapeXml(heading)}</h2>\n${content}\n</section>`
}

function aggregateTable({ measures }: Summary): string {
  const rows = MEASURE_NAMES.flatMap(name => {
    const found = measures[name]
    if (!found) return []
    const { mean, interval, clips } = found
    const range = interval ? interval.map(value => showMeasure(name, value)).join(' to ') : '-'
    return row([label(name), showMeasure(name, mean), range, MEASURES[name].better, String(clips)])
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
  return `<p>${facts.map(escapeXml).join(' ')}</p>\n${books.join('\n')}`
}

function clipTable(clips: readonly Evaluation[]): string {
  const rows = clips.map(({ input, audioSeconds, frames, measures }) =>
    row([
      input,
      audioSeconds.toFixed(2),
      String(frames),
      ...MEASURE_NAMES.map(name => showMeasure(name, measures[name])),
    ]),
  )
  return table(['file', 'seconds', 'frames', ...MEASURE_NAMES.map(label)], rows)
}

function label(name: MeasureName): string {
  return MEASURES[name].label
}

/** A picture of its own document: styles and names of several figures would meet in one. */
function figureImage({ input, figure = '' }: Evaluation): string {
  const url = `data:image/svg+xml;base64,${Buffer.from(figure).toString('base64')}`
  const name = escapeXml(basename(input))
  return `<figure><img src="${url}" alt="${name}: waveforms and spectrograms before and after, tokens between"></figure>`
}

function table(heads: readonly string[], rows: readonly string[]): string {
  const head = heads.map(text => `<th scope="col">${escapeXml(text)}</th>`).join('')
  return `<div class="wide" tabindex="0"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${rows.join('\n')}\n</tbody>\n</table></div>`
}

function row([first, ...rest]: readonly string[]): string {
  const cells = rest.map(text => `<td>${escapeXml(text)}</td>`).join('')
  return `<tr><th scope="row">${escapeXml(first)}</th>${cells}</tr>`
}

function theme(name: 'light' | 'dark', ink: string, soft: string, line: string, bar: string): string {
  const paper = hex(LEVEL_SCALES[name][0])
  return `:root{--paper:${paper};--ink:${ink};--soft:${soft};--line:${line};--bar:${bar}}`
}

const STYLE = `
:root{color-scheme:light dark}
${theme('light', '#16202b', '#5b6670', '#b9c2c9', '#2f5d7c')}
@media(prefers-color-scheme:dark){${theme('dark', '#eef1f2', '#98a4ad', '#46515b', '#8fc7c4')}}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 ui-sans-serif,system-ui,sans-serif}
main{max-width:960px;margin:auto;padding:24px 16px}
h1{font-size:24px}h2{font-size:18px;margin-top:36px}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}
th,td{padding:4px 12px 4px 0;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child{text-align:left}
tbody th{font-weight:400}thead th{color:var(--soft);font-weight:500;vertical-align:bottom;white-space:normal}
figure{margin:0 0 28px}figcaption{margin-bottom:8px}
svg,img{max-width:100%;height:auto;display:block}
.bar{fill:var(--bar)}.axis{stroke:var(--line)}
svg text{font:12px ui-sans-serif,system-ui,sans-serif;fill:var(--ink)}svg .soft{fill:var(--soft)}
`
