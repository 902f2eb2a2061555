/** Bits that hold every code of a codebook: ceil(log2(size)); 12 for 4096, 0 for 1. */
export function bitsOf(codebookSize: number): number {
  return 32 - Math.clz32(codebookSize - 1)
}

/** Bytes of `frames` frames of codes of these widths, without gaps. */
export function packedBytes(widths: readonly number[], frames: number): number {
  return Math.ceil((frames * widths.reduce((sum, width) => sum + width, 0)) / 8)
}

/** Packs frames one after another, in each the codebooks in order; most significant bits first, zeros at the end. */
export function packCodes(codes: readonly ArrayLike<number>[], widths: readonly number[]): Uint8Array {
  const frames = codes[0].length
  const bytes = new Uint8Array(packedBytes(widths, frames))
  let at = 0
  let bits = 0
  let held = 0
  for (let frame = 0; frame < frames; frame++) {
    for (let codebook = 0; codebook < codes.length; codebook++) {
      // At most 7 bits wait when 16 come: 23 in all.
      held = (held << widths[codebook]) | codes[codebook][frame]
      bits += widths[codebook]
      for (; bits >= 8; bits -= 8) bytes[at++] = held >>> (bits - 8)
      held &= (1 << bits) - 1
    }
  }
  if (bits > 0) bytes[at] = held << (8 - bits)
  return bytes
}

/** Inverse of {@link packCodes}. */
export function unpackCodes(bytes: Uint8Array, widths: readonly number[], frames: number): Uint16Array[] {
  const codes = widths.map(() => new Uint16Array(frames))
  let at = 0
  let bits = 0
  let held = 0
  for (let frame = 0; frame < frames; frame++) {
    for (let codebook = 0; codebook < widths.length; codebook++) {
      for (; bits < widths[codebook]; bits += 8) held = (held << 8) | bytes[at++]
      bits -= widths[codebook]
      codes[codebook][frame] = held >>> bits
      held &= (1 << bits) - 1
    }
  }
  return codes
}
