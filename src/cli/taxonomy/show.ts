import { UsageError } from '../environment.js'
import type { Outcome } from '../reporter.js'
import { TAXONOMY, type TaxonomyRow } from './rows.js'

const COLUMNS: readonly (readonly [title: string, show: (row: TaxonomyRow) => string])[] = [
  ['tokenizer', ({ name }) => name],
  ['here', ({ family, tools }) => (family ? `runs (${family})` : tools ? 'tools' : '-')],
  ['architecture', ({ architecture, representation }) => `${architecture}, ${representation}`],
  ['quantizer', ({ quantizer }) => quantizer],
  [
    'codebooks',
    ({ codebooks, entries }) => (entries ? `${codebooks} x ${entries}` : String(codebooks || '-')),
  ],
  ['frames/s', ({ frameRates }) => frameRates.join(', ')],
  ['kbit/s', ({ kbps = [] }) => kbps.join(', ') || '-'],
  ['training', ({ objectives, auxiliary }) => [objectives, auxiliary].filter(Boolean).join('; ')],
  ['domain', ({ domain }) => domain],
  ['streams', ({ streams }) => (streams ? 'yes' : 'no')],
]

/** The rows whose fields contain all of `field=text`; a table, or with --json the rows. @throws UsageError for a field that is none */
export function showTaxonomy(conditions: readonly string[]): Outcome {
  const rows = conditions.reduce(
    (left, condition) => left.filter(row => matches(row, condition)),
    [...TAXONOMY],
  )
  const cells = [COLUMNS.map(([title]) => title), ...rows.map(row => COLUMNS.map(([, show]) => show(row)))]
  const widths = COLUMNS.map((_, i) => Math.max(...cells.map(row => row[i].length)))
  const text = cells
    .map(row =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
  return { text, figures: { kind: 'taxonomy', source: 'arXiv 2506.10274', rows } }
}

function matches(row: TaxonomyRow, condition: string): boolean {
  const [, field, wanted] = /^(\w+)=(.*)$/.exec(condition) ?? []
  if (field === undefined || !FIELDS.has(field))
    throw new UsageError(
      `'${condition}' chooses nothing; expected field=text with one of ${[...FIELDS].join(', ')}`,
    )
  const value = row[field as keyof TaxonomyRow]
  return String(value ?? '')
    .toLowerCase()
    .includes(wanted.toLowerCase())
}

const FIELDS = new Set(TAXONOMY.flatMap(row => Object.keys(row)))
