import { TokenError } from './errors.js'
import { checkStrides } from './strides.js'

/** What tokens say about themselves beside their codes. */
export interface TokenFormat {
  /** Entries of each codebook. */
  readonly codebookSizes: readonly number[]
  /** Frames per second; of codebooks of several rates those of the finest. */
  readonly frameRate: number
  /** Frames that share a code of each codebook, as SNAC's [4, 2, 1]; absent: every frame has a code of each. */
  readonly strides?: readonly number[]
  /** Frames of a segment, where each has a level of its own, as of EnCodec at 48 kHz. */
  readonly segmentFrames?: number
  /** Levels of the segments, in order; absent: 1. */
  readonly scales?: readonly number[]
  /** Sample rate of the audio they stand for, Hz. */
  readonly sampleRate: number
  /** The model that made them: family, or family and name. */
  readonly model: string
}

/** What `AudioTokens.toJSON` gives and `AudioTokens.from` accepts. */
export interface TokensJson extends TokenFormat {
  readonly codes: readonly (readonly number[])[]
}

/** Order in which codes of several codebooks are laid out in one sequence. A code for several frames stands at the first of them. */
export type TokenOrder = 'time' | 'codebook'

/** Codes of one clip, [codebook][frame] ([codebook][frame / stride] where codebooks have strides); immutable. */
export class AudioTokens implements TokenFormat {
  /** One array per codebook, each of `frames` codes (`frames` / stride where there are strides). */
  readonly codes: readonly Uint16Array[]
  readonly codebookSizes: readonly number[]
  readonly frameRate: number
  readonly strides?: readonly number[]
  readonly segmentFrames?: number
  readonly scales?: readonly number[]
  readonly sampleRate: number
  readonly model: string

  /** Throws TokenError for ragged codebooks or a code outside its codebook, naming its place. */
  constructor(codes: readonly ArrayLike<number>[], format: TokenFormat) {
    const { codebookSizes, frameRate, strides, segmentFrames, scales, sampleRate, model } = format
    if (strides) {
      this.strides = strides.slice(0, codes.length)
      checkStrides(this.strides, codes.length)
    }
    this.codes = checked(codes, codebookSizes, this.strides)
    this.codebookSizes = codebookSizes
    this.frameRate = frameRate
    this.sampleRate = sampleRate
    this.model = model
    if (segmentFrames) {
      this.segmentFrames = segmentFrames
      this.scales = checkedScales(scales, Math.ceil(this.frames / segmentFrames))
    }
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
    return this.codes[0].length * this.strideOf(0)
  }

  /** Length in seconds. */
  get duration(): number {
    return this.frames / this.frameRate
  }

  /** Bits per second when each code is packed into whole bits. */
  get bitsPerSecond(): number {
    const bits = this.codebookSizes.reduce(
      (sum, size, codebook) => sum + Math.ceil(Math.log2(size)) / this.strideOf(codebook),
      0,
    )
    return bits * this.frameRate
  }

  /** Frames that share a code of this codebook. */
  strideOf(codebook: number): number {
    return this.strides?.[codebook] ?? 1
  }

  /**
   * Frames [start, end), with Array.prototype.slice's meaning of negative numbers.
   * @throws TokenError for a cut through a code that stands for several frames
   */
  slice(start = 0, end = this.frames): AudioTokens {
    const { frames } = this
    const [from, to] = [start, end]
      .map(Math.trunc)
      .map(at => Math.max(0, Math.min(frames, at < 0 ? frames + at : at)))
    const parts = this.codes.map((codes, codebook) => {
      const stride = this.strideOf(codebook)
      if (from % stride || to % stride)
        throw new TokenError(
          `frames ${from} to ${to} cut through a code of codebook ${codebook}, which stands for ${stride} frames; cut at multiples of it`,
        )
      return codes.slice(from / stride, to / stride)
    })
    return new AudioTokens(parts, { ...this, ...this.scalesOf(from, to) })
  }

  private scalesOf(from: number, to: number): Pick<TokenFormat, 'scales'> {
    const { segmentFrames, scales, frames } = this
    if (!segmentFrames) return {}
    if (from % segmentFrames || (to % segmentFrames && to !== frames))
      throw new TokenError(
        `frames ${from} to ${to} cut through a segment of ${segmentFrames} frames; cut at multiples of it`,
      )
    return { scales: scales?.slice(from / segmentFrames, Math.ceil(to / segmentFrames)) }
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
    return new AudioTokens(joined, { ...this, ...(this.segmentFrames && { scales: joinedScales(parts) }) })
  }

  /** One sequence: all codebooks of frame 0, then of frame 1 ... (`time`), or all frames of codebook 0 first (`codebook`). */
  flat(order: TokenOrder = 'time'): Uint16Array {
    const { codes, frames } = this
    if (order === 'codebook') return Uint16Array.from(codes.flatMap(row => Array.from(row)))
    const result = new Uint16Array(codes.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (let frame = 0; frame < frames; frame++)
      for (let codebook = 0; codebook < codes.length; codebook++) {
        const stride = this.strideOf(codebook)
        if (frame % stride === 0) result[at++] = codes[codebook][frame / stride]
      }
    return result
  }

  toJSON(): TokensJson {
    const { model, sampleRate, frameRate, codebookSizes, strides, segmentFrames, scales } = this
    return {
      model,
      sampleRate,
      frameRate,
      codebookSizes,
      ...(strides && { strides }),
      ...(segmentFrames && { segmentFrames, scales }),
      codes: this.codes.map(row => Array.from(row)),
    }
  }
}

function sameFormat(a: TokenFormat, b: TokenFormat): boolean {
  const sizes = a.codebookSizes.join() === b.codebookSizes.join()
  const strides = String(a.strides ?? '') === String(b.strides ?? '')
  return (
    sizes &&
    strides &&
    a.segmentFrames === b.segmentFrames &&
    a.frameRate === b.frameRate &&
    a.sampleRate === b.sampleRate &&
    a.model === b.model
  )
}

function checkedScales(scales: readonly number[] | undefined, segments: number): readonly number[] {
  const found = scales ?? new Array<number>(segments).fill(1)
  const bad = found.findIndex(scale => !(Number.isFinite(scale) && scale >= 0))
  if (found.length !== segments || bad >= 0)
    throw new TokenError(
      bad >= 0
        ? `the level of segment ${bad} is ${found[bad]}; expected a finite number from 0`
        : `${found.length} levels found for ${segments} segments`,
    )
  return found.map(Math.fround)
}

function joinedScales(parts: readonly AudioTokens[]): number[] {
  const cut = parts.slice(0, -1).find(({ frames, segmentFrames = 1 }) => frames % segmentFrames)
  if (cut)
    throw new TokenError(
      `${cut.frames} frames end within a segment of ${cut.segmentFrames}; nothing can follow them`,
    )
  return parts.flatMap(({ scales = [] }) => [...scales])
}

function checked(
  codes: readonly ArrayLike<number>[],
  sizes: readonly number[],
  strides: readonly number[] = [],
): Uint16Array[] {
  if (codes.length === 0 || codes.length > sizes.length)
    throw new TokenError(`${codes.length} codebooks of codes found; expected 1 to ${sizes.length}`)
  return codes.map((row, codebook) => {
    const [frames, expected] = [row.length * (strides[codebook] ?? 1), codes[0].length * (strides[0] ?? 1)]
    if (frames !== expected)
      throw new TokenError(
        `codebook ${codebook} has ${frames} frames, codebook 0 has ${expected}; all must agree`,
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
