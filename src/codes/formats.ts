import { TokenError } from '../errors.js'
import { decodeNpy, encodeNpy, isNpy } from './npy.js'
import { isWtok, type TokenFileError } from './wtok-format.js'
import { decodeWtok } from './wtok-reader.js'
import { encodeWtok, type TokenWriterOptions } from './wtok-writer.js'

/**
 * Token files: `wtok` (compressed, checked, streamable) and `json` have everything that the tokens know; `npy` (uint16 [codebooks,
 * frames]) and `txt` (one line per codebook, codes separated by spaces) have the codes alone.
 */
export type TokenFileFormat = 'wtok' | 'json' | 'npy' | 'txt'

/** Every {@link TokenFileFormat}; each is also the file name extension. */
export const TOKEN_FILE_FORMATS: readonly TokenFileFormat[] = ['wtok', 'json', 'npy', 'txt']

/** What can be written to a token file: `AudioTokens`, or data of the same form. */
export interface WritableTokens {
  /** [codebook][frame] */
  readonly codes: readonly Uint16Array[]
  readonly codebookSizes: readonly number[]
  /** Frames per second. */
  readonly frameRate: number
  /** Frames that share a code of each codebook, where they have several rates. */
  readonly strides?: readonly number[]
  /** Frames of a segment, where each has a level of its own, and these levels. */
  readonly segmentFrames?: number
  readonly scales?: readonly number[]
  /** Hz. */
  readonly sampleRate: number
  readonly model: string
  toJSON(): unknown
}

/** How to write a .wtok file; the other formats have no room for it. */
export type WtokOptions = Pick<TokenWriterOptions, 'modelHash' | 'coding' | 'blockFrames'>

/** What a token file says. Only `wtok` and `json` files say more than codes. */
export interface StoredTokens {
  readonly fileFormat: TokenFileFormat
  /** [codebook][frame], all rows equally long, or [codebook][frame / stride]. */
  readonly codes: Uint16Array[]
  readonly codebookSizes?: readonly number[]
  readonly strides?: readonly number[]
  readonly segmentFrames?: number
  readonly scales?: readonly number[]
  /** Frames per second. */
  readonly frameRate?: number
  /** Hz. */
  readonly sampleRate?: number
  readonly model?: string
  /** First digits of the SHA-256 of the model's weights, hexadecimal. */
  readonly modelHash?: string
  /** Why the codes end where they do, when a damaged file was recovered. */
  readonly damage?: TokenFileError
}

/** The bytes of a token file. @throws TokenError for codebooks of several rates in a format that has no room for them */
export function encodeTokens(
  tokens: WritableTokens,
  format: TokenFileFormat,
  options: WtokOptions = {},
): Uint8Array<ArrayBuffer> {
  const { codes, model, sampleRate, frameRate, strides, segmentFrames, scales } = tokens
  const codebookSizes = tokens.codebookSizes.slice(0, codes.length)
  if (format === 'wtok')
    return encodeWtok(codes, {
      ...{ model, sampleRate, frameRate, strides, segmentFrames, scales, codebookSizes },
      ...options,
    })
  if (strides && format !== 'json')
    throw new TokenError(
      `.${format} files hold codebooks of one rate, these have strides ${strides.join(', ')}; write .wtok or .json`,
    )
  if (scales && format !== 'json')
    throw new TokenError(`.${format} files have no room for the levels of segments; write .wtok or .json`)
  if (format === 'npy') return encodeNpy(codes)
  const text =
    format === 'json' ? JSON.stringify(tokens.toJSON()) : codes.map(row => row.join(' ')).join('\n')
  return new TextEncoder().encode(`${text}\n`)
}

/**
 * Reads a token file; the format is recognised from the bytes. JSON may also be a bare list of codes, or of lists.
 *
 * @param recover of a damaged .wtok file, give what lies before the damage
 * @throws TokenError when the bytes are no token file, are truncated, or hold codes that are no whole numbers from 0 to 65535
 */
export function decodeTokens(bytes: Uint8Array, { recover = false } = {}): StoredTokens {
  if (bytes.length === 0) throw new TokenError('the token file is empty (0 bytes)')
  if (isWtok(bytes)) {
    const { header, codes, damage } = decodeWtok(bytes, { recover })
    const { codebookSizes, strides, segmentFrames, scales, frameRate, sampleRate, model, modelHash } = header
    return {
      fileFormat: 'wtok',
      codes,
      codebookSizes,
      ...(strides && { strides }),
      // of a damaged file only those of the frames that are there
      ...(segmentFrames && {
        segmentFrames,
        scales: scales?.slice(0, Math.ceil(codes[0].length / segmentFrames)),
      }),
      frameRate,
      sampleRate,
      model,
      modelHash,
      damage,
    }
  }
  if (isNpy(bytes)) return { fileFormat: 'npy', codes: checkCodes(decodeNpy(bytes)) }
  const text = decodeText(bytes).trim()
  if (/^[[{]/.test(text)) return decodeJson(text)
  if (!/^\d/.test(text)) throw unrecognised(bytes)
  const rows = text.split(/\s*\n\s*/).map(line => line.split(/\s+/).map(parseCode))
  return { fileFormat: 'txt', codes: checkCodes(rows) }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw unrecognised(bytes)
  }
}

function unrecognised(bytes: Uint8Array): TokenError {
  const head = Array.from(bytes.subarray(0, 4), byte => byte.toString(16).padStart(2, '0')).join(' ')
  const hint = head === '52 49 46 46' ? '; it is a WAV file: encode it first' : ''
  return new TokenError(`not a token file (.wtok, .json, .npy or .txt): the first bytes are ${head}${hint}`)
}

function parseCode(word: string): number {
  if (!/^\d+$/.test(word))
    throw new TokenError(`'${word.slice(0, 40)}' in the token file is not a code (a whole number)`)
  return Number(word)
}

function decodeJson(text: string): StoredTokens {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new TokenError(`the token file is not valid JSON (truncated?): ${(error as Error).message}`, {
      cause: error,
    })
  }
  const fields = Array.isArray(value) ? { codes: value } : (value as Record<string, unknown>)
  const { codes } = fields
  if (!Array.isArray(codes)) {
    const found = Object.keys(fields).slice(0, 8).join(', ')
    throw new TokenError(
      `the JSON file has no list 'codes', so it is not a token file; it has: ${found || 'nothing'}`,
    )
  }
  const rows = codes.length > 0 && codes.every(Array.isArray) ? (codes as unknown[][]) : [codes]
  const segmentFrames = optional<number>(fields, 'segmentFrames', isRate, 'a positive number')
  const scales = optional<number[]>(fields, 'scales', Array.isArray, 'a list of numbers')
  const strides = optional<number[]>(fields, 'strides', isSizes, 'a list of whole numbers from 1')
  return {
    fileFormat: 'json',
    codes: checkCodes(rows, strides),
    ...(strides && { strides }),
    ...(segmentFrames && { segmentFrames, scales }),
    codebookSizes: optional(fields, 'codebookSizes', isSizes, 'a list of sizes from 1 to 65536'),
    frameRate: optional(fields, 'frameRate', isRate, 'a positive number'),
    sampleRate: optional(fields, 'sampleRate', isRate, 'a positive number'),
    model: optional(fields, 'model', value => typeof value === 'string', 'a text'),
  }
}

function optional<T>(
  fields: Record<string, unknown>,
  name: string,
  isValid: (value: unknown) => boolean,
  expected: string,
): T | undefined {
  const value = fields[name]
  if (value === undefined || isValid(value)) return value as T | undefined
  throw new TokenError(
    `'${name}' in the token file is ${JSON.stringify(value).slice(0, 80)}, expected ${expected}`,
  )
}

function isRate(value: unknown): boolean {
  return typeof value === 'number' && value > 0
}

function isSizes(value: unknown): boolean {
  return Array.isArray(value) && value.every(size => Number.isInteger(size) && size >= 1 && size <= 65536)
}

function checkCodes(rows: readonly (readonly unknown[])[], strides: readonly number[] = []): Uint16Array[] {
  if (rows.length === 0) throw new TokenError('the token file has no codebooks')
  rows.forEach((row, c) => {
    const [frames, expected] = [row.length * (strides[c] ?? 1), rows[0].length * (strides[0] ?? 1)]
    if (frames !== expected)
      throw new TokenError(
        `codebook ${c} has ${frames} frames, codebook 0 has ${expected}; all must agree (one line or list per codebook)`,
      )
    row.forEach((code, frame) => {
      if (Number.isInteger(code) && (code as number) >= 0 && (code as number) <= 0xffff) return
      throw new TokenError(
        `code ${String(JSON.stringify(code)).slice(0, 40)} at frame ${frame} of codebook ${c} is no whole number from 0 to 65535`,
      )
    })
  })
  return rows.map(row => Uint16Array.from(row as readonly number[]))
}
