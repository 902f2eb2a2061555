import { TokenError } from './errors.js'
import { AudioTokens, type TokenFormat } from './tokens.js'

/** Codes in any of the accepted shapes; bare numbers are codes of one codebook, an array of arrays is [codebook][frame]. */
export type TokenInput = AudioTokens | ArrayLike<number> | readonly ArrayLike<number>[]

/**
 * The same codes, known to belong to a model of this format: of all its codebooks, or of the first ones.
 *
 * @throws TokenError for codes outside their codebook, ragged, of more codebooks or from another kind of model
 */
export function checkedTokens(tokens: TokenInput, format: TokenFormat): AudioTokens {
  const { codebookSizes, frameRate, model } = format
  if (tokens instanceof AudioTokens && (tokens.model !== model || tokens.frameRate !== frameRate))
    throw new TokenError(
      `these tokens were made by ${tokens.model} at ${tokens.frameRate}/s; this model is ${model} at ${frameRate}/s`,
    )
  const codes = codebooksOf(tokens, codebookSizes.length)
  if (codes.length > codebookSizes.length)
    throw new TokenError(`${codes.length} codebooks of codes found; this model has ${codebookSizes.length}`)
  return new AudioTokens(codes, { ...format, codebookSizes: codebookSizes.slice(0, codes.length) })
}

function codebooksOf(tokens: TokenInput, codebooks: number): readonly ArrayLike<number>[] {
  if (tokens instanceof AudioTokens) return tokens.codes
  if (tokens.length === 0) return Array.from({ length: codebooks }, () => [])
  return typeof tokens[0] === 'object'
    ? (tokens as readonly ArrayLike<number>[])
    : [tokens as ArrayLike<number>]
}

/** Writes codes as [frames][codebooks] i32 into `target`. */
export function interleave(codes: readonly Uint16Array[], target: Int32Array): void {
  const count = codes.length
  codes.forEach((row, codebook) => {
    for (let frame = 0; frame < row.length; frame++) target[frame * count + codebook] = row[frame]
  })
}
