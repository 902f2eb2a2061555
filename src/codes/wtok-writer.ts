import { TokenError } from '../errors.js'
import { checkStrides } from '../strides.js'
import { ByteSink } from './byte-sink.js'
import { ContextModel } from './context-model.js'
import { bitsOf, packCodes } from './packing.js'
import { RangeEncoder } from './range-coder.js'
import { foldRates } from './rates.js'
import {
  BLOCK,
  encodeHeader,
  MAX_BLOCK_CODES,
  storedSizes,
  type TokenCoding,
  type TokenFileHeader,
  tableBitsFor,
} from './wtok-format.js'

/** What a .wtok file is to say, and how its codes are to be stored. */
export interface TokenWriterOptions extends Omit<TokenFileHeader, 'coding' | 'tableBits'> {
  /** Default 2: entropy-coded, never larger than 'packed'. */
  readonly coding?: TokenCoding
  /** Frames per block (default 1024): what is lost where one bit is damaged, and the delay of a stream without `flush`. */
  readonly blockFrames?: number
}

const DEFAULT_BLOCK_FRAMES = 1024

/**
 * Writes a .wtok file piece by piece. Every call gives the bytes that are ready; in order they are the file.
 *
 * @example
 * const writer = new TokenWriter({ model: 'mini', sampleRate: 24000, frameRate: 75, codebookSizes: [4096] })
 * send(writer.push([codes]))
 * send(writer.end())
 */
export class TokenWriter {
  readonly #options: TokenWriterOptions
  readonly #widths: readonly number[]
  readonly #model: ContextModel | undefined
  readonly #blockFrames: number
  /** Frames that are stored as one: of the coarsest codebook. */
  readonly #group: number
  readonly #sink = new ByteSink()
  #waiting: number[][]
  #frames = 0
  #isOpen = true

  /** @throws TokenError where something does not fit the format */
  constructor(options: TokenWriterOptions) {
    const { strides, coding = 2, frames, blockFrames = DEFAULT_BLOCK_FRAMES } = options
    this.#options = options
    this.#group = strides?.[0] ?? 1
    if (strides) checkStrides(strides, options.codebookSizes.length)
    const sizes = storedSizes(options)
    this.#widths = sizes.map(bitsOf)
    const largest = Math.floor(MAX_BLOCK_CODES / sizes.length)
    if (!Number.isInteger(blockFrames) || blockFrames < 1)
      throw new TokenError(`blockFrames is ${blockFrames}, expected a whole number from 1`)
    this.#blockFrames = Math.min(Math.ceil(blockFrames / this.#group), largest)
    const width = Math.max(...this.#widths)
    const codes = frames === undefined ? undefined : (frames / this.#group) * sizes.length
    const tableBits = coding === 'packed' ? 0 : tableBitsFor(codes, width)
    if (coding !== 'packed') this.#model = new ContextModel(this.#widths, tableBits, coding)
    this.#waiting = sizes.map(() => [])
    this.#sink.put(encodeHeader({ ...options, coding, tableBits }))
  }

  /**
   * Takes frames: one row of codes per codebook, all equally long (in frames, where codebooks have strides).
   *
   * @throws TokenError for ragged rows or a code outside its codebook; nothing of the call is written then
   */
  push(codes: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
    this.#check(codes)
    const { strides } = this.#options
    const rows = strides ? foldRates(codes, strides) : codes
    for (let frame = 0; frame < rows[0].length; frame++) {
      for (const [place, row] of rows.entries()) this.#waiting[place].push(row[frame])
      if (this.#waiting[0].length === this.#blockFrames) this.#writeBlock()
    }
    return this.#sink.take()
  }

  /** Ends the block: the bytes hold every frame that was pushed. */
  flush(): Uint8Array<ArrayBuffer> {
    if (this.#waiting[0].length > 0) this.#writeBlock()
    return this.#sink.take()
  }

  /** Ends the file. @throws TokenError where fewer or more frames came than the header says */
  end(): Uint8Array<ArrayBuffer> {
    this.#checkOpen()
    const total = this.#frames + this.#waiting[0].length
    const { frames = total * this.#group } = this.#options
    if (total * this.#group !== frames)
      throw new TokenError(`${total * this.#group} frames were pushed; ${frames} were announced`)
    if (this.#waiting[0].length > 0) this.#writeBlock()
    const start = this.#sink.length
    this.#sink.u8(BLOCK.end)
    this.#sink.varint(total)
    this.#sink.seal(start)
    this.#isOpen = false
    return this.#sink.take()
  }

  #check(codes: readonly ArrayLike<number>[]): void {
    const { codebookSizes, strides = [] } = this.#options
    this.#checkOpen()
    if (codes.length !== codebookSizes.length)
      throw new TokenError(`${codes.length} codebooks of codes found, expected ${codebookSizes.length}`)
    codes.forEach((row, codebook) => {
      const [frames, expected] = [row.length * (strides[codebook] ?? 1), codes[0].length * this.#group]
      if (frames !== expected)
        throw new TokenError(
          `codebook ${codebook} has ${frames} frames, codebook 0 has ${expected}; all must agree`,
        )
      for (let frame = 0; frame < row.length; frame++) {
        const code = row[frame]
        if (!Number.isInteger(code) || code < 0 || code >= codebookSizes[codebook])
          throw new TokenError(
            `code ${code} at frame ${frame} of codebook ${codebook} is out of range; expected 0 to ${codebookSizes[codebook] - 1}`,
          )
      }
    })
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new TokenError('the token file was ended; nothing can follow')
  }

  #writeBlock(): void {
    const codes = this.#waiting
    const frames = codes[0].length
    const packed = packCodes(codes, this.#widths)
    const mixed = this.#mix(codes)
    const start = this.#sink.length
    // The length of a packed block follows from its frames; a mixed one says it, in up to three bytes.
    const lengthBytes = mixed && (mixed.length < 128 ? 1 : mixed.length < 16384 ? 2 : 3)
    const isSmaller = mixed && lengthBytes && mixed.length + lengthBytes < packed.length
    this.#sink.u8(isSmaller ? BLOCK.mixed : BLOCK.packed)
    this.#sink.varint(frames)
    if (isSmaller) this.#sink.varint(mixed.length)
    this.#sink.put(isSmaller ? mixed : packed)
    this.#sink.seal(start)
    this.#frames += frames
    this.#waiting = codes.map(() => [])
  }

  /** Also teaches the model, whichever form is stored. */
  #mix(codes: readonly (readonly number[])[]): Uint8Array | undefined {
    if (!this.#model) return undefined
    const coder = new RangeEncoder()
    const frame = new Uint16Array(codes.length)
    for (let t = 0; t < codes[0].length; t++) {
      for (let codebook = 0; codebook < codes.length; codebook++) frame[codebook] = codes[codebook][t]
      this.#model.code(frame, coder)
    }
    return coder.end()
  }
}

/** A whole .wtok file. @throws TokenError as {@link TokenWriter} */
export function encodeWtok(
  codes: readonly ArrayLike<number>[],
  options: Omit<TokenWriterOptions, 'frames'>,
): Uint8Array<ArrayBuffer> {
  const frames = (codes[0]?.length ?? 0) * (options.strides?.[0] ?? 1)
  const writer = new TokenWriter({ ...options, frames })
  const body = writer.push(codes)
  const tail = writer.end()
  const file = new Uint8Array(body.length + tail.length)
  file.set(body)
  file.set(tail, body.length)
  return file
}
