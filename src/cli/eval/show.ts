import { describeRate } from '../figures.js'
import { plural, showSeconds, showTable } from '../text.js'
import type { Mean } from './bootstrap.js'
import type { Evaluation } from './clip.js'
import { MEASURE_NAMES, MEASURES, type MeasureName } from './measures.js'
import type { CodebookSummary, NgramSummary, Summary } from './summary.js'

/** `a.wav: 5.14 s, STOI 0.912, ...`: the measures that say most. */
export function describeClip({ input, audioSeconds, measures }: Evaluation): string {
  const shown = (['stoi', 'melDistance', 'f0Correlation', 'voicingF1'] as const).map(
    name => `${MEASURES[name].label} ${showMeasure(name, measures[name])}`,
  )
  return `${input}: ${showSeconds(audioSeconds)}, ${shown.join(', ')}`
}

/** With the measure's digits; a dash for what the clip does not have. */
export function showMeasure(name: MeasureName, value: number | null): string {
  return value === null ? '-' : value.toFixed(MEASURES[name].digits)
}

/** The aggregate for a terminal. */
export function textReport(summary: Summary): string {
  const { codebooks, ngram } = summary
  const rate = describeRate({ ...summary, codebookSizes: codebooks.map(({ size }) => size) })
  const measures = MEASURE_NAMES.map((name): [string, string | undefined] => {
    const mean = summary.measures[name]
    return [MEASURES[name].label, mean && showMean(name, mean, summary.clips)]
  })
  const usage = codebooks.map((codebook, q): [string, string] => [
    codebooks.length === 1 ? 'codebook' : `codebook ${q}`,
    showUsage(codebook),
  ])
  return showTable(
    `${plural(summary.clips, 'file')}, ${showSeconds(summary.audioSeconds)}; ${rate}; ${summary.model}`,
    [...measures, ...usage, ['entropy', showEntropy(summary)], ['n-grams', ngram && showNgram(ngram)]],
  )
}

/** `0.912 (0.901 to 0.921)`, and how many files where not all have the measure. */
export function showMean(name: MeasureName, { mean, interval, clips }: Mean, all: number): string {
  const show = (value: number) => value.toFixed(MEASURES[name].digits)
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
