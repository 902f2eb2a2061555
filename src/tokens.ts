import { TokenError } from './errors.js'

/** What tokens say about themselves beside their codes. */
export interface TokenFormat {
  /** Entries of each codebook. */
  readonly codebookSizes: readonly number[]
  /** Frames per second. */
  readonly frameRate: number
  /** Sample rate of the audio they stand for, Hz. */
  readonly sampleRate: number
  /** The model that made them: family, or family and name. */
  readonly model: string
}

/** What `AudioTokens.toJSON` gives and `AudioTokens.from` accepts. */
export interface TokensJson extends TokenFormat {
  readonly codes: readonly (readonly number[])[]
}

/** Order in which codes of several codebooks are laid out in one sequence. */
export type TokenOrder = 'time' | 'codebook'

/** Codes of one clip, [codebook][frame]; immutable. */
export class AudioTokens implements TokenFormat {
  /** One array per codebook, each of `frames` codes. */
  readonly codes: readonly Uint16Array[]
  readonly codebookSizes: readonly number[]
  readonly frameRate: number
  readonly sampleRate: number
  readonly model: string

  /** Throws TokenError for ragged codebooks or a code outside its codebook, naming its place. */
  constructor(codes: readonly ArrayLike<number>[], format: TokenFormat) {
    const { codebookSizes, frameRate, sampleRate, model } = format
    this.codes = checked(codes, codebookSizes)
    this.codebookSizes = codebookSizes
    this.frameRate = frameRate
    this.sampleRate = sampleRate
    this.model = model
    Object.freeze(this)
  }

  /** From plain data, such as parsed JSON. */
  static from(json: TokensJson): AudioTokens {
    return new AudioTokens(json.codes, json)
  }

  get codebooks(): number {
    return this.codes.length
  }

  get frames(): number {
    return this.codes[0].length
  }

  /** Length in seconds. */
  get duration(): number {
    return this.frames / this.frameRate
  }

  /** Bits per second when each code is packed into whole bits. */
  get bitsPerSecond(): number {
    return this.codebookSizes.reduce((bits, size) => bits + Math.ceil(Math.log2(size)), 0) * this.frameRate
  }

  /** Frames [start, end), with Array.prototype.slice's meaning of negative numbers. */
  slice(start?: number, end?: number): AudioTokens {
    return new AudioTokens(
      this.codes.map(codes => codes.slice(start, end)),
      this,
    )
  }

  /** These frames followed by those of `others`; all must come from the same model. */
  concat(...others: AudioTokens[]): AudioTokens {
    const stranger = others.find(other => !sameFormat(this, other))
    if (stranger)
      throw new TokenError(
        `cannot join tokens of ${stranger.model} at ${stranger.frameRate}/s to tokens of ${this.model}`,
      )
    const parts = [this, ...others]
    const joined = this.codes.map((_, codebook) => parts.flatMap(part => Array.from(part.codes[codebook])))
    return new AudioTokens(joined, this)
  }

  /** One sequence: all codebooks of frame 0, then of frame 1 ... (`time`), or all frames of codebook 0 first (`codebook`). */
  flat(order: TokenOrder = 'time'): Uint16Array {
    const { codes, frames, codebooks } = this
    const result = new Uint16Array(frames * codebooks)
    codes.forEach((row, codebook) => {
      if (order === 'codebook') result.set(row, codebook * frames)
      else for (let frame = 0; frame < frames; frame++) result[frame * codebooks + codebook] = row[frame]
    })
    return result
  }

  toJSON(): TokensJson {
    const { model, sampleRate, frameRate, codebookSizes } = this
    return { model, sampleRate, frameRate, codebookSizes, codes: this.codes.map(row => Array.from(row)) }
  }
}

function sameFormat(a: TokenFormat, b: TokenFormat): boolean {
  const sizes = a.codebookSizes.join() === b.codebookSizes.join()
  return sizes && a.frameRate === b.frameRate && a.sampleRate === b.sampleRate && a.model === b.model
}

function checked(codes: readonly ArrayLike<number>[], sizes: readonly number[]): Uint16Array[] {
  if (codes.length === 0 || codes.length > sizes.length)
    throw new TokenError(`${codes.length} codebooks of codes found; expected 1 to ${sizes.length}`)
  return codes.map((row, codebook) => {
    if (row.length !== codes[0].length)
      throw new TokenError(
        `codebook ${codebook} has ${row.length} frames, codebook 0 has ${codes[0].length}; all must agree`,
      )
    for (let frame = 0; frame < row.length; frame++) {
      const code = row[frame]
      if (!Number.isInteger(code) || code < 0 || code >= sizes[codebook])
        throw new TokenError(
          `code ${code} at frame ${frame} of codebook ${codebook} is out of range; expected 0 to ${sizes[codebook] - 1}`,
        )
    }
    return Uint16Array.from(row)
  })
}
