import { TokenError } from './errors.js'
import type { ModelInfo } from './models/model.js'
import { AudioTokens, type TokenFormat } from './tokens.js'

/** Codes in any of the accepted shapes; bare numbers are codes of one codebook, an array of arrays is [codebook][frame]. */
export type TokenInput = AudioTokens | ArrayLike<number> | readonly ArrayLike<number>[]

/** @internal Format of the tokens that a model makes and takes, of its first `codebooks` (default: all). */
export function formatOf(
  model: Pick<
    ModelInfo,
    'codebookSizes' | 'strides' | 'segmentFrames' | 'sampleRate' | 'hopLength' | 'family' | 'tokensOf'
  >,
  codebooks?: number,
): TokenFormat {
  const { codebookSizes, strides, segmentFrames, sampleRate, hopLength, family, tokensOf = family } = model
  return {
    codebookSizes: codebookSizes.slice(0, codebooks),
    ...(strides && { strides: strides.slice(0, codebooks) }),
    ...(segmentFrames && { segmentFrames }),
    sampleRate,
    frameRate: sampleRate / hopLength,
    model: tokensOf,
  }
}

/** @internal How many codebooks to encode with. @throws TokenError for more than the model has, or none */
export function codebooksOf({ codebookSizes }: Pick<ModelInfo, 'codebookSizes'>, wanted?: number): number {
  const most = codebookSizes.length
  if (wanted === undefined) return most
  if (Number.isInteger(wanted) && wanted >= 1 && wanted <= most) return wanted
  throw new TokenError(`codebooks is ${wanted}; this model has ${most === 1 ? '1' : `1 to ${most}`}`)
}

/**
 * The same codes, known to belong to a model of this format: of all its codebooks, or of the first ones.
 *
 * @throws TokenError for codes outside their codebook, ragged, of more codebooks or from another kind of model
 */
export function checkedTokens(tokens: TokenInput, format: TokenFormat): AudioTokens {
  const { codebookSizes, frameRate, strides, model } = format
  if (tokens instanceof AudioTokens && (tokens.model !== model || tokens.frameRate !== frameRate))
    throw new TokenError(
      `these tokens were made by ${tokens.model} at ${tokens.frameRate}/s; this model is ${model} at ${frameRate}/s`,
    )
  const codes = rowsOf(tokens, codebookSizes.length)
  if (codes.length > codebookSizes.length)
    throw new TokenError(`${codes.length} codebooks of codes found; this model has ${codebookSizes.length}`)
  if (
    tokens instanceof AudioTokens &&
    String(tokens.strides ?? '') !== String(strides?.slice(0, codes.length) ?? '')
  )
    throw new TokenError(`these tokens have strides ${tokens.strides ?? 1}; this model has ${strides ?? 1}`)
  const { scales } = tokens as Partial<AudioTokens>
  return new AudioTokens(codes, { ...format, scales, codebookSizes: codebookSizes.slice(0, codes.length) })
}

function rowsOf(tokens: TokenInput, codebooks: number): readonly ArrayLike<number>[] {
  if (tokens instanceof AudioTokens) return tokens.codes
  if (tokens.length === 0) return Array.from({ length: codebooks }, () => [])
  return typeof tokens[0] === 'object'
    ? (tokens as readonly ArrayLike<number>[])
    : [tokens as ArrayLike<number>]
}

/** Writes frames from `first` on as [frames][codebooks] i32 into `target`, as many as fit; codes for several frames are repeated. */
export function interleave(tokens: AudioTokens, target: Int32Array, first = 0): void {
  const { codes, segmentFrames, scales } = tokens
  const width = rowWidth(tokens, codes.length)
  codes.forEach((row, codebook) => {
    const stride = tokens.strideOf(codebook)
    for (let at = codebook, frame = first; at < target.length; at += width, frame++)
      target[at] = row[Math.floor(frame / stride)]
  })
  if (!segmentFrames || !scales) return
  const floats = new Float32Array(target.buffer, target.byteOffset, target.length)
  for (let at = width - 1, frame = first; at < target.length; at += width, frame++)
    floats[at] = scales[Math.floor(frame / segmentFrames)]
}

/** Values of a row of codes: behind them the level of the segment, where there are segments. */
export function rowWidth({ segmentFrames }: { segmentFrames?: number }, codebooks: number): number {
  return codebooks + Number(segmentFrames !== undefined)
}

/** The inverse, as rows come: codes of each codebook, of those for several frames the first. */
export class CodeCollector {
  readonly #strides: readonly number[]
  readonly #segment: number | undefined
  #codes: number[][] = []
  #scales: number[] = []
  #frames = 0

  constructor(codebooks: number, { strides, segmentFrames }: Pick<ModelInfo, 'strides' | 'segmentFrames'>) {
    this.#segment = segmentFrames
    this.#strides = Array.from({ length: codebooks }, (_, codebook) => strides?.[codebook] ?? 1)
    this.take()
  }

  /** Takes whole rows, [frames][codebooks]. */
  push(rows: Int32Array): void {
    const width = this.width
    const floats = new Float32Array(rows.buffer, rows.byteOffset, rows.length)
    for (let at = 0; at < rows.length; at += width, this.#frames++) {
      for (const [codebook, stride] of this.#strides.entries())
        if (this.#frames % stride === 0) this.#codes[codebook].push(rows[at + codebook])
      if (this.#segment && this.#frames % this.#segment === 0) this.#scales.push(floats[at + width - 1])
    }
  }

  /** Values of a row. */
  get width(): number {
    return rowWidth({ segmentFrames: this.#segment }, this.#strides.length)
  }

  /** What has come since the last time. */
  take(): { codes: number[][]; scales?: number[] } {
    const [codes, scales] = [this.#codes, this.#scales]
    this.#codes = this.#strides.map(() => [])
    this.#scales = []
    return this.#segment ? { codes, scales } : { codes }
  }
}
