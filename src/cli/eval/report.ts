import { extname } from 'node:path'
import { UsageError } from '../environment.js'
import { clipFigures } from './clip.js'
import { htmlReport } from './html.js'
import { MEASURE_NAMES } from './measures.js'
import type { Report } from './summary.js'

const WRITERS: Readonly<Record<string, (report: Report) => string>> = {
  '.html': htmlReport,
  '.csv': csvReport,
  '.json': jsonReport,
}

/** Throws UsageError for an extension that names no kind of report. */
export function checkReportName(path: string): void {
  if (Object.hasOwn(WRITERS, extname(path))) return
  throw new UsageError(
    `a report ${path} was asked for; expected a name that ends with ${Object.keys(WRITERS).join(', ')}`,
  )
}

/** The report of the kind that its name says. */
export function renderReport(path: string, report: Report): Uint8Array {
  return new TextEncoder().encode(WRITERS[extname(path)](report))
}

const FACTS = ['sampleRate', 'audioSeconds', 'encodeSeconds', 'decodeSeconds', 'frames'] as const

/** One row per clip; an empty cell where a clip does not have a measure. */
function csvReport({ clips }: Report): string {
  const rows = clips.map(clip => [
    clip.input,
    ...FACTS.map(name => clip[name]),
    clip.uniqueCodes.join(' '),
    ...MEASURE_NAMES.map(name => clip.measures[name] ?? ''),
  ])
  const names = ['input', ...FACTS, 'uniqueCodes', ...MEASURE_NAMES]
  return [names, ...rows].map(row => `${row.map(csvCell).join(',')}\r\n`).join('')
}

/** RFC 4180. */
function csvCell(value: string | number): string {
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function jsonReport({ summary, clips, failures }: Report): string {
  return `${JSON.stringify({ summary, clips: clips.map(clipFigures), failures }, null, 1)}\n`
}
