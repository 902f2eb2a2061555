import { ContextModel } from './context-model.js'
import { crc32 } from './crc32.js'
import { bitsOf, packedBytes, unpackCodes } from './packing.js'
import { type BitCoder, LEARNER, RangeDecoder } from './range-coder.js'
import { unfoldRates } from './rates.js'
import {
  BLOCK,
  CRC_BYTES,
  decodeHeader,
  MAX_BLOCK_CODES,
  storedSizes,
  TokenFileError,
  type TokenFileHeader,
} from './wtok-format.js'

/** One block as it lies in the file, before its codes are read. */
interface Block {
  readonly kind: number
  readonly frames: number
  readonly payload: Uint8Array
  /** Bytes of the block, checksum included. */
  readonly length: number
}

/**
 * Reads a .wtok file piece by piece, in any cut.
 *
 * @example
 * const reader = new TokenReader()
 * for await (const bytes of response.body) play(reader.push(bytes))
 * reader.end()
 */
export class TokenReader {
  #header: TokenFileHeader | undefined
  #sizes: readonly number[] = []
  #widths: readonly number[] = []
  #model: ContextModel | undefined
  #pending: Uint8Array = new Uint8Array(0)
  #offset = 0
  #frames = 0
  #isComplete = false
  #failure: TokenFileError | undefined

  /** What the file says about itself, once enough of it was pushed. */
  get header(): TokenFileHeader | undefined {
    return this.#header
  }

  /** Frames given so far. */
  get frames(): number {
    return this.#frames * (this.#header?.strides?.[0] ?? 1)
  }

  /** Bytes whose checksums were right. */
  get offset(): number {
    return this.#offset
  }

  /**
   * Takes the next bytes and gives the frames of every block that became whole: one row of codes per codebook, no row before the
   * header is known.
   *
   * @throws TokenFileError for damage; frames before it are given first, and the next call throws
   */
  push(bytes: Uint8Array): Uint16Array<ArrayBuffer>[] {
    if (this.#failure) throw this.#failure
    this.#pending = joined(this.#pending, bytes)
    const parts: Uint16Array[][] = []
    try {
      if (!this.#header) this.#readHeader()
      while (this.#header && this.#readBlock(parts));
    } catch (error) {
      this.#failure = error as TokenFileError
      if (parts.length === 0) throw error
    }
    const rows = this.#widths.map((_, place) => flattened(parts.map(part => part[place])))
    const strides = this.#header?.strides
    return strides ? unfoldRates(rows, strides) : rows
  }

  /** Says that no more bytes come. @throws TokenFileError where the file is damaged or not complete */
  end(): void {
    if (this.#failure) throw this.#failure
    if (this.#isComplete) return
    const where = this.#header ? `${this.frames} frames are whole` : 'its header is not whole'
    throw new TokenFileError(this.#offset, `the .wtok file is truncated: ${where}`)
  }

  #readHeader(): void {
    const found = decodeHeader(this.#pending)
    if (!found) return
    const { coding, tableBits } = found.header
    this.#header = found.header
    this.#sizes = storedSizes(found.header)
    this.#widths = this.#sizes.map(bitsOf)
    if (coding !== 'packed') this.#model = new ContextModel(this.#widths, tableBits, coding)
    this.#skip(found.length)
  }

  /** @returns false when the next block is not whole yet */
  #readBlock(parts: Uint16Array[][]): boolean {
    if (this.#pending.length === 0) return false
    if (this.#isComplete)
      throw new TokenFileError(this.#offset, `${this.#pending.length} bytes follow the end of the .wtok file`)
    const block = this.#findBlock()
    if (!block) return false
    if (block.kind === BLOCK.end) this.#finish(block.frames)
    else {
      parts.push(this.#decode(block))
      this.#frames += block.frames
    }
    this.#skip(block.length)
    return true
  }

  #findBlock(): Block | undefined {
    const kind = this.#pending[0]
    if (kind !== BLOCK.end && kind !== BLOCK.packed && !(kind === BLOCK.mixed && this.#model))
      throw this.#damage(`a block of unknown kind ${kind}`)
    const frames = this.#varint(1)
    if (!frames) return undefined
    if (kind !== BLOCK.end && (frames.value < 1 || frames.value * this.#widths.length > MAX_BLOCK_CODES))
      throw this.#damage(`a block of ${frames.value} frames`)
    const packed = kind === BLOCK.end ? 0 : packedBytes(this.#widths, frames.value)
    const size = kind === BLOCK.mixed ? this.#varint(frames.end) : { value: packed, end: frames.end }
    if (!size) return undefined
    if (size.value > packed) throw this.#damage(`a block of ${size.value} bytes where ${packed} are enough`)
    const end = size.end + size.value
    if (this.#pending.length < end + CRC_BYTES) return undefined
    const view = new DataView(this.#pending.buffer, this.#pending.byteOffset, end + CRC_BYTES)
    if (crc32(this.#pending.subarray(0, end)) !== view.getUint32(end, true))
      throw this.#damage('a block with a wrong checksum')
    const payload = this.#pending.subarray(size.end, end)
    return { kind, frames: frames.value, payload, length: end + CRC_BYTES }
  }

  #decode({ kind, frames, payload }: Block): Uint16Array[] {
    const isPacked = kind === BLOCK.packed
    const codes = isPacked
      ? unpackCodes(payload, this.#widths, frames)
      : this.#widths.map(() => new Uint16Array(frames))
    if (this.#model) runModel(this.#model, codes, isPacked ? LEARNER : new RangeDecoder(payload))
    codes.forEach((row, place) => {
      const wrong = row.findIndex(code => code >= this.#sizes[place])
      if (wrong >= 0)
        throw this.#damage(
          `code ${row[wrong]} at place ${place} of frame ${this.#frames + wrong}, of ${this.#sizes[place]} entries`,
        )
    })
    return codes
  }

  #finish(total: number): void {
    const { frames = this.frames } = this.#header ?? {}
    if (total !== this.#frames || frames !== this.frames)
      throw this.#damage(`an end after ${this.frames} frames instead of ${frames}`)
    this.#isComplete = true
  }

  #varint(at: number): { value: number; end: number } | undefined {
    let value = 0
    for (let i = 0; i < 5; i++) {
      if (at + i >= this.#pending.length) return undefined
      const byte = this.#pending[at + i]
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return { value, end: at + i + 1 }
    }
    throw this.#damage('a number of more than five bytes')
  }

  #damage(what: string): TokenFileError {
    return new TokenFileError(this.#offset, `the .wtok file is damaged: ${what} after ${this.frames} frames`)
  }

  #skip(count: number): void {
    this.#pending = this.#pending.subarray(count)
    this.#offset += count
  }
}

/** What {@link decodeWtok} found. */
export interface WtokContent {
  readonly header: TokenFileHeader
  /** [codebook][frame] */
  readonly codes: Uint16Array<ArrayBuffer>[]
  /** Why the codes end where they do, when the file is damaged. */
  readonly damage?: TokenFileError
}

/**
 * Reads a whole .wtok file.
 *
 * @param recover give what lies before the damage instead of throwing
 * @throws TokenFileError with the byte offset; with `recover` only where the header is lost
 */
export function decodeWtok(bytes: Uint8Array, { recover = false } = {}): WtokContent {
  const reader = new TokenReader()
  let codes: Uint16Array<ArrayBuffer>[] = []
  let damage: TokenFileError | undefined
  try {
    codes = reader.push(bytes)
    reader.end()
  } catch (error) {
    if (!recover || !(error instanceof TokenFileError) || !reader.header) throw error
    damage = error
  }
  const header = reader.header as TokenFileHeader
  if (codes.length === 0) codes = header.codebookSizes.map(() => new Uint16Array(0))
  return { header, codes, damage }
}

function runModel(model: ContextModel, codes: readonly Uint16Array[], coder: BitCoder): void {
  const frame = new Uint16Array(codes.length)
  for (let t = 0; t < codes[0].length; t++) {
    for (let codebook = 0; codebook < codes.length; codebook++) frame[codebook] = codes[codebook][t]
    model.code(frame, coder)
    for (let codebook = 0; codebook < codes.length; codebook++) codes[codebook][t] = frame[codebook]
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second.slice()
  const result = new Uint8Array(first.length + second.length)
  result.set(first)
  result.set(second, first.length)
  return result
}

function flattened(parts: readonly Uint16Array[]): Uint16Array<ArrayBuffer> {
  const result = new Uint16Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}
