import { TokenError } from '../../errors.js'
import { type CodeRows, framesOf } from '../layouts.js'
import { type FrameMap, frameMap } from './features.js'

/** Codes of fewer frames, and where the frames went. */
export interface ReducedCodes extends FrameMap {
  /** [codebook][token] */
  readonly codes: number[][]
}

/** Leaves out every frame that equals the one before in all codebooks. {@link expandRuns} brings them back. */
export function dedup(codes: CodeRows): ReducedCodes {
  return durationReduce(codes, 1)
}

/** Inverse of {@link dedup}. @param sizes how often each frame stands */
export function expandRuns(codes: CodeRows, sizes: ArrayLike<number>): number[][] {
  if (framesOf(codes) !== sizes.length)
    throw new TokenError(`${sizes.length} run lengths for ${framesOf(codes)} frames of codes`)
  return codes.map(row => Array.from(row).flatMap((code, i) => new Array<number>(sizes[i]).fill(code)))
}

/**
 * Duration reduction of Vevo: the first n frames stay; a later one stays when the n frames up to it differ, each in its place, from the
 * n frames up to the one before. With n = 1, repeats are left out.
 *
 * @param n frames that must all change (default 1)
 */
export function durationReduce(codes: CodeRows, n = 1): ReducedCodes {
  const frames = framesOf(codes)
  if (!Number.isInteger(n) || n < 1) throw new TokenError(`n is ${n}, expected a whole number from 1`)
  const changes = (frame: number) => codes.some(row => row[frame] !== row[frame - 1])
  const kept: number[] = []
  const map = new Int32Array(frames)
  let changed = 0 // frames in a row that differ from the one before
  for (let frame = 0; frame < frames; frame++) {
    changed = frame > 0 && changes(frame) ? changed + 1 : 0
    if (frame < n || changed >= n) kept.push(frame)
    map[frame] = kept.length - 1
  }
  return {
    codes: codes.map(row => kept.map(frame => row[frame])),
    ...frameMap(map, kept.length),
  }
}
