// Statistics of one codebook's codes. `clips` are the codes of one codebook in several clips: pairs of neighbours never span two clips.
import { TokenError } from '../errors.js'

/** Codes of one codebook, one array per clip. */
export type CodeClips = readonly ArrayLike<number>[]

/** How a codebook is used. Entropies in bits, from the shares of each code (plug-in). */
export interface CodebookUsage {
  readonly tokens: number
  /** Codes that occur. */
  readonly used: number
  /** used / size. */
  readonly utilisation: number
  /** Share of codes that make up 1e-5 of the tokens or more. */
  readonly effectiveUtilisation: number
  readonly entropy: number
  /** Entropy with Miller and Madow's correction of the bias of small samples: + (used - 1) / (2 N ln 2). */
  readonly entropyMillerMadow: number
  /** 2^entropy. */
  readonly perplexity: number
}

const EFFECTIVE_SHARE = 1e-5

/** @throws TokenError for a code outside the codebook, or no codes at all */
export function codebookUsage(clips: CodeClips, size: number): CodebookUsage {
  const counts = histogram(clips, size)
  const tokens = counts.reduce((sum, count) => sum + count, 0)
  const used = counts.filter(count => count > 0).length
  const entropy = entropyOf(counts, tokens)
  return {
    tokens,
    used,
    utilisation: used / size,
    effectiveUtilisation: counts.filter(count => count >= EFFECTIVE_SHARE * tokens).length / size,
    entropy,
    entropyMillerMadow: entropy + (used - 1) / (2 * tokens * Math.LN2),
    perplexity: 2 ** entropy,
  }
}

function histogram(clips: CodeClips, size: number): Float64Array {
  const counts = new Float64Array(size)
  for (const codes of clips)
    for (let t = 0; t < codes.length; t++) {
      const code = codes[t]
      if (!(Number.isInteger(code) && code >= 0 && code < size))
        throw new TokenError(`code ${code} at frame ${t} is out of range; expected 0 to ${size - 1}`)
      counts[code]++
    }
  if (!clips.some(codes => codes.length > 0))
    throw new TokenError(`no codes in ${clips.length} clips; statistics need one at least`)
  return counts
}

function entropyOf(counts: Iterable<number>, total: number): number {
  let sum = 0
  for (const count of counts) if (count > 0) sum -= (count / total) * Math.log2(count / total)
  return sum
}

/** Nominal and effective rates of a tokenizer. */
export interface TokenRates {
  /** Codes per second, over all codebooks. */
  readonly tokensPerSecond: number
  /** frameRate * sum of log2 size / stride. */
  readonly bitsPerSecond: number
  /** frameRate * sum of entropy / stride. */
  readonly entropyBitsPerSecond: number
  /** entropyBitsPerSecond / bitsPerSecond: 1 where every code is equally frequent. */
  readonly bitrateEfficiency: number
}

/** `entropies` and `sizes` per codebook; frameRate in Hz; `strides`: frames that share a code of each codebook (default: 1). */
export function tokenRates(
  entropies: readonly number[],
  sizes: readonly number[],
  frameRate: number,
  strides: readonly number[] = [],
): TokenRates {
  const perFrame = (values: readonly number[]) =>
    values.reduce((sum, value, codebook) => sum + value / (strides[codebook] ?? 1), 0)
  const bits = perFrame(sizes.map(Math.log2))
  const entropy = perFrame(entropies)
  return {
    tokensPerSecond: perFrame(sizes.map(() => 1)) * frameRate,
    bitsPerSecond: bits * frameRate,
    entropyBitsPerSecond: entropy * frameRate,
    bitrateEfficiency: entropy / bits,
  }
}

/** What one code tells about another, in bits. */
export interface Dependence {
  /** H(b | a). */
  readonly conditionalEntropy: number
  /** I(a; b) = H(a) + H(b) - H(a, b). */
  readonly mutualInformation: number
  readonly pairs: number
  /** True where there are fewer than 10 pairs per cell: the estimates are then biased towards dependence. */
  readonly biased: boolean
}

/**
 * How much the code of codebook a tells about that of codebook b in the same frame.
 * @throws TokenError for codes out of range, clips of unequal length, or no codes
 */
export function codebookDependence(a: CodeClips, b: CodeClips, sizeA: number, sizeB: number): Dependence {
  histogram(a, sizeA)
  histogram(b, sizeB)
  const pairs = a.flatMap((codes, clip) => {
    if (codes.length !== b[clip]?.length)
      throw new TokenError(
        `clip ${clip} has ${codes.length} codes in one codebook and ${b[clip]?.length ?? 'none'} in the other; both must agree`,
      )
    return Array.from(codes, (code, t): Pair => [code, b[clip][t]])
  })
  return dependence(pairs, sizeA, sizeB)
}

/**
 * How much a code tells about the next of its codebook: H(c[t] | c[t-1]) and their mutual information, from bigrams.
 * @throws TokenError for codes out of range or no clip with two codes
 */
export function temporalDependence(clips: CodeClips, size: number): Dependence {
  histogram(clips, size)
  return dependence(
    clips.flatMap(codes => Array.from(codes, (code, t): Pair => [codes[t - 1], code]).slice(1)),
    size,
    size,
  )
}

type Pair = [a: number, b: number]

function dependence(pairs: readonly Pair[], sizeA: number, sizeB: number): Dependence {
  if (pairs.length === 0) throw new TokenError('no pairs of codes; every clip has one code at most')
  const countsA = new Float64Array(sizeA)
  const countsB = new Float64Array(sizeB)
  const joint = new Map<number, number>()
  for (const [a, b] of pairs) {
    countsA[a]++
    countsB[b]++
    joint.set(a * sizeB + b, (joint.get(a * sizeB + b) ?? 0) + 1)
  }
  const entropyA = entropyOf(countsA, pairs.length)
  const entropyBoth = entropyOf(joint.values(), pairs.length)
  return {
    conditionalEntropy: entropyBoth - entropyA,
    mutualInformation: entropyA + entropyOf(countsB, pairs.length) - entropyBoth,
    pairs: pairs.length,
    biased: pairs.length < 10 * sizeA * sizeB,
  }
}

/** Repetition of codes from frame to frame. */
export interface RunStatistics {
  /** P(c[t] = c[t-1]). */
  readonly repeatRate: number
  /** Mean length of a run of equal codes, frames. */
  readonly meanRun: number
  /** Codes left when repetitions are dropped, as a share of all. */
  readonly dedupRate: number
}

/** @throws TokenError where there are no codes */
export function runStatistics(clips: CodeClips): RunStatistics {
  let tokens = 0
  let runs = 0
  let neighbours = 0
  for (const codes of clips) {
    tokens += codes.length
    neighbours += Math.max(0, codes.length - 1)
    for (let t = 0; t < codes.length; t++) if (t === 0 || codes[t] !== codes[t - 1]) runs++
  }
  if (tokens === 0) throw new TokenError(`no codes in ${clips.length} clips; statistics need one at least`)
  return {
    repeatRate: (tokens - runs) / neighbours,
    meanRun: tokens / runs,
    dedupRate: runs / tokens,
  }
}

/**
 * Share of frames whose codes agree, per codebook: round-trip stability (codes against codes of the decoded audio), or consistency of
 * a part against the whole. The longer is cut; `trim` frames are left out at either end (default 0).
 * @throws TokenError where the numbers of codebooks differ or no frame is left
 */
export function codeAgreement(
  a: readonly ArrayLike<number>[],
  b: readonly ArrayLike<number>[],
  options: { trim?: number } = {},
): number[] {
  const { trim = 0 } = options
  if (a.length !== b.length)
    throw new TokenError(`${a.length} codebooks against ${b.length}; both must have the same number`)
  return a.map((codes, codebook) => {
    const end = Math.min(codes.length, b[codebook].length) - trim
    if (end <= trim)
      throw new TokenError(
        `codebook ${codebook} has ${codes.length} and ${b[codebook].length} frames; none is left with ${trim} trimmed at both ends`,
      )
    let equal = 0
    for (let t = trim; t < end; t++) if (codes[t] === b[codebook][t]) equal++
    return equal / (end - trim)
  })
}
