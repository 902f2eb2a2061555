import { TokenError } from '../errors.js'

/** Codes of several codebooks, [codebook][frame]; all rows equally long. */
export type CodeRows = readonly ArrayLike<number>[]

/**
 * How codes of several codebooks become one sequence: `time` is all codebooks of frame 0, then of frame 1 ...; `codebook` all frames of
 * codebook 0, then of codebook 1 ...; `coarse-first` the first codebooks in `time` order, then the others in `time` order (AudioLM,
 * Bark).
 */
export type Flattening = 'time' | 'codebook' | 'coarse-first'

/** How a sequence was flattened. */
export interface FlatteningOptions {
  readonly order: Flattening
  /** Codebooks that come first in `coarse-first` (default 1). */
  readonly coarse?: number
}

/** Codes of all codebooks as one sequence. @throws TokenError for ragged rows */
export function flatten(codes: CodeRows, options: FlatteningOptions): number[] {
  const frames = framesOf(codes)
  return groups(codes.length, options).flatMap(group =>
    Array.from(
      { length: frames * group.length },
      (_, i) => codes[group[i % group.length]][Math.floor(i / group.length)],
    ),
  )
}

/** Inverse of {@link flatten}. @throws TokenError for a length that is no multiple of `codebooks` */
export function unflatten(
  sequence: ArrayLike<number>,
  codebooks: number,
  options: FlatteningOptions,
): number[][] {
  if (sequence.length % codebooks !== 0)
    throw new TokenError(
      `${sequence.length} codes are no whole number of frames of ${codebooks} codebooks; cut the sequence first`,
    )
  const frames = sequence.length / codebooks
  const codes = Array.from({ length: codebooks }, () => new Array<number>(frames))
  let at = 0
  for (const group of groups(codebooks, options))
    for (let frame = 0; frame < frames; frame++)
      for (const codebook of group) codes[codebook][frame] = sequence[at++]
  return codes
}

/** Codebooks that are laid out frame by frame together, in order. */
function groups(codebooks: number, { order, coarse = 1 }: FlatteningOptions): number[][] {
  const all = Array.from({ length: codebooks }, (_, i) => i)
  if (order === 'time') return [all]
  if (order === 'codebook') return all.map(codebook => [codebook])
  if (!Number.isInteger(coarse) || coarse < 1 || coarse > codebooks)
    throw new TokenError(`coarse is ${coarse}, expected 1 to ${codebooks} codebooks`)
  return coarse === codebooks ? [all] : [all.slice(0, coarse), all.slice(coarse)]
}

/** The first `codebooks` rows: what a residual quantizer gives at a lower bitrate. */
export function truncateCodebooks<Row>(codes: readonly Row[], codebooks: number): Row[] {
  if (Number.isInteger(codebooks) && codebooks >= 1 && codebooks <= codes.length)
    return codes.slice(0, codebooks)
  throw new TokenError(`cannot keep ${codebooks} codebooks of ${codes.length}`)
}

/** Delays in frames of Moshi's audio codebooks of one speaker: the acoustic ones follow the semantic one by a frame. */
export function moshiDelays(codebooks = 8): number[] {
  return Array.from({ length: codebooks }, (_, codebook) => (codebook === 0 ? 0 : 1))
}

/** Delays in frames of MusicGen: each codebook follows the one above it by a frame. */
export function staircaseDelays(codebooks: number): number[] {
  return Array.from({ length: codebooks }, (_, codebook) => codebook)
}

/**
 * Shifts each codebook by its delay: result[q][t] = codes[q][t - delays[q]].
 *
 * @param fill stands where nothing is known yet or any more; Moshi's is the codebook's size, 2048
 * @returns rows of frames + max(delays)
 */
export function delay(codes: CodeRows, delays: readonly number[], fill: number): number[][] {
  checkDelays(codes.length, delays)
  const length = framesOf(codes) + Math.max(...delays)
  return codes.map((row, codebook) => {
    const shifted = new Array<number>(length).fill(fill)
    for (let frame = 0; frame < row.length; frame++) shifted[frame + delays[codebook]] = row[frame]
    return shifted
  })
}

/** Inverse of {@link delay}: rows of frames - max(delays). @throws TokenError for rows shorter than the longest delay */
export function undelay(delayed: CodeRows, delays: readonly number[]): number[][] {
  checkDelays(delayed.length, delays)
  const length = framesOf(delayed) - Math.max(...delays)
  if (length < 0)
    throw new TokenError(
      `${delayed[0].length} frames are shorter than the longest delay, ${Math.max(...delays)}`,
    )
  return delayed.map((row, codebook) => Array.from({ length }, (_, frame) => row[frame + delays[codebook]]))
}

function checkDelays(codebooks: number, delays: readonly number[]): void {
  if (delays.length !== codebooks || !delays.every(frames => Number.isInteger(frames) && frames >= 0))
    throw new TokenError(
      `delays are [${delays.join(', ')}], expected ${codebooks} whole numbers of frames, one per codebook`,
    )
}

/**
 * Packs groups of codes of small codebooks into one code each, as SPEAR's quantizer stores them: codes a, b of `size` entries become
 * a + size * b, again and again while the result fits a byte. 16 codebooks of 16 become 8 of 256.
 */
export function packIntoBytes(codes: CodeRows, size: number): { codes: number[][]; size: number } {
  let packed = codes.map(row => Array.from(row))
  while (size * size <= 256 && size > 1 && packed.length % 2 === 0) {
    const factor = size
    packed = Array.from({ length: packed.length / 2 }, (_, pair) =>
      packed[2 * pair].map((code, frame) => code + factor * packed[2 * pair + 1][frame]),
    )
    size *= factor
  }
  return { codes: packed, size }
}

/** Inverse of {@link packIntoBytes}. @param size entries of each codebook before packing */
export function unpackFromBytes(packed: CodeRows, codebooks: number, size: number): number[][] {
  const perRow = codebooks / packed.length
  return Array.from({ length: codebooks }, (_, codebook) => {
    const factor = size ** (codebook % perRow)
    return Array.from(packed[Math.floor(codebook / perRow)], code => Math.floor(code / factor) % size)
  })
}

/** Frames of rows that must agree. */
export function framesOf(codes: CodeRows): number {
  if (codes.length === 0) throw new TokenError('no codebooks of codes were given')
  const ragged = codes.findIndex(row => row.length !== codes[0].length)
  if (ragged < 0) return codes[0].length
  throw new TokenError(
    `codebook ${ragged} has ${codes[ragged].length} frames, codebook 0 has ${codes[0].length}; all must agree`,
  )
}
