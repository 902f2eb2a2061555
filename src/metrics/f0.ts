import { AudioError } from '../errors.js'

/** Agreement of two F0 contours. V are the frames voiced in both; what needs more of them than there are is NaN. */
export interface F0Agreement {
  /** Frames compared: those of the shorter contour. */
  readonly frames: number
  /** |V|. */
  readonly voicedFrames: number
  /** Gross pitch error: share of V off by more than 20 %. */
  readonly gpe: number
  /** Voicing decision error: share of frames voiced in one contour alone. */
  readonly vde: number
  /** F0 frame error: share of frames with either error. */
  readonly ffe: number
  /** Root mean square difference of log F0 on V, cents. */
  readonly rmseCents: number
  /** Root mean square difference of F0 on V, Hz. */
  readonly rmseHz: number
  /** Pearson's correlation of log F0 on V. */
  readonly correlation: number
  /** F1 of the voiced decision, the reference being the truth. */
  readonly voicingF1: number
}

const GROSS_ERROR = 0.2
const CENTS_PER_OCTAVE = 1200

/**
 * F0 and voicing errors of a degraded clip. Contours: Hz per frame, NaN or 0 where unvoiced (`pitch`, WORLD, CREPE), cut to the
 * shorter; they must have the same hop.
 * @throws AudioError where a contour is empty
 */
export function f0Agreement(reference: ArrayLike<number>, degraded: ArrayLike<number>): F0Agreement {
  const frames = Math.min(reference.length, degraded.length)
  if (frames === 0) throw new AudioError('an F0 contour has no frames; both need one at least')
  const both: [reference: number, degraded: number][] = []
  let onlyReference = 0
  let onlyDegraded = 0
  for (let t = 0; t < frames; t++) {
    const voicedReference = reference[t] > 0
    const voicedDegraded = degraded[t] > 0
    if (voicedReference && voicedDegraded) both.push([reference[t], degraded[t]])
    else if (voicedReference) onlyReference++
    else if (voicedDegraded) onlyDegraded++
  }
  const gross = both.filter(([x, y]) => Math.abs(y / x - 1) > GROSS_ERROR).length
  const rms = (error: (x: number, y: number) => number) =>
    Math.sqrt(both.reduce((sum, [x, y]) => sum + error(x, y) ** 2, 0) / both.length)
  const mismatches = onlyReference + onlyDegraded
  return {
    frames,
    voicedFrames: both.length,
    gpe: gross / both.length,
    vde: mismatches / frames,
    ffe: (gross + mismatches) / frames,
    rmseCents: rms((x, y) => CENTS_PER_OCTAVE * Math.log2(y / x)),
    rmseHz: rms((x, y) => y - x),
    correlation: pearson(
      both.map(([x]) => Math.log2(x)),
      both.map(([, y]) => Math.log2(y)),
    ),
    voicingF1: (2 * both.length) / (2 * both.length + mismatches),
  }
}

function pearson(x: readonly number[], y: readonly number[]): number {
  const meanX = x.reduce((sum, value) => sum + value, 0) / x.length
  const meanY = y.reduce((sum, value) => sum + value, 0) / y.length
  let xx = 0
  let yy = 0
  let xy = 0
  x.forEach((value, i) => {
    xx += (value - meanX) ** 2
    yy += (y[i] - meanY) ** 2
    xy += (value - meanX) * (y[i] - meanY)
  })
  return xy / Math.sqrt(xx * yy)
}
