import { TokenError } from '../errors.js'

/** How many neighbouring codes share a byte: doubled while the pairs still fit. */
function codesPerByte(codebooks: number, size: number): number {
  let together = 1
  for (let combined = size; combined * combined <= 256 && together < codebooks; combined *= combined)
    together *= 2
  return together
}

/**
 * Codes of codebooks of equal size as bytes, [frames][bytes], in the layout of Povey's `quantization` (`as_bytes`): even codebooks plus
 * size times odd ones, again and again while pairs fit 256 values.
 * @throws TokenError for codebooks of more than 256 entries or of uneven length
 */
export function codesToBytes(codes: readonly ArrayLike<number>[], size: number): Uint8Array<ArrayBuffer> {
  const frames = codes[0]?.length ?? 0
  if (size > 256 || codes.some(row => row.length !== frames))
    throw new TokenError(
      `${codes.length} codebooks of ${size} entries with ${[...new Set(codes.map(row => row.length))].join(', ')} frames; expected at most 256 entries and equal lengths`,
    )
  const together = codesPerByte(codes.length, size)
  const width = codes.length / together
  const bytes = new Uint8Array(frames * width)
  for (let t = 0; t < frames; t++)
    for (let byte = 0; byte < width; byte++) {
      let value = 0
      for (let j = together - 1; j >= 0; j--) value = value * size + codes[byte * together + j][t]
      bytes[t * width + byte] = value
    }
  return bytes
}

/** The inverse of `codesToBytes`. */
export function bytesToCodes(bytes: Uint8Array, codebooks: number, size: number): Uint16Array[] {
  const together = codesPerByte(codebooks, size)
  const width = codebooks / together
  if (size > 256 || bytes.length % width !== 0)
    throw new TokenError(
      `${bytes.length} bytes of ${codebooks} codebooks of ${size} entries; expected a multiple of ${width} and at most 256 entries`,
    )
  return Array.from({ length: codebooks }, (_, book) =>
    Uint16Array.from({ length: bytes.length / width }, (_, t) => {
      const value = bytes[t * width + Math.floor(book / together)]
      return Math.floor(value / size ** (book % together)) % size
    }),
  )
}
