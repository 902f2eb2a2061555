import { describeRate } from '../figures.js'
import { plural, showGrid, showSeconds, showTable } from '../text.js'
import type { Mean } from './bootstrap.js'
import type { Evaluation } from './clip.js'
import type { Difference } from './compare.js'
import { fairnessText } from './fairness_show.js'
import type { Measure, MeasureTable } from './measures.js'
import { measureTable } from './measures.js'
import type { CodebookSummary, NgramSummary, Report, Summary } from './summary.js'

/** `a.wav: 5.14 s, STOI 0.912, ...`: the measures that say most, and of which system where there are several. */
export function describeClip(
  { input, system, audioSeconds, measures }: Evaluation,
  namesSystem: boolean,
): string {
  const table = measureTable({ hasEar: true })
  const shown = ['stoi', 'melDistance', 'f0Correlation', 'voicingF1', 'wordErrorRate']
    .filter(name => name in measures)
    .map(name => `${table[name].label} ${showMeasure(table[name], measures[name])}`)
  return `${input}${namesSystem ? ` (${system})` : ''}: ${showSeconds(audioSeconds)}, ${shown.join(', ')}`
}

/** With the measure's digits; a dash for what the clip does not have. */
export function showMeasure({ digits }: Measure, value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : value.toFixed(digits)
}

/** The whole for a terminal. */
export function textReport(report: Report): string {
  const { systems, table, differences } = report
  const each = systems.flatMap(({ summary, fairness }) => [
    systemReport(summary, systems.length > 1 ? {} : table),
    ...(fairness ? [fairnessText(fairness.report, fairness.by, table)] : []),
  ])
  return systems.length > 1
    ? [sideBySide(report), ...differences.map(one => differenceReport(one, table)), ...each].join('\n\n')
    : each.join('\n\n')
}

function systemReport(summary: Summary, table: MeasureTable): string {
  const { codebooks, ngram, drift } = summary
  const rate = describeRate({ ...summary, codebookSizes: codebooks.map(({ size }) => size) })
  const measures = Object.entries(table).map(([name, measure]): [string, string | undefined] => {
    const mean = summary.measures[name]
    return [measure.label, mean && showMean(measure, mean, summary.clips)]
  })
  const usage = codebooks.map((codebook, q): [string, string] => [
    codebooks.length === 1 ? 'codebook' : `codebook ${q}`,
    showUsage(codebook),
  ])
  const about = `${plural(summary.clips, 'file')}, ${showSeconds(summary.audioSeconds)}; ${rate}; ${summary.model}`
  return showTable(Object.keys(table).length > 0 ? about : `${summary.system}: ${about}`, [
    ...measures,
    ...usage,
    ['entropy', showEntropy(summary)],
    ['n-grams', ngram && showNgram(ngram)],
    ['codes kept, by round', drift?.stability.map(({ mean }) => mean.toFixed(3)).join(', ')],
    ['mel distance, by round', drift?.melDistance.map(({ mean }) => mean.toFixed(3)).join(', ')],
  ])
}

function sideBySide({ systems, table }: Report): string {
  const rows = Object.entries(table).flatMap(([name, measure]) =>
    systems.some(({ summary }) => summary.measures[name])
      ? [[measure.label, ...systems.map(({ summary }) => showMeasure(measure, summary.measures[name]?.mean))]]
      : [],
  )
  return showGrid([
    ['', ...systems.map(({ summary }) => summary.system)],
    ['kbit/s', ...systems.map(({ summary }) => (summary.bitsPerSecond / 1000).toFixed(2))],
    ['files', ...systems.map(({ summary }) => String(summary.clips))],
    ...rows,
  ])
}

function differenceReport({ system, from, measures }: Difference, table: MeasureTable): string {
  return showTable(
    `${system} - ${from}, clip by clip`,
    Object.entries(measures).map(([name, mean]) => [table[name].label, showDifference(table[name], mean)]),
  )
}

/** `+0.012 (+0.008 to +0.016), better`: where the interval leaves out 0, which way. */
export function showDifference(measure: Measure, { mean, interval }: Mean): string {
  const show = (value: number) => `${value >= 0 ? '+' : ''}${value.toFixed(measure.digits)}`
  const range = interval ? ` (${show(interval[0])} to ${show(interval[1])})` : ''
  return `${show(mean)}${range}${verdict(measure, interval)}`
}

function verdict({ better }: Measure, interval: Mean['interval']): string {
  if (!interval || (interval[0] <= 0 && interval[1] >= 0)) return ''
  return interval[0] > 0 === (better === 'higher') ? ', better' : ', worse'
}

/** `0.912 (0.901 to 0.921)`, and how many files where not all have the measure. */
export function showMean(measure: Measure, { mean, interval, clips }: Mean, all: number): string {
  const show = (value: number) => value.toFixed(measure.digits)
  const range = interval ? ` (${show(interval[0])} to ${show(interval[1])})` : ''
  return `${show(mean)}${range}${clips < all ? `, ${plural(clips, 'file')}` : ''}`
}

/** `812 of 4096 used (19.8 %), perplexity 410.2, H(next) 3.10 bits` */
export function showUsage(codebook: CodebookSummary): string {
  const { used, size, utilisation, perplexity, conditionalEntropy } = codebook
  const parts = [
    `${used} of ${size} used (${(100 * utilisation).toFixed(1)} %)`,
    `perplexity ${perplexity.toFixed(1)}${bias(codebook.entropyBiased)}`,
  ]
  if (conditionalEntropy !== null)
    parts.push(`H(next) ${conditionalEntropy.toFixed(2)} bits${bias(codebook.conditionalEntropyBiased)}`)
  return parts.join(', ')
}

/** `604.6 of 900.0 bits per second` */
export function showEntropy({ entropyBitsPerSecond, bitsPerSecond, codebooks }: Summary): string {
  const isBiased = codebooks.some(({ entropyBiased }) => entropyBiased)
  return `${entropyBitsPerSecond.toFixed(1)} of ${bitsPerSecond.toFixed(1)} bits per second${bias(isBiased)}`
}

function bias(isBiased: boolean): string {
  return isBiased ? ' (few tokens: too low)' : ''
}

export function showNgram({ order, bitsPerToken, bitsPerSecond }: NgramSummary): string {
  return `order ${order}: ${bitsPerToken.toFixed(2)} bits per token, ${bitsPerSecond.toFixed(1)} per second`
}
