// The YAML of model configurations: block mappings and sequences, flow sequences of scalars, plain and quoted scalars, comments.
import { CheckpointError } from '../errors.js'

export type YamlValue = null | boolean | number | string | YamlValue[] | { [key: string]: YamlValue }

const MAX_DEPTH = 64

interface Line {
  number: number
  indent: number
  text: string
}

/**
 * Parses a configuration file. Only the subset above is read; anything else (anchors, tags, block scalars, flow mappings,
 * several documents) is an error that names the line.
 * @throws CheckpointError
 */
export function parseYaml(text: string): YamlValue {
  return new Parser(splitLines(text)).document()
}

function fail(line: number, reason: string): never {
  throw new CheckpointError(`cannot read the YAML file, line ${line}: ${reason}`)
}

function splitLines(text: string): Line[] {
  const lines: Line[] = []
  const rows = text.replace(/^\ufeff/, '').split(/\r?\n/)
  for (const [i, raw] of rows.entries()) {
    const content = withoutComment(raw).trimEnd()
    const body = content.trimStart()
    if (body === '' || (body === '---' && lines.length === 0)) continue
    const indent = content.length - body.length
    if (content.slice(0, indent).includes('\t')) fail(i + 1, 'tabs cannot indent; use spaces')
    lines.push({ number: i + 1, indent, text: body })
  }
  return lines
}

/** A # begins a comment at the start of a line or after a space, outside quotes. */
function withoutComment(line: string): string {
  let quote = ''
  for (let i = 0; i < line.length; i++) {
    const letter = line[i]
    if (quote) {
      if (letter === '\\' && quote === '"') i++
      else if (letter === quote) quote = ''
    } else if ((letter === '"' || letter === "'") && /[\s[,]|^$/.test(line[i - 1] ?? '')) quote = letter
    else if (letter === '#' && /\s|^$/.test(line[i - 1] ?? '')) return line.slice(0, i)
  }
  return line
}

class Parser {
  private next = 0
  constructor(private readonly lines: Line[]) {}

  document(): YamlValue {
    const value = this.block(0, 0)
    if (this.next < this.lines.length)
      fail(this.lines[this.next].number, 'its indentation fits no line above')
    return value
  }

  /** The value made of the lines from here that are indented by at least `least`. */
  private block(least: number, depth: number): YamlValue {
    const line = this.lines[this.next]
    if (!line || line.indent < least) return null
    if (depth > MAX_DEPTH) fail(line.number, `nested more than ${MAX_DEPTH} deep`)
    if (isItem(line.text)) return this.sequence(line.indent, depth)
    if (splitKey(line)) return this.mapping(line.indent, depth)
    this.next++
    return parseScalar(line.text, line.number)
  }

  private sequence(indent: number, depth: number): YamlValue[] {
    const items: YamlValue[] = []
    for (let line = this.peek(indent, true); line; line = this.peek(indent, true)) {
      const rest = line.text.slice(1).trimStart()
      if (rest === '') this.next++
      else this.lines[this.next] = { ...line, indent: indent + line.text.length - rest.length, text: rest }
      items.push(this.block(indent + 1, depth + 1))
    }
    return items
  }

  private mapping(indent: number, depth: number): { [key: string]: YamlValue } {
    const entries = new Map<string, YamlValue>()
    for (let line = this.peek(indent, false); line; line = this.peek(indent, false)) {
      const [key, rest] =
        splitKey(line) ?? fail(line.number, `'key: value' expected, found '${line.text.slice(0, 40)}'`)
      if (entries.has(key)) fail(line.number, `the key '${key}' occurs twice`)
      this.next++
      entries.set(key, rest === '' ? this.nested(indent, depth) : parseScalar(rest, line.number))
    }
    return Object.fromEntries(entries)
  }

  /** The value below `key:`; a sequence may stand at the key's own indentation. */
  private nested(indent: number, depth: number): YamlValue {
    return this.block(this.peek(indent, true) ? indent : indent + 1, depth + 1)
  }

  /** The next line if it continues the sequence (`item`) or mapping at `indent`. */
  private peek(indent: number, item: boolean): Line | undefined {
    const line = this.lines[this.next]
    return line?.indent === indent && isItem(line.text) === item ? line : undefined
  }
}

const UNREAD = /^[[\]{},"'&*!|>%@`]|^[-?](?:\s|$)/ // what YAML gives a meaning that is not read here
const ITEM_OR_COMMA = /\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,\s][^,]*)|(,))/g
const isItem = (text: string) => text === '-' || text.startsWith('- ')

function splitKey({ text, number }: Line): [key: string, rest: string] | undefined {
  const quoted = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')(?=\s*:(?:\s|$))/.exec(text)?.[0]
  const end = quoted ? text.indexOf(':', quoted.length) : text.search(/:(?:\s|$)/)
  if (end < 0 || (!quoted && UNREAD.test(text))) return undefined
  const key = quoted ? parseQuoted(quoted, number) : text.slice(0, end).trimEnd()
  return [String(key), text.slice(end + 1).trimStart()]
}

function parseQuoted(text: string, line: number): string | undefined {
  if (/^'(?:[^']|'')*'$/.test(text)) return text.slice(1, -1).replaceAll("''", "'")
  if (!/^"(?:[^"\\]|\\.)*"$/.test(text)) return undefined
  try {
    return JSON.parse(text) as string
  } catch {
    return fail(line, `an escape in ${text.slice(0, 40)} that JSON does not have`)
  }
}

function parseScalar(text: string, line: number): YamlValue {
  if (text[0] === '[') return parseList(text, line)
  if (text === '{}') return {}
  const quoted = parseQuoted(text, line)
  if (quoted !== undefined) return quoted
  if (UNREAD.test(text) || /:(\s|$)/.test(text))
    fail(line, `'${text.slice(0, 40)}' is YAML that is not read here`)
  if (/^(~|null)$/i.test(text)) return null
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : text
}

/** `[a, 'b', 3]` */
function parseList(text: string, line: number): YamlValue[] {
  if (!/^\[.*\]$/.test(text)) fail(line, 'a [list] must end on its own line')
  const values: YamlValue[] = []
  let separated = true
  const inside = text.slice(1, -1).trim()
  for (const [, item, comma] of inside.matchAll(ITEM_OR_COMMA)) {
    if ((comma !== undefined) === separated) fail(line, `a comma too many or too few in ${text.slice(0, 40)}`)
    separated = comma !== undefined
    if (separated) continue
    if (item[0] === '[') fail(line, 'lists in lists are not read')
    values.push(parseScalar(item.trimEnd(), line))
  }
  return values
}
