import { quantile } from '../../quantile.js'
import { seededUniform } from '../../random.js'

/** A mean over clips, of rates a weighted one, and how sure it is. */
export interface Mean {
  readonly mean: number
  /** 95 % of the means of resampled clips lie between these (bootstrap percentiles); undefined for one clip. */
  readonly interval?: readonly [low: number, high: number]
  /** Clips that have the measure. */
  readonly clips: number
}

const RESAMPLES = 2000
const SEED = 1
const TAIL = 0.025

/**
 * Mean and bootstrap interval; the same values give the same interval every time. Undefined without values. With weights, as the words
 * of each clip are for word error rates, the mean is that of all words.
 */
export function bootstrapMean(values: readonly number[], weights?: readonly number[]): Mean | undefined {
  const clips = values.length
  if (clips === 0) return undefined
  const weightOf = (i: number) => weights?.[i] ?? 1
  const meanOf = (pick: (i: number) => number) => {
    let [sum, weight] = [0, 0]
    for (let i = 0; i < clips; i++) {
      const at = pick(i)
      sum += weightOf(at) * values[at]
      weight += weightOf(at)
    }
    return sum / weight
  }
  const mean = meanOf(i => i)
  if (clips === 1) return { mean, clips }
  const random = seededUniform(SEED)
  const means = Float64Array.from({ length: RESAMPLES }, () =>
    meanOf(() => Math.floor(random() * clips)),
  ).sort()
  return { mean, interval: [quantile(means, TAIL), quantile(means, 1 - TAIL)], clips }
}
