// Frames that share a code of each codebook, as tokens, token files and models all have them.
import { TokenError } from './errors.js'

const MOST_STRIDE = 255

/** True for a whole number from 1 to 255 for every codebook, each a part of the first. */
export function areStrides(strides: readonly number[], codebooks: number): boolean {
  const isStride = (value: number) => Number.isInteger(value) && value >= 1 && strides[0] % value === 0
  return strides.length === codebooks && strides.every(isStride) && strides[0] <= MOST_STRIDE
}

/** @throws TokenError, or `Failure`, for numbers that are no strides */
export function checkStrides(
  strides: readonly number[],
  codebooks: number,
  Failure: new (message: string) => Error = TokenError,
): void {
  if (areStrides(strides, codebooks)) return
  throw new Failure(
    `strides are ${strides.join(', ').slice(0, 80) || 'none'} for ${codebooks} codebooks; ` +
      `expected one for each, 1 to ${MOST_STRIDE}, the first a multiple of all`,
  )
}
