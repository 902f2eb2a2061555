// Chance, by speakers: clips of one person are not independent, so people are shuffled between groups and drawn again, never clips.
import { quantile } from '../../quantile.js'
import { seededUniform, shuffled } from '../../random.js'

/** How often and from which seed. */
export interface Resampling {
  /** Shuffles of the group labels for p-values. */
  readonly shuffles: number
  /** Bootstrap resamples for intervals. */
  readonly resamples: number
  readonly seed: number
}

/** A number, how sure it is, and how often chance gives as much. */
export interface Figure {
  /** Null: it could not be had; `reason` says why. */
  readonly value: number | null
  /** 95 % bootstrap interval; too narrow for few speakers (of 4 a group, it holds a group's true mean in 76 % of corpora, of 16 in 94 %). */
  readonly interval: readonly [low: number, high: number] | null
  /** Of the permutation test over speakers; not corrected for the number of tests. */
  readonly p: number | null
  /** Mean of the value over shuffled labels: what no difference looks like with so few tokens. */
  readonly chance?: number
  /** Why something is null. */
  readonly reason?: string
}

export function missing(reason: string): Figure {
  return { value: null, interval: null, p: null, reason }
}

/** Which side every speaker stands on (0 or 1), and how often the resample holds each. */
export interface Assignment {
  readonly side: Uint8Array // [speakers]
  readonly weight: Float64Array // [speakers]
}

export interface Test {
  /** `greater`: differences only make the figure larger. */
  readonly tail: 'greater' | 'both'
  /** The estimate is too high for small samples: the interval is then the basic one, 2 value - quantile. */
  readonly isBiased?: boolean
}

/** Below this share of resamples that have the figure, an interval says nothing. */
const LEAST_DEFINED = 0.5
const TAIL = 0.025
/** Values that differ by rounding alone count as equal. */
const EQUAL = 1e-9

export const ONE_SPEAKER = 'a group has one speaker: the group cannot be told from the person'

/**
 * The figure of two groups. `statistic` gives NaN where an assignment leaves it undefined; its value for the true labels, an interval
 * from resampling speakers within their groups, and p from shuffling labels over the speakers of both.
 */
export function figureOf(
  side: Uint8Array,
  statistic: (assignment: Assignment) => number,
  test: Test,
  { shuffles, resamples, seed }: Resampling,
): Figure {
  const once = new Float64Array(side.length).fill(1)
  const value = statistic({ side, weight: once })
  if (!Number.isFinite(value)) return missing('no clips that it could be taken from in one of the groups')
  const ones = side.reduce((sum, each) => sum + each, 0)
  if (Math.min(ones, side.length - ones) < 2) return { value, interval: null, p: null, reason: ONE_SPEAKER }
  const drawn = draws(side, seed, resamples).map(weight => statistic({ side, weight }))
  const labels = relabelings(side, seed, shuffles)
  const shuffledValues = labels.sides
    .map(other => statistic({ side: other, weight: once }))
    .filter(Number.isFinite)
  const size = test.tail === 'both' ? Math.abs : (x: number) => x
  const least = size(value) - EQUAL * Math.max(1, Math.abs(value))
  const extreme = shuffledValues.filter(other => size(other) >= least).length
  return {
    value,
    interval: interval(drawn, value, test.isBiased),
    // All splits hold the true one; a sample of them does not.
    p: labels.isExact ? extreme / shuffledValues.length : (extreme + 1) / (shuffledValues.length + 1),
    ...(test.isBiased && {
      chance: shuffledValues.reduce((sum, each) => sum + each, 0) / shuffledValues.length,
    }),
  }
}

/** The middle 95 % of resampled values that are defined; null where too few are. */
export function interval(values: readonly number[], value: number, isBasic = false): Figure['interval'] {
  const sorted = Float64Array.from(values.filter(Number.isFinite)).sort()
  if (sorted.length === 0 || sorted.length < LEAST_DEFINED * values.length) return null
  const [low, high] = [quantile(sorted, TAIL), quantile(sorted, 1 - TAIL)]
  return isBasic ? [Math.max(0, 2 * value - high), Math.max(0, 2 * value - low)] : [low, high]
}

/** How often each unit is drawn when units are drawn with replacement, as many of each stratum as it has. */
export function draws(strata: ArrayLike<number>, seed: number, resamples: number): Float64Array[] {
  const next = seededUniform(seed)
  const members = new Map<number, number[]>()
  for (let unit = 0; unit < strata.length; unit++)
    members.set(strata[unit], [...(members.get(strata[unit]) ?? []), unit])
  return Array.from({ length: resamples }, () => {
    const weight = new Float64Array(strata.length)
    for (const units of members.values())
      for (let i = 0; i < units.length; i++) weight[units[Math.floor(next() * units.length)]]++
    return weight
  })
}

/** Labels given to other speakers: all ways of doing so where there are no more than `shuffles`, else that many at random. */
export function relabelings(
  side: Uint8Array,
  seed: number,
  shuffles: number,
): { sides: Uint8Array[]; isExact: boolean } {
  const ones = side.reduce((sum, each) => sum + each, 0)
  if (choices(side.length, ones) <= shuffles) return { sides: [...splits(side.length, ones)], isExact: true }
  const next = seededUniform(seed)
  return {
    sides: Array.from({ length: shuffles }, () =>
      Uint8Array.from(shuffled(side.length, next), unit => side[unit]),
    ),
    isExact: false,
  }
}

/** n over k. */
export function choices(n: number, k: number): number {
  let product = 1
  for (let i = 1; i <= k; i++) product *= (n - k + i) / i
  return Math.round(product)
}

/** Every way to put `ones` of `length` speakers on side 1. */
function* splits(length: number, ones: number): Generator<Uint8Array> {
  if (ones === 0 || ones === length) return yield new Uint8Array(length).fill(ones === 0 ? 0 : 1)
  for (const first of [0, 1])
    for (const rest of splits(length - 1, ones - first)) yield Uint8Array.from([first, ...rest])
}
