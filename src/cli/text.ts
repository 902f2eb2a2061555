import { WavtokError } from '../index.js'
import { UsageError } from './environment.js'

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'is a directory, expected a file',
  ENOTDIR: 'a part of the path is not a directory',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
}

/** True for what users can cause and mend: no stack trace is shown for these. */
export function isExpected(error: unknown): error is Error {
  return error instanceof WavtokError || error instanceof UsageError || isSystemError(error)
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException
  return error instanceof Error && typeof code === 'string' && typeof syscall === 'string'
}

/** One line for an expected error; the stack, and what to do with it, for a fault of this program. */
export function describeError(error: unknown): string {
  if (isSystemError(error)) {
    const { code = '', path, message } = error
    return SYSTEM_ERRORS[code] ? `${path ? `${path}: ` : ''}${SYSTEM_ERRORS[code]}` : message
  }
  if (isExpected(error)) return error.message
  const stack = error instanceof Error ? error.stack : String(error)
  return `this is a fault in wavtok, please report it with the command and these lines:\n${stack}`
}

/** 5.14 s, or 1:02:03 from a minute on. */
export function showSeconds(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(2)} s` : showClock(seconds)
}

/** 0:07, 12:34, 1:02:03. */
export function showClock(seconds: number): string {
  const whole = Math.round(seconds)
  const minutes = Math.floor(whole / 60)
  const two = (value: number) => String(value).padStart(2, '0')
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`
}

/** 386, 73.9 M, 1.75 G. */
export function showCount(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(2)} G`
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`
  return String(count)
}

/** 1 codebook, 8 codebooks. */
export function plural(count: number, noun: string): string {
  return `${showCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** A heading and indented rows, labels in one column; rows without a value are left out. */
export function showTable(
  heading: string,
  rows: readonly [label: string, value: string | undefined][],
): string {
  const shown = rows.filter(([, value]) => value !== undefined && value !== '')
  const width = Math.max(...shown.map(([label]) => label.length))
  return [heading, ...shown.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`)].join('\n')
}

/** Rows of cells under each other; all columns but the first are flush right. */
export function showGrid(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)))
  return rows
    .map(row =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
