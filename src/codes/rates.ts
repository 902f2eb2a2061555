// Codebooks of several rates (SNAC) as frames of one: each frame of the coarsest codebook with all codes that fall on it.
import { checkStrides } from '../strides.js'

/** Which codebook, and which of its codes within the frame, each code of a frame is: in order of time, coarse codebooks first. */
function placesOf(strides: readonly number[]): { codebook: number; index: number }[] {
  checkStrides(strides, strides.length)
  const [group] = strides
  return Array.from({ length: group }, (_, frame) =>
    strides.flatMap((stride, codebook) =>
      frame % stride === 0 ? [{ codebook, index: frame / stride }] : [],
    ),
  ).flat()
}

/**
 * [codebook][frame / stride] -> [code of a coarse frame][coarse frame]. Of SNAC's strides 4, 2, 1 the seven are what speech models on it
 * read and write: a0, b0, c0, c1, b1, c2, c3.
 *
 * @param strides frames that share a code of each codebook, the first a multiple of all
 * @throws TokenError for other strides
 */
export function foldRates(
  codes: readonly ArrayLike<number>[],
  strides: readonly number[],
): Uint16Array<ArrayBuffer>[] {
  const [group] = strides
  return placesOf(strides).map(({ codebook, index }) => {
    const perFrame = group / strides[codebook]
    return Uint16Array.from(
      { length: codes[0].length },
      (_, frame) => codes[codebook][frame * perFrame + index],
    )
  })
}

/** The inverse of {@link foldRates}. */
export function unfoldRates(
  rows: readonly ArrayLike<number>[],
  strides: readonly number[],
): Uint16Array<ArrayBuffer>[] {
  const [group] = strides
  const codes = strides.map(stride => new Uint16Array((rows[0].length * group) / stride))
  for (const [i, { codebook, index }] of placesOf(strides).entries()) {
    const perFrame = group / strides[codebook]
    for (let frame = 0; frame < rows[i].length; frame++)
      codes[codebook][frame * perFrame + index] = rows[i][frame]
  }
  return codes
}

/** What each code of a coarse frame has that its codebook has, such as its size. */
export function foldSizes<T>(values: readonly T[], strides: readonly number[]): T[] {
  return placesOf(strides).map(({ codebook }) => values[codebook])
}
