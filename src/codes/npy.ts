import { TokenError } from '../errors.js'

const MAGIC = '\x93NUMPY'

/** More than any tokenizer has; a hostile shape cannot ask for more rows. */
const MAX_CODEBOOKS = 1024

type Reader = (view: DataView, at: number) => number

/** NumPy's names of the integer types that are read: bytes per element, and how. */
const INTEGERS: Readonly<Record<string, [bytes: number, read: Reader]>> = {
  '|u1': [1, (view, at) => view.getUint8(at)],
  '|i1': [1, (view, at) => view.getInt8(at)],
  '<u2': [2, (view, at) => view.getUint16(at, true)],
  '<i2': [2, (view, at) => view.getInt16(at, true)],
  '<u4': [4, (view, at) => view.getUint32(at, true)],
  '<i4': [4, (view, at) => view.getInt32(at, true)],
  '<u8': [8, (view, at) => Number(view.getBigUint64(at, true))],
  '<i8': [8, (view, at) => Number(view.getBigInt64(at, true))],
}

/** True when the bytes start like a .npy file. */
export function isNpy(bytes: Uint8Array): boolean {
  return latin1(bytes.subarray(0, 6)) === MAGIC
}

/**
 * Reads integers of a .npy file: [frames] or [codebooks, frames]; of three dimensions, one of the first two must be 1 (PyTorch
 * models give [codebooks, batch, frames]).
 *
 * @returns one row per codebook
 * @throws TokenError for other types, shapes, byte orders, and for a truncated file
 */
export function decodeNpy(bytes: Uint8Array): number[][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { text, dataStart } = readHeader(bytes, view)
  const descr = text.match(/'descr'\s*:\s*'([^']*)'/)?.[1]
  const fortran = /'fortran_order'\s*:\s*True/.test(text)
  const sizes = text.match(/'shape'\s*:\s*\(([\d\s,]*)\)/)?.[1]
  if (descr === undefined || sizes === undefined) {
    throw new TokenError(`the .npy header says neither type nor shape: ${text.slice(0, 100)}`)
  }
  const [size, read] = INTEGERS[descr] ?? []
  if (!size || !read) {
    throw new TokenError(
      `the .npy file holds '${descr}', expected little-endian integers (${Object.keys(INTEGERS).join(' ')})`,
    )
  }
  const [codebooks, frames] = asMatrix((sizes.match(/\d+/g) ?? []).map(Number))
  const expected = codebooks * frames * size
  if (bytes.length - dataStart < expected) {
    throw new TokenError(
      `the .npy file is truncated: [${codebooks}, ${frames}] of '${descr}' needs ${expected} bytes, ${bytes.length - dataStart} are there`,
    )
  }
  const [rowStep, frameStep] = fortran ? [1, codebooks] : [frames, 1]
  return Array.from({ length: codebooks }, (_, c) =>
    Array.from({ length: frames }, (_, t) => read(view, dataStart + (c * rowStep + t * frameStep) * size)),
  )
}

/** A .npy file (version 1.0) of uint16 [codebooks, frames], C order. */
export function encodeNpy(codes: readonly Uint16Array[]): Uint8Array<ArrayBuffer> {
  const frames = codes[0].length
  const dictionary = `{'descr': '<u2', 'fortran_order': False, 'shape': (${codes.length}, ${frames}), }`
  // The data starts at a multiple of 64 bytes; the header ends with a newline.
  const headerBytes = Math.ceil((10 + dictionary.length + 1) / 64) * 64
  const bytes = new Uint8Array(headerBytes + 2 * codes.length * frames).fill(0x20, 0, headerBytes)
  const view = new DataView(bytes.buffer)
  const text = (value: string, at: number) =>
    bytes.set(
      Uint8Array.from(value, letter => letter.charCodeAt(0)),
      at,
    )
  text(`${MAGIC}\x01\x00`, 0)
  view.setUint16(8, headerBytes - 10, true)
  text(dictionary, 10)
  bytes[headerBytes - 1] = 0x0a
  let at = headerBytes
  for (const row of codes) {
    for (const code of row) {
      view.setUint16(at, code, true)
      at += 2
    }
  }
  return bytes
}

function readHeader(bytes: Uint8Array, view: DataView): { text: string; dataStart: number } {
  const version = bytes[6]
  const start = version === 1 ? 10 : 12
  if (bytes.length < start)
    throw new TokenError(`the .npy file is truncated inside its header (${bytes.length} bytes)`)
  if (version < 1 || version > 3)
    throw new TokenError(`.npy version ${version} is unknown, expected 1, 2 or 3`)
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (start + length > bytes.length) {
    throw new TokenError(
      `the .npy file is truncated: its header claims ${length} bytes, ${bytes.length - start} are there`,
    )
  }
  return {
    text: latin1(bytes.subarray(start, Math.min(start + length, start + 4096))),
    dataStart: start + length,
  }
}

function asMatrix(shape: number[]): [codebooks: number, frames: number] {
  const matrix =
    shape.length === 3 && (shape[0] === 1 || shape[1] === 1) ? [shape[0] * shape[1], shape[2]] : shape
  const [codebooks, frames] = matrix.length === 1 ? [1, matrix[0]] : matrix
  if (matrix.length <= 2 && codebooks >= 1 && codebooks <= MAX_CODEBOOKS && frames >= 0)
    return [codebooks, frames]
  throw new TokenError(
    `the .npy file has shape [${shape.join(', ')}], expected [frames] or [codebooks, frames] with 1 to ${MAX_CODEBOOKS} codebooks`,
  )
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
