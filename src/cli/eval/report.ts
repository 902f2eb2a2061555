import { extname } from 'node:path'
import { UsageError } from '../environment.js'
import { clipFigures } from './clip.js'
import { htmlReport } from './html/page.js'
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

const FACTS = ['sampleRate', 'audioSeconds', 'encodeSeconds', 'decodeSeconds', 'frames', 'kbps'] as const

/** One row per clip and system; an empty cell where a clip does not have a measure. */
function csvReport({ table, systems }: Report): string {
  const measures = Object.keys(table)
  const rows = systems.flatMap(({ clips }) =>
    clips.map(clip => [
      clip.input,
      clip.system,
      ...FACTS.map(name => clip[name]),
      clip.uniqueCodes.join(' '),
      ...measures.map(name => clip.measures[name] ?? ''),
    ]),
  )
  const names = ['input', 'system', ...FACTS, 'uniqueCodes', ...measures]
  return [names, ...rows].map(row => `${row.map(csvCell).join(',')}\r\n`).join('')
}

/** RFC 4180. */
function csvCell(value: string | number): string {
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function jsonReport({ table, systems, differences, failures }: Report): string {
  const without = systems.map(({ clips, ...rest }) => ({ ...rest, clips: clips.map(clipFigures) }))
  return `${JSON.stringify({ table, systems: without, differences, failures }, null, 1)}\n`
}
