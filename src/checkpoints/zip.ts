// The part of ZIP that torch.save writes: stored entries, found through the central directory, ZIP64 for big files.
import { CheckpointError } from '../errors.js'
import type { ByteSource } from './source.js'

const END_BYTES = 22
const LOCATOR_BYTES = 20
const END64_BYTES = 56
const CENTRAL_BYTES = 46
const LOCAL_BYTES = 30
const MAX_COMMENT_BYTES = 0xffff
const MAX_DIRECTORY_BYTES = 1 << 27
const SATURATED = 0xffffffff // the real number is in a ZIP64 record
const UTF8 = new TextDecoder()

/** One file of the archive, as its central directory describes it. */
export interface ZipEntry {
  readonly name: string
  readonly method: number
  readonly encrypted: boolean
  readonly storedBytes: number
  readonly size: number
  readonly localOffset: number
}

interface Directory {
  count: number
  bytes: number
  offset: number
}

/** Little-endian fields of a record. */
class Fields {
  readonly view: DataView
  constructor(bytes: Uint8Array, offset = 0) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset + offset, bytes.byteLength - offset)
  }
  u16(at: number): number {
    return this.view.getUint16(at, true)
  }
  u32(at: number): number {
    return this.view.getUint32(at, true)
  }
  u64(at: number): number {
    const value = Number(this.view.getBigUint64(at, true))
    if (!Number.isSafeInteger(value))
      throw new CheckpointError(`a ZIP64 record holds the impossible number ${value}`)
    return value
  }
}

/** A ZIP archive that is read by ranges; entries must be stored, not compressed. */
export class ZipArchive {
  private constructor(
    private readonly file: ByteSource,
    private readonly directoryOffset: number,
    readonly entries: ReadonlyMap<string, ZipEntry>,
  ) {}

  /** @throws CheckpointError if the central directory is missing, damaged or points outside the file. */
  static async open(file: ByteSource): Promise<ZipArchive> {
    const directory = await findDirectory(file)
    return new ZipArchive(file, directory.offset, await readDirectory(file, directory))
  }

  /** Where the entry's bytes begin in the file; they are contiguous there. */
  async dataOffset(entry: ZipEntry): Promise<number> {
    const { name, method, localOffset, size } = entry
    if (entry.encrypted) throw new CheckpointError(`'${name}' in the zip file is encrypted`)
    if (method !== 0 || entry.storedBytes !== size)
      throw new CheckpointError(
        `'${name}' in the zip file is compressed (method ${method}${method === 8 ? ', deflate' : ''}); PyTorch stores its entries, ` +
          'so something re-packed this file: write it again with torch.save',
      )
    if (localOffset + LOCAL_BYTES > this.directoryOffset)
      throw new CheckpointError(`'${name}' in the zip file lies outside the file (offset ${localOffset})`)
    const local = new Fields(await this.file.read(localOffset, LOCAL_BYTES))
    if (local.u32(0) !== 0x04034b50)
      throw new CheckpointError(
        `'${name}' in the zip file does not begin with a local header; the file is damaged`,
      )
    const offset = localOffset + LOCAL_BYTES + local.u16(26) + local.u16(28)
    if (offset + size > this.directoryOffset)
      throw new CheckpointError(
        `'${name}' in the zip file claims ${size} bytes at ${offset}, beyond the file's data`,
      )
    return offset
  }

  async read(entry: ZipEntry): Promise<Uint8Array> {
    return this.file.read(await this.dataOffset(entry), entry.size)
  }
}

async function findDirectory(file: ByteSource): Promise<Directory> {
  for (const comment of [0, MAX_COMMENT_BYTES]) {
    const length = Math.min(file.size, LOCATOR_BYTES + END_BYTES + comment)
    const tail = new Fields(await file.read(file.size - length, length))
    const first = length < file.size ? LOCATOR_BYTES : 0 // a ZIP64 locator may stand before the end record
    for (let at = length - END_BYTES; at >= first; at--)
      if (tail.u32(at) === 0x06054b50 && at + END_BYTES + tail.u16(at + 20) === length)
        return readEnd(file, tail, at, file.size - length)
  }
  throw new CheckpointError(
    `no zip directory at the end of the file (${file.size} bytes): it is truncated, get it again`,
  )
}

/** The end record at `at` of `tail`, which begins at `tailOffset` of the file. */
async function readEnd(file: ByteSource, tail: Fields, at: number, tailOffset: number): Promise<Directory> {
  const locator = at - LOCATOR_BYTES
  const directory =
    locator >= 0 && tail.u32(locator) === 0x07064b50
      ? await readEnd64(file, tail.u64(locator + 8), tailOffset + locator)
      : { count: tail.u16(at + 10), bytes: tail.u32(at + 12), offset: tail.u32(at + 16) }
  const { bytes, offset } = directory
  if (offset + bytes > tailOffset + at)
    throw new CheckpointError(
      `the zip directory claims ${bytes} bytes at ${offset}, beyond its place in the file`,
    )
  if (bytes > MAX_DIRECTORY_BYTES)
    throw new CheckpointError(
      `the zip directory claims ${bytes} bytes; at most ${MAX_DIRECTORY_BYTES} are read`,
    )
  return directory
}

async function readEnd64(file: ByteSource, offset: number, locatorOffset: number): Promise<Directory> {
  if (offset + END64_BYTES > locatorOffset)
    throw new CheckpointError(
      `the zip file's ZIP64 locator points to ${offset}, beyond its place in the file`,
    )
  const end = new Fields(await file.read(offset, END64_BYTES))
  if (end.u32(0) !== 0x06064b50)
    throw new CheckpointError(`the zip file's ZIP64 locator points to ${offset}, where no ZIP64 record is`)
  return { count: end.u64(32), bytes: end.u64(40), offset: end.u64(48) }
}

async function readDirectory(file: ByteSource, directory: Directory): Promise<Map<string, ZipEntry>> {
  const bytes = await file.read(directory.offset, directory.bytes)
  const entries = new Map<string, ZipEntry>()
  let at = 0
  for (let i = 0; i < directory.count; i++) {
    const end = recordEnd(bytes, at)
    if (end === undefined)
      throw new CheckpointError(
        `the zip directory breaks off at entry ${i} of ${directory.count}; the file is damaged`,
      )
    const entry = parseEntry(bytes.subarray(at, end))
    if (entries.has(entry.name)) throw new CheckpointError(`the zip file has '${entry.name}' twice`)
    entries.set(entry.name, entry)
    at = end
  }
  return entries
}

function recordEnd(bytes: Uint8Array, at: number): number | undefined {
  if (at + CENTRAL_BYTES > bytes.length) return undefined
  const record = new Fields(bytes, at)
  const end = at + CENTRAL_BYTES + record.u16(28) + record.u16(30) + record.u16(32)
  return record.u32(0) === 0x02014b50 && end <= bytes.length ? end : undefined
}

function parseEntry(bytes: Uint8Array): ZipEntry {
  const record = new Fields(bytes)
  const extraStart = CENTRAL_BYTES + record.u16(28)
  const name = UTF8.decode(bytes.subarray(CENTRAL_BYTES, extraStart))
  const extra = zip64Numbers(bytes.subarray(extraStart, extraStart + record.u16(30)))
  const number = (at: number) =>
    record.u32(at) === SATURATED ? (extra.shift() ?? SATURATED) : record.u32(at)
  const size = number(24) // the order of the ZIP64 record: uncompressed, compressed, offset
  const storedBytes = number(20)
  const localOffset = number(42)
  return {
    name,
    method: record.u16(10),
    encrypted: (record.u16(8) & 1) !== 0,
    storedBytes,
    size,
    localOffset,
  }
}

/** The 64-bit numbers of the extra field with id 1; empty if there is none. */
function zip64Numbers(extra: Uint8Array): number[] {
  const fields = new Fields(extra)
  for (let at = 0; at + 4 <= extra.length; at += 4 + fields.u16(at + 2)) {
    if (fields.u16(at) !== 1) continue
    const end = Math.min(at + 4 + fields.u16(at + 2), extra.length)
    const numbers: number[] = []
    for (let i = at + 4; i + 8 <= end; i += 8) numbers.push(fields.u64(i))
    return numbers
  }
  return []
}
