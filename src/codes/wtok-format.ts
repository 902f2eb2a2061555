import { TokenError } from '../errors.js'
import { areStrides, checkStrides } from '../strides.js'
import { ByteSink } from './byte-sink.js'
import type { ContextOrder } from './context-model.js'
import { crc32 } from './crc32.js'
import { foldSizes } from './rates.js'

/** A .wtok file that cannot be read on from `offset`. */
export class TokenFileError extends TokenError {
  /** Bytes before the damage: all blocks before it are whole. */
  readonly offset: number
  constructor(offset: number, message: string) {
    super(`${message} (at byte ${offset})`)
    this.offset = offset
  }
}

/** How codes are stored: bit-packed alone, or also entropy-coded in contexts of this order where that is smaller. */
export type TokenCoding = 'packed' | ContextOrder

/** What a .wtok file says before its codes. */
export interface TokenFileHeader {
  /** The model that made the tokens. */
  readonly model: string
  /** SHA-256 of the model's weights, hexadecimal; it may be cut to fewer bytes. */
  readonly modelHash?: string
  /** Hz, a whole number. */
  readonly sampleRate: number
  /** Frames per second; stored as a fraction. */
  readonly frameRate: number
  readonly codebookSizes: readonly number[]
  /** Frames that share a code of each codebook, where codebooks have several rates; the first is a multiple of all. */
  readonly strides?: readonly number[]
  /** Frames of a segment, where each has a level of its own, and these levels. */
  readonly segmentFrames?: number
  readonly scales?: readonly number[]
  /** Frames in the file; undefined in streams, which did not know it. */
  readonly frames?: number
  readonly coding: TokenCoding
  /** log2 of the slots of each table of contexts, 10 to 22; 0 for 'packed'. */
  readonly tableBits: number
}

/** A byte that no text has, the name, both line ends and DOS's end of file: what text transfers damage (as in PNG). */
const MAGIC = Uint8Array.of(0x89, 0x57, 0x54, 0x4f, 0x4b, 0x0d, 0x0a, 0x1a)
/** 2 says more of what the codes are, which a reader must know of. */
const VERSIONS = { plain: 1, extended: 2 } as const
const FIXED_BYTES = 31
const UNKNOWN = 0xffffffff
const MAX_CODEBOOKS = 1024
/** Twelve days of seconds: bounds what a few hostile bytes can ask for. */
const MAX_SEGMENTS = 1 << 20
const MIN_TABLE_BITS = 10
const MAX_TABLE_BITS = 22

export const CRC_BYTES = 4

/** What a block starts with. */
export const BLOCK = { end: 0, packed: 1, mixed: 2 } as const

/** Codes in one block: bounds the memory that a few hostile bytes can ask for. */
export const MAX_BLOCK_CODES = 65536

/** True when the bytes start like a .wtok file. */
export function isWtok(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte)
}

/** Four times as many slots as bits, for buckets are seldom full; streams get a million. */
export function tableBitsFor(codes: number | undefined, width: number): number {
  if (codes === undefined) return 20
  const slots = 4 * codes * width
  return Math.max(MIN_TABLE_BITS, Math.min(MAX_TABLE_BITS, 32 - Math.clz32(slots)))
}

/** What version 2 has behind the sizes: each codebook's stride, frames of a segment, a count of levels and the levels. */
type Extension = Pick<TokenFileHeader, 'strides' | 'segmentFrames' | 'scales'>

const NO_EXTENSION = { fields: {} as Extension, length: 0 }

function isExtended({ strides, segmentFrames }: Extension): boolean {
  return strides !== undefined || segmentFrames !== undefined
}

function encodeExtension(header: TokenFileHeader): Uint8Array {
  const { codebookSizes, strides = codebookSizes.map(() => 1), segmentFrames = 0, scales = [] } = header
  const sink = new ByteSink()
  for (const stride of strides) sink.u8(stride)
  sink.u16(segmentFrames)
  sink.u32(scales.length)
  sink.put(new Uint8Array(Float32Array.from(scales).buffer))
  return sink.take()
}

/** @returns undefined while bytes are missing */
function decodeExtension(
  view: DataView,
  at: number,
  codebooks: number,
): { fields: Extension; length: number } | undefined {
  if (view.byteLength < at + codebooks + 6) return undefined
  const strides = Array.from({ length: codebooks }, (_, i) => view.getUint8(at + i))
  const segmentFrames = view.getUint16(at + codebooks, true)
  const levels = view.getUint32(at + codebooks + 2, true)
  if (levels > MAX_SEGMENTS)
    throw new TokenFileError(
      at,
      `the .wtok file announces ${levels} segments; at most ${MAX_SEGMENTS} are read`,
    )
  const length = codebooks + 6 + 4 * levels
  if (view.byteLength < at + length) return undefined
  const level = (_: unknown, i: number) => view.getFloat32(at + codebooks + 6 + 4 * i, true)
  return {
    length,
    fields: {
      ...(strides.some(stride => stride !== 1) && { strides }),
      ...(segmentFrames && { segmentFrames, scales: Array.from({ length: levels }, level) }),
    },
  }
}

/** The bytes of a header. @throws TokenError where a field does not fit */
export function encodeHeader(header: TokenFileHeader): Uint8Array<ArrayBuffer> {
  const { codebookSizes, strides, sampleRate, frameRate, frames = UNKNOWN, coding, tableBits } = header
  const model = new TextEncoder().encode(header.model)
  const hash = parseHash(header.modelHash ?? '')
  const isSize = (size: number) => Number.isInteger(size) && size >= 1 && size <= 65536
  if (codebookSizes.length < 1 || codebookSizes.length > MAX_CODEBOOKS || !codebookSizes.every(isSize))
    throw new TokenError(
      `codebooks of ${codebookSizes.join(', ').slice(0, 80) || 'none'} entries; .wtok holds 1 to ${MAX_CODEBOOKS} of 1 to 65536`,
    )
  if (!Number.isInteger(sampleRate) || sampleRate < 1 || sampleRate >= UNKNOWN)
    throw new TokenError(`the sample rate is ${sampleRate}; .wtok holds whole numbers of Hz`)
  if (strides) checkStrides(strides, codebookSizes.length)
  if (!isStorable(header))
    throw new TokenError(
      `strides ${strides} make frames of more than ${MAX_CODEBOOKS} codes; .wtok holds no more`,
    )
  if (model.length > 255)
    throw new TokenError(`the model's name has ${model.length} bytes; .wtok holds at most 255`)
  const sink = new ByteSink()
  sink.put(MAGIC)
  sink.u8(isExtended(header) ? VERSIONS.extended : VERSIONS.plain)
  sink.u8(coding === 'packed' ? 0 : coding + 1)
  sink.u8(tableBits)
  sink.u16(codebookSizes.length)
  sink.u32(sampleRate)
  for (const part of asFraction(frameRate)) sink.u32(part)
  sink.u32(frames)
  sink.u8(hash.length)
  sink.u8(model.length)
  for (const size of codebookSizes) sink.u16(size - 1)
  if (isExtended(header)) sink.put(encodeExtension(header))
  sink.put(hash)
  sink.put(model)
  sink.seal(0)
  return sink.take()
}

/**
 * Reads a header.
 *
 * @returns undefined while bytes are missing
 * @throws TokenFileError
 */
export function decodeHeader(bytes: Uint8Array): { header: TokenFileHeader; length: number } | undefined {
  const magic = MAGIC.subarray(0, bytes.length)
  if (!magic.every((byte, i) => bytes[i] === byte))
    throw new TokenFileError(0, 'not a .wtok file: its first bytes are others')
  if (bytes.length < FIXED_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isLong = bytes[8] === VERSIONS.extended
  if (bytes[8] !== VERSIONS.plain && !isLong)
    throw new TokenFileError(8, `.wtok version ${bytes[8]} is unknown; this reader knows 1 and 2`)
  const codebooks = view.getUint16(11, true)
  const [hashBytes, modelBytes] = [bytes[29], bytes[30]]
  const extensionAt = FIXED_BYTES + 2 * codebooks
  const extension = isLong ? decodeExtension(view, extensionAt, codebooks) : NO_EXTENSION
  if (!extension) return undefined
  const hashAt = extensionAt + extension.length
  const end = hashAt + hashBytes + modelBytes
  if (bytes.length < end + CRC_BYTES) return undefined
  if (crc32(bytes.subarray(0, end)) !== view.getUint32(end, true))
    throw new TokenFileError(0, 'the header of the .wtok file is damaged: its checksum is wrong')
  const codebookSizes = Array.from(
    { length: codebooks },
    (_, i) => view.getUint16(FIXED_BYTES + 2 * i, true) + 1,
  )
  const frames = view.getUint32(25, true)
  const hash = Array.from(bytes.subarray(hashAt, hashAt + hashBytes), hex =>
    hex.toString(16).padStart(2, '0'),
  )
  const header: TokenFileHeader = {
    model: new TextDecoder().decode(bytes.subarray(hashAt + hashBytes, end)),
    modelHash: hash.length > 0 ? hash.join('') : undefined,
    sampleRate: view.getUint32(13, true),
    frameRate: view.getUint32(17, true) / view.getUint32(21, true),
    codebookSizes,
    ...extension.fields,
    frames: frames === UNKNOWN ? undefined : frames,
    coding: bytes[9] === 0 ? 'packed' : ((bytes[9] - 1) as ContextOrder),
    tableBits: bytes[10],
  }
  checkHeader(header)
  return { header, length: end + CRC_BYTES }
}

/** Sizes of the codes of a frame as it is stored: of the coarsest codebook, with all codes that fall on it. */
export function storedSizes({ codebookSizes, strides }: Pick<TokenFileHeader, 'codebookSizes' | 'strides'>) {
  return strides ? foldSizes(codebookSizes, strides) : codebookSizes
}

function isStorable(header: Pick<TokenFileHeader, 'codebookSizes' | 'strides'>): boolean {
  return storedSizes(header).length <= MAX_CODEBOOKS
}

function checkHeader(header: TokenFileHeader): void {
  const { codebookSizes, strides, frameRate, sampleRate, coding, tableBits } = header
  const isCoding = coding === 'packed' || (coding <= 2 && tableBits >= MIN_TABLE_BITS)
  const isRate = Number.isFinite(frameRate) && frameRate > 0 && sampleRate > 0
  const isCount = codebookSizes.length >= 1 && codebookSizes.length <= MAX_CODEBOOKS
  const isFrame = (!strides || areStrides(strides, codebookSizes.length)) && isStorable(header)
  if (isCoding && isRate && isCount && isFrame && tableBits <= MAX_TABLE_BITS) return
  throw new TokenFileError(
    8,
    `the header of the .wtok file makes no sense: ${codebookSizes.length} codebooks, strides ${strides ?? 1}, ${frameRate} frames/s, ${sampleRate} Hz, coding ${coding}/${tableBits}`,
  )
}

function parseHash(hash: string): Uint8Array {
  if (/^([0-9a-f]{2}){0,32}$/i.test(hash))
    return Uint8Array.from(hash.match(/../g) ?? [], pair => Number.parseInt(pair, 16))
  throw new TokenError(
    `the model's hash is '${hash.slice(0, 80)}', expected up to 64 hexadecimal digits in pairs`,
  )
}

/** The fraction with the smallest denominator that is this number exactly: continued fractions. */
export function asFraction(value: number): [numerator: number, denominator: number] {
  let [numerator, denominator] = [1, 0]
  let [lastNumerator, lastDenominator] = [0, 1]
  for (let rest = value; ; ) {
    const whole = Math.floor(rest)
    ;[numerator, lastNumerator] = [whole * numerator + lastNumerator, numerator]
    ;[denominator, lastDenominator] = [whole * denominator + lastDenominator, denominator]
    if (!(numerator > 0 || rest > 0) || numerator >= UNKNOWN || denominator >= UNKNOWN)
      throw new TokenError(`the frame rate is ${value}; .wtok holds positive fractions of 32-bit numbers`)
    if (numerator / denominator === value) return [numerator, denominator]
    rest = 1 / (rest - whole)
  }
}
