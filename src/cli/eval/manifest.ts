import { readFile } from 'node:fs/promises'
import { basename, dirname, extname, resolve } from 'node:path'
import { UsageError } from '../environment.js'

/** What a manifest says of one file: its columns by name. */
export type ManifestRow = Readonly<Record<string, string>>

/** Longer ones are refused: a manifest's line describes one clip. */
const LONGEST_LINE = 1 << 20
/** Larger ones are refused: its text must fit a string. */
const MOST_BYTES = 1 << 28
const TEXT_COLUMNS = ['text', 'transcript', 'sentence']

/** A table of files. */
export interface Manifest {
  readonly path: string
  readonly columns: readonly string[]
  /** The row of a file, by its path, else by a name that one row alone has, with or without extension. */
  rowOf(input: string): ManifestRow | undefined
}

/**
 * Reads CSV (RFC 4180), TSV (where quotes that do not hold a whole field are letters) or JSON lines, by the extension. A column `file` is
 * needed; paths in it are relative to the manifest.
 *
 * @throws UsageError for what is no such table, system errors for what cannot be read
 */
export async function readManifest(path: string): Promise<Manifest> {
  const extension = extname(path).toLowerCase()
  if (!Object.hasOwn(READERS, extension))
    throw new UsageError(
      `the manifest is ${path}; expected a name that ends with ${Object.keys(READERS).join(', ')}, which says how to read it`,
    )
  const bytes = await readFile(path)
  if (bytes.length > MOST_BYTES)
    throw new UsageError(`${path} has ${bytes.length} bytes; a manifest may have ${MOST_BYTES}`)
  const { columns, rows } = READERS[extension](decoded(bytes, path), path)
  if (!columns.includes('file'))
    throw new UsageError(
      `${path} has the columns ${columns.join(', ') || '(none)'}; expected one named 'file'`,
    )
  if (rows.length === 0) throw new UsageError(`${path} names no files`)
  return { path, columns, rowOf: rowFinder(path, rows) }
}

function rowFinder(path: string, rows: readonly Numbered[]): Manifest['rowOf'] {
  const byPath = new Map<string, Numbered>()
  // Undefined where several rows have the name.
  const byName = new Map<string, ManifestRow | undefined>()
  for (const numbered of rows) {
    const { line, row } = numbered
    const { file } = row
    if (!file)
      throw new UsageError(`${path}, line ${line}: no file is named; expected a value in column 'file'`)
    const full = resolve(dirname(path), file)
    const before = byPath.get(full)
    if (before)
      throw new UsageError(
        `${path}, line ${line}: ${file} was in line ${before.line} already; expected each file once`,
      )
    byPath.set(full, numbered)
    for (const name of new Set([basename(file), stem(file)]))
      byName.set(name, byName.has(name) ? undefined : row)
  }
  return input => byPath.get(resolve(input))?.row ?? byName.get(basename(input)) ?? byName.get(stem(input))
}

/** What is said in a file, if the manifest knows. */
export function textOf(row: ManifestRow): string | undefined {
  return TEXT_COLUMNS.map(name => row[name]?.trim()).find(Boolean)
}

interface Numbered {
  readonly line: number
  readonly row: ManifestRow
}

interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly Numbered[]
}

const READERS: Readonly<Record<string, (text: string, path: string) => Table>> = {
  '.csv': (text, path) => readFields(text, ',', path),
  '.tsv': (text, path) => readFields(text, '\t', path),
  '.jsonl': readJsonLines,
  '.ndjson': readJsonLines,
}

function stem(path: string): string {
  return basename(path, extname(path))
}

function decoded(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UsageError(`${path} is not UTF-8 text; save it as such`)
  }
}

function readFields(text: string, separator: string, path: string): Table {
  const [head, ...records] = [...fields(text, separator, path)]
  if (!head) return { columns: [], rows: [] }
  const columns = head.fields.map(name => name.trim())
  const twice = columns.find((name, i) => columns.indexOf(name) < i)
  if (twice !== undefined) throw new UsageError(`${path} has two columns named '${twice}'`)
  const rows = records.map(({ line, fields }): Numbered => {
    if (fields.length !== columns.length)
      throw new UsageError(
        `${path}, line ${line}: ${fields.length} fields; expected ${columns.length}, one per column`,
      )
    return { line, row: Object.fromEntries(columns.map((name, i) => [name, fields[i]])) }
  })
  return { columns, rows }
}

interface Fields {
  readonly line: number
  readonly fields: string[]
}

/** Records of RFC 4180 with any separator; ends of lines may be LF, CRLF or CR, empty lines are left out. */
function* fields(text: string, separator: string, path: string): Generator<Fields> {
  const isStrict = separator === ','
  const plain = isStrict ? /[^,\r\n]*/y : /[^\t\r\n]*/y
  let at = 0
  let line = 1
  while (at < text.length) {
    const record: string[] = []
    const [start, begins] = [line, at]
    const checkLength = (end: number) => {
      if (end - begins > LONGEST_LINE)
        throw new UsageError(
          `${path}, line ${start}: more than ${LONGEST_LINE} characters; is this a manifest?`,
        )
    }
    const lineEnd = text.indexOf('\n', at)
    checkLength(lineEnd < 0 ? text.length : lineEnd)
    for (;;) {
      let field: string
      if (text[at] === '"' && (isStrict || isWholeField(text, at))) {
        ;({ field, at } = quoted(text, at, `${path}, line ${line}`))
        line += field.match(/\r\n?|\n/g)?.length ?? 0
      } else {
        plain.lastIndex = at
        field = plain.exec(text)![0]
        at += field.length
      }
      record.push(field)
      checkLength(at)
      if (text[at] !== separator) break
      at++
    }
    if (at < text.length && text[at] !== '\n' && text[at] !== '\r')
      throw new UsageError(
        `${path}, line ${line}: text behind a closing quote; quotes inside are written twice`,
      )
    at += text.startsWith('\r\n', at) ? 2 : 1
    line++
    if (record.length > 1 || record[0] !== '') yield { line: start, fields: record }
  }
}

/** Whether quotes hold all of a tab-separated field, as programs write one that has a tab or a quote. */
function isWholeField(text: string, at: number): boolean {
  const whole = /"(?:[^"\r\n]|"")*"(?=[\t\r\n]|$)/y
  whole.lastIndex = at
  return whole.test(text)
}

/** The field whose opening quote is at `at`, and where it ends. */
function quoted(text: string, at: number, where: string): { field: string; at: number } {
  const parts: string[] = []
  for (let from = at + 1; ; ) {
    const end = text.indexOf('"', from)
    if (end < 0) throw new UsageError(`${where}: a quote is never closed`)
    parts.push(text.slice(from, end))
    if (text[end + 1] !== '"') return { field: parts.join('"'), at: end + 1 }
    from = end + 2
  }
}

/** An object per line; numbers and booleans become text, null is left out. */
function readJsonLines(text: string, path: string): Table {
  const rows: Numbered[] = []
  for (const [index, content] of text.split('\n').entries()) {
    const where = `${path}, line ${index + 1}`
    if (content.length > LONGEST_LINE)
      throw new UsageError(`${where}: more than ${LONGEST_LINE} characters; is this a manifest?`)
    if (content.trim() === '') continue
    rows.push({ line: index + 1, row: Object.fromEntries(jsonFields(content, where)) })
  }
  return { columns: [...new Set(rows.flatMap(({ row }) => Object.keys(row)))], rows }
}

function jsonFields(content: string, where: string): [string, string][] {
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch (error) {
    throw new UsageError(`${where}: not valid JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`${where}: expected an object such as {"file": "a.wav", "speaker": "p225"}`)
  return Object.entries(value)
    .filter(([, field]) => field !== null && typeof field !== 'object')
    .map(([name, field]) => [name, String(field)])
}
