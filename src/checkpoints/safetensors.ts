import { CheckpointError } from '../errors.js'
import { bytesPerElement, DTYPES, type Dtype, type HalfWidener, isDtype } from './dtypes.js'
import { repeatedKey } from './json.js'
import { dequantized } from './reduced.js'
import {
  type ByteSource,
  checkTarget,
  elementCount,
  inMemory,
  MAX_DIMENSIONS,
  MAX_NAME_LENGTH,
  type PlainTensor,
  readContiguous,
  readTensor,
  showShape,
  type TensorSource,
} from './source.js'

const MAX_HEADER_BYTES = 100_000_000 // the reference implementation's limit
const METADATA = '__metadata__'
// Sized, so that a file is not refused for a tensor that nobody asks for; reading one is an error.
const UNREADABLE_BYTES = new Map([
  ['F8_E4M3', 1],
  ['F8_E5M2', 1],
  ['F8_E8M0', 1],
  ['C64', 8],
])

/** A tensor to be written; `data` is row-major, in the machine's (little-endian) byte order. */
export interface TensorData {
  dtype: Dtype
  shape: readonly number[]
  data: ArrayBufferView
}

interface Entry {
  dtype: string
  shape: number[]
  begin: number
  end: number
}

/**
 * Opens a safetensors file; only its header is read here. `widenHalves`: a faster way than JavaScript's. Bytes with scales beside them are read multiplied out (reduced.ts).
 * @throws CheckpointError if the header is too long, malformed, or does not describe the file exactly.
 */
export async function openSafetensors(file: ByteSource, widenHalves?: HalfWidener): Promise<TensorSource> {
  file = await inMemory(file)
  const { text, dataStart } = await readHeader(file)
  const { metadata, entries } = parseHeader(text, file.size - dataStart)
  const find = (name: string): Entry & PlainTensor => {
    const entry = entries.get(name)
    if (!entry) throw new CheckpointError(`there is no tensor '${name}' in this safetensors file`)
    if (!isDtype(entry.dtype))
      throw new CheckpointError(`'${name}' is stored as ${entry.dtype}; readable are ${DTYPES.join(', ')}`)
    return entry as Entry & PlainTensor
  }
  const source: TensorSource = {
    metadata,
    names: () => [...entries.keys()],
    has: name => entries.has(name),
    info(name) {
      const { dtype, shape } = find(name)
      return { dtype, shape }
    },
    read: name => readTensor(source, name),
    async readInto(name, target) {
      const { dtype, shape, begin } = find(name)
      checkTarget(name, shape, target)
      await readContiguous(file, dataStart + begin, dtype, target, widenHalves)
    },
    close: () => file.close(),
  }
  return dequantized(source)
}

async function readHeader(file: ByteSource): Promise<{ text: string; dataStart: number }> {
  if (file.size < 8)
    throw new CheckpointError(
      `the file has ${file.size} bytes; a safetensors file begins with an 8-byte header length`,
    )
  const prefix = await file.read(0, 8)
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true))
  if (length > MAX_HEADER_BYTES)
    throw new CheckpointError(
      `the safetensors header claims ${length} bytes; at most ${MAX_HEADER_BYTES} are allowed and the file has ${file.size}`,
    )
  if (length > file.size - 8)
    throw new CheckpointError(
      `the safetensors header claims ${length} bytes and ${file.size - 8} follow; the file is truncated, get it again`,
    )
  const bytes = await file.read(8, length)
  if (bytes[0] !== 0x7b)
    throw new CheckpointError(`the safetensors header begins with byte ${bytes[0] ?? 'none'}, expected '{'`)
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), dataStart: 8 + length }
  } catch (error) {
    throw new CheckpointError('the safetensors header is not UTF-8 text', { cause: error })
  }
}

function parseHeader(text: string, dataBytes: number) {
  let header: Record<string, unknown>
  try {
    header = JSON.parse(text)
  } catch (error) {
    throw new CheckpointError(`the safetensors header is not JSON: ${(error as Error).message}`, {
      cause: error,
    })
  }
  const repeated = repeatedKey(text)
  if (repeated !== undefined)
    throw new CheckpointError(
      `the safetensors header has '${repeated.slice(0, 100)}' twice; every name must be unique`,
    )
  const entries = new Map<string, Entry>()
  let metadata: Record<string, string> = {}
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) metadata = checkMetadata(value)
    else entries.set(name, parseEntry(name, value))
  }
  checkLayout(entries, dataBytes)
  return { metadata, entries }
}

function checkMetadata(value: unknown): Record<string, string> {
  const isText =
    value && typeof value === 'object' && Object.values(value).every(item => typeof item === 'string')
  if (!isText || Array.isArray(value))
    throw new CheckpointError(`${METADATA} in the safetensors header must map text to text`)
  return value as Record<string, string>
}

const isSize = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0

function parseEntry(name: string, value: unknown): Entry {
  if (name.length > MAX_NAME_LENGTH)
    throw new CheckpointError(
      `a tensor name of ${name.length} characters; at most ${MAX_NAME_LENGTH} are read`,
    )
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>
  const wellFormed =
    typeof dtype === 'string' &&
    Array.isArray(shape) &&
    shape.length <= MAX_DIMENSIONS &&
    shape.every(isSize) &&
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every(isSize)
  if (!wellFormed)
    throw new CheckpointError(
      `'${name}' in the safetensors header must have dtype, shape and data_offsets, found ${JSON.stringify(value).slice(0, 200)}`,
    )
  const size = isDtype(dtype) ? bytesPerElement(dtype) : UNREADABLE_BYTES.get(dtype)
  if (size === undefined)
    throw new CheckpointError(
      `'${name}' has the unknown dtype '${dtype.slice(0, 40)}'; known are ${DTYPES.join(', ')}`,
    )
  const [begin, end] = offsets as [number, number]
  const length = elementCount(shape) * size
  if (end - begin !== length)
    throw new CheckpointError(
      `'${name}' ${dtype} ${showShape(shape)} needs ${length} bytes and has ${end - begin} (${begin} to ${end})`,
    )
  return { dtype, shape, begin, end }
}

/** The format's rule: tensors cover the data without holes or overlaps. */
function checkLayout(entries: Map<string, Entry>, dataBytes: number): void {
  const ordered = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)
  let covered = 0
  for (const [name, { begin, end }] of ordered) {
    if (begin !== covered)
      throw new CheckpointError(
        `'${name}' ${begin < covered ? 'overlaps the tensor before it' : 'leaves a hole before it'}: it begins at byte ${begin} of the data, expected ${covered}`,
      )
    covered = end
  }
  if (covered > dataBytes)
    throw new CheckpointError(
      `the tensors take ${covered} bytes and the file holds ${dataBytes} of them; it is truncated, get it again`,
    )
  if (covered < dataBytes)
    throw new CheckpointError(
      `the tensors take ${covered} bytes and ${dataBytes - covered} unexplained bytes follow`,
    )
}

/** A safetensors file about to be written: its beginning, and the order in which the tensors' data follow. */
export interface SafetensorsPlan {
  /** Length, header, and the blanks that align what follows. */
  readonly head: Uint8Array<ArrayBuffer>
  readonly names: readonly string[]
  /** Bytes of the whole file. */
  readonly size: number
}

/** Lays out a safetensors file in the reference implementation's order: widest dtypes first, then by name. */
export function planSafetensors(
  tensors: Readonly<Record<string, PlainTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): SafetensorsPlan {
  const rank = ({ dtype }: PlainTensor) => DTYPES.indexOf(dtype)
  const ordered = Object.entries(tensors).sort(([a, x], [b, y]) => rank(x) - rank(y) || (a < b ? -1 : 1))
  const entries: [string, unknown][] = Object.keys(metadata).length ? [[METADATA, metadata]] : []
  let end = 0
  for (const [name, { dtype, shape }] of ordered) {
    const length = elementCount(shape) * bytesPerElement(dtype)
    entries.push([name, { dtype, shape, data_offsets: [end, end + length] }])
    end += length
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)))
  const dataStart = 8 + Math.ceil(text.length / 8) * 8 // the data begins aligned for every dtype
  const head = new Uint8Array(dataStart).fill(0x20, 8)
  new DataView(head.buffer).setBigUint64(0, BigInt(dataStart - 8), true)
  head.set(text, 8)
  return { head, names: ordered.map(([name]) => name), size: dataStart + end }
}

/**
 * Writes a safetensors file.
 * @throws CheckpointError if a tensor's data has another size than its dtype and shape say.
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, TensorData>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    const length = elementCount(shape) * bytesPerElement(dtype)
    if (name === METADATA || data.byteLength !== length)
      throw new CheckpointError(
        `'${name}' ${dtype} ${showShape(shape)} needs ${length} bytes, found ${data.byteLength}`,
      )
  }
  const { head, names, size } = planSafetensors(tensors, metadata)
  const file = new Uint8Array(size)
  file.set(head)
  let position = head.length
  for (const name of names) {
    const { data } = tensors[name]
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position)
    position += data.byteLength
  }
  return file
}
