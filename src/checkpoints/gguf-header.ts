// What stands before the data of a GGUF file, read piece by piece: nothing tells beforehand how long it is.
import { CheckpointError } from '../errors.js'
import type { Dtype } from './dtypes.js'
import { BLOCK_FORMATS, type BlockDtype, isBlockDtype } from './gguf-blocks.js'
import { type ByteSource, elementCount, MAX_NAME_LENGTH } from './source.js'

// Bounds that no real file comes near; they keep hostile ones from costing time and memory.
const MAX_KEYS = 1 << 16
const MAX_TENSORS = 1 << 20
const MAX_KEY_LENGTH = (1 << 16) - 1 // the format's own
const MAX_TEXT_LENGTH = 1 << 24
const MAX_STRINGS = 1 << 22 // vocabularies have up to some hundred thousand
const MAX_DIMENSIONS = 4 // ggml's own
const MAX_ALIGNMENT = 1 << 16
const MAX_NESTING = 4
const DEFAULT_ALIGNMENT = 32
const WINDOW_BYTES = 1 << 16

export interface StoredTensor {
  readonly dtype: Dtype | BlockDtype
  /** PyTorch's, slowest dimension first: the file has it the other way round. */
  readonly shape: readonly number[]
  readonly count: number
  /** Bytes from the beginning of the data. */
  readonly offset: number
  /** Where in the file its description begins. */
  readonly at: number
}

export interface GgufHeader {
  readonly version: number
  /** Values as text; of arrays only what they are. */
  readonly keys: ReadonlyMap<string, string>
  readonly tensors: Map<string, StoredTensor>
  readonly dataStart: number
  readonly alignment: number
}

/** ggml_type. Those between have been removed from ggml, or came later than this table. */
const TYPES: Readonly<Record<number, Dtype | BlockDtype>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  30: 'BF16',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
}

/** ggml's number of a type. */
export function typeNumber(dtype: Dtype | BlockDtype): number {
  return Number(Object.keys(TYPES).find(number => TYPES[Number(number)] === dtype))
}

type Scalar = (view: DataView) => string

const shownFloat = (value: number) => String(Number(value.toPrecision(7))) // as it was written, not as the nearest f32

/** gguf_metadata_value_type: its bytes and what they say. 8 is text and 9 an array. */
const SCALARS: Readonly<Record<number, readonly [name: string, bytes: number, show: Scalar]>> = {
  0: ['u8', 1, view => String(view.getUint8(0))],
  1: ['i8', 1, view => String(view.getInt8(0))],
  2: ['u16', 2, view => String(view.getUint16(0, true))],
  3: ['i16', 2, view => String(view.getInt16(0, true))],
  4: ['u32', 4, view => String(view.getUint32(0, true))],
  5: ['i32', 4, view => String(view.getInt32(0, true))],
  6: ['f32', 4, view => shownFloat(view.getFloat32(0, true))],
  7: ['bool', 1, view => (view.getUint8(0) ? 'true' : 'false')],
  10: ['u64', 8, view => String(view.getBigUint64(0, true))],
  11: ['i64', 8, view => String(view.getBigInt64(0, true))],
  12: ['f64', 8, view => String(view.getFloat64(0, true))],
}
const TEXT = 8
const ARRAY = 9

/** A place in the file, moving on as values are taken. */
class Cursor {
  position = 0
  private window: Uint8Array = new Uint8Array()
  private windowStart = 0

  constructor(private readonly file: ByteSource) {}

  get left(): number {
    return this.file.size - this.position
  }

  /** The next `length` bytes, which must be there. */
  async take(length: number, what: string): Promise<DataView> {
    if (length > this.left)
      throw new CheckpointError(
        `the GGUF file ends within ${what}: ${length} bytes at byte ${this.position} of ${this.file.size}; it is truncated or damaged, get it again`,
      )
    let start = this.position - this.windowStart
    if (start < 0 || start + length > this.window.length) {
      this.window = await this.file.read(this.position, Math.min(this.left, Math.max(length, WINDOW_BYTES)))
      this.windowStart = this.position
      start = 0
    }
    this.position += length
    return new DataView(this.window.buffer, this.window.byteOffset + start, length)
  }

  skip(length: number, what: string): void {
    if (!(length <= this.left))
      throw new CheckpointError(
        `${what} at byte ${this.position} takes ${length} bytes and ${this.left} follow; the file is truncated or damaged`,
      )
    this.position += length
  }

  async u32(what: string): Promise<number> {
    return (await this.take(4, what)).getUint32(0, true)
  }

  /** A count, size or offset of at most `most`. */
  async u64(what: string, most: number): Promise<number> {
    const at = this.position
    const value = (await this.take(8, what)).getBigUint64(0, true)
    if (value > BigInt(most))
      throw new CheckpointError(`${what} at byte ${at} is ${value}; at most ${most} can be true here`)
    return Number(value)
  }

  async text(what: string, most: number): Promise<string> {
    const length = await this.u64(`length of ${what}`, Math.min(most, Math.max(0, this.left - 8)))
    const at = this.position
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await this.take(length, what))
    } catch (error) {
      if (error instanceof CheckpointError) throw error
      throw new CheckpointError(`${what} at byte ${at} is not UTF-8 text`, { cause: error })
    }
  }
}

/** @throws CheckpointError naming the byte where something cannot be true */
export async function readHeader(file: ByteSource): Promise<GgufHeader> {
  const cursor = new Cursor(file)
  const version = await readVersion(cursor)
  const tensorCount = await cursor.u64('the number of tensors', MAX_TENSORS)
  const keyCount = await cursor.u64('the number of keys', MAX_KEYS)
  const keys = new Map<string, string>()
  for (let i = 0; i < keyCount; i++) {
    const at = cursor.position
    const key = await cursor.text(`key ${i + 1} of ${keyCount}`, MAX_KEY_LENGTH)
    if (keys.has(key)) throw new CheckpointError(`the key '${shown(key)}' at byte ${at} occurs twice`)
    keys.set(key, await readValue(cursor, `the value of '${shown(key)}'`))
  }
  const tensors = new Map<string, StoredTensor>()
  for (let i = 0; i < tensorCount; i++) {
    const at = cursor.position
    const name = await cursor.text(`the name of tensor ${i + 1} of ${tensorCount}`, MAX_NAME_LENGTH)
    if (tensors.has(name)) throw new CheckpointError(`the tensor '${shown(name)}' at byte ${at} occurs twice`)
    tensors.set(name, await readTensorInfo(cursor, shown(name), at))
  }
  const alignment = alignmentOf(keys)
  const dataStart = Math.ceil(cursor.position / alignment) * alignment
  return { version, keys, tensors, dataStart, alignment }
}

function shown(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}...` : name
}

async function readVersion(cursor: Cursor): Promise<number> {
  const magic = new TextDecoder('latin1').decode(await cursor.take(4, 'the magic'))
  if (magic !== 'GGUF')
    throw new CheckpointError(`a GGUF file begins with 'GGUF', found '${magic}' at byte 0`)
  const version = await cursor.u32('the version')
  if (version === 2 || version === 3) return version
  const isBigEndian = version === 0x2000000 || version === 0x3000000
  throw new CheckpointError(
    isBigEndian
      ? 'this GGUF file is big-endian (version at byte 4); little-endian ones can be read'
      : `the GGUF version at byte 4 is ${version}; versions 2 and 3 can be read`,
  )
}

/** The next value as text. */
async function readValue(cursor: Cursor, what: string): Promise<string> {
  const at = cursor.position
  const type = await cursor.u32(`type of ${what}`)
  if (type === TEXT) return cursor.text(what, MAX_TEXT_LENGTH)
  if (type === ARRAY) return skipArray(cursor, what, 1)
  return scalar(type, what, at)[2](await cursor.take(scalar(type, what, at)[1], what))
}

function scalar(type: number, what: string, at: number) {
  const known = SCALARS[type]
  if (!known) throw new CheckpointError(`${what} has the unknown type ${type} at byte ${at}`)
  return known
}

/** Passes over an array; what it is, as text. */
async function skipArray(cursor: Cursor, what: string, depth: number): Promise<string> {
  const at = cursor.position
  const type = await cursor.u32(`type of the elements of ${what}`)
  const count = await cursor.u64(`the number of elements of ${what}`, cursor.left)
  if (type !== TEXT && type !== ARRAY) {
    const [name, bytes] = scalar(type, what, at)
    cursor.skip(count * bytes, what)
    return `[${count} ${name}]`
  }
  if (count > MAX_STRINGS || depth >= MAX_NESTING)
    throw new CheckpointError(
      `${what} at byte ${at} has ${count} elements, ${depth} arrays deep; at most ${MAX_STRINGS} and ${MAX_NESTING} are read`,
    )
  for (let i = 0; i < count; i++) {
    if (type === ARRAY) await skipArray(cursor, what, depth + 1)
    else cursor.skip(await cursor.u64(`length of text ${i + 1} in ${what}`, cursor.left), what)
  }
  return `[${count} ${type === TEXT ? 'texts' : 'arrays'}]`
}

async function readTensorInfo(cursor: Cursor, name: string, at: number): Promise<StoredTensor> {
  const rank = await cursor.u32(`the number of dimensions of '${name}'`)
  if (rank > MAX_DIMENSIONS)
    throw new CheckpointError(
      `'${name}' at byte ${at} has ${rank} dimensions; GGUF tensors have at most ${MAX_DIMENSIONS}`,
    )
  const sizes: number[] = []
  for (let i = 0; i < rank; i++)
    sizes.push(await cursor.u64(`a dimension of '${name}'`, Number.MAX_SAFE_INTEGER))
  const typeAt = cursor.position
  const type = await cursor.u32(`the type of '${name}'`)
  const dtype = TYPES[type]
  if (!dtype) throw new CheckpointError(`'${name}' has the unknown type ${type} at byte ${typeAt}`)
  const offset = await cursor.u64(`the offset of '${name}'`, Number.MAX_SAFE_INTEGER)
  const count = elementCount(sizes)
  const row = sizes[0] ?? 1
  if (!Number.isSafeInteger(count) || (isBlockDtype(dtype) && row % BLOCK_FORMATS[dtype].values !== 0))
    throw new CheckpointError(
      `'${name}' at byte ${at} has sizes ${sizes.join(' x ')}, which cannot be a tensor of ${dtype}`,
    )
  return { dtype, shape: sizes.reverse(), count, offset, at }
}

function alignmentOf(keys: ReadonlyMap<string, string>): number {
  const text = keys.get('general.alignment')
  if (text === undefined) return DEFAULT_ALIGNMENT
  const alignment = Number(text)
  const isPowerOfTwo = Number.isInteger(Math.log2(alignment))
  if (alignment >= 1 && alignment <= MAX_ALIGNMENT && isPowerOfTwo) return alignment
  throw new CheckpointError(
    `general.alignment is ${shown(text)}; expected a power of two up to ${MAX_ALIGNMENT}`,
  )
}
