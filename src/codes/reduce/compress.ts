import { TokenError } from '../../errors.js'
import type { CodeRows } from '../layouts.js'
import { mapOfAdjacentPairs, mapOfSegments } from './adjacent.js'
import { encodeMerged, mergeCodes, packMerged } from './codec-merging.js'
import { dedup, durationReduce } from './durations.js'
import {
  type Features,
  type FrameMap,
  frameCount,
  frameMap,
  identityMap,
  inTimeOrder,
  meanOf,
  row,
  spread,
} from './features.js'
import { averagePool, maxPool, stack, unpool, unstack } from './pooling.js'
import { keepBest, noveltyScores } from './pruning.js'
import { mapOfEveryKth, mapOfMatching, matchBipartite } from './tome.js'

/** Methods for codes. All but `codec-merging` decide their own ratio. */
export type CodeMethod = 'dedup' | 'duration' | 'codec-merging'

/** Methods for features. */
export type FeatureMethod =
  | 'average-pool'
  | 'max-pool'
  | 'stack'
  | 'tome'
  | 'tome-kth'
  | 'a-tome'
  | 'segments'
  | 'prune'

/** What some methods need beside the ratio. */
export interface CompressOptions {
  /** `duration`: frames that must all change (default 1). */
  readonly n?: number
  /** `codec-merging`: vectors of each codebook. Only codebook 0 is merged, as in the paper. */
  readonly codebooks?: readonly Features[]
  /** `codec-merging`: the encoder's output; without it the sum of the codebook vectors stands for it. */
  readonly latent?: Features
  /** `tome`, `tome-kth`, `a-tome`: what similarity is measured on, such as an attention layer's keys; default the features. */
  readonly metric?: Features
  /** `a-tome`, `segments`: merge what is at least so similar (cosine), whatever ratio that gives. */
  readonly threshold?: number
  /** `segments`: most frames of a segment. */
  readonly longest?: number
  /** `prune`: what each frame is worth, such as the attention it receives; default how new it is. */
  readonly scores?: ArrayLike<number>
  /** `prune`: dropped frames are averaged into the kept one nearest in time instead of being lost. */
  readonly mergesDropped?: boolean
}

/** Fewer tokens, and where each frame went: the way back, and time stamps. */
export interface Compressed<Tokens> extends FrameMap {
  readonly method: CodeMethod | FeatureMethod
  readonly tokens: Tokens
  /** The frames again, as well as the tokens tell. */
  restore(): Tokens
}

/**
 * Shortens a sequence.
 *
 * @param input codes [codebook][frame], or features [frames, dim]
 * @param ratio frames per token aimed at, 1 or more; windows and groups take it as a whole number of frames
 * @throws TokenError for a method that does not take this input, or a ratio that it cannot reach
 */
export function compress(
  input: CodeRows,
  method: CodeMethod,
  ratio?: number,
  options?: CompressOptions,
): Compressed<number[][]>
export function compress(
  input: Features,
  method: FeatureMethod,
  ratio: number,
  options?: CompressOptions,
): Compressed<Features>
export function compress(
  input: CodeRows | Features,
  method: CodeMethod | FeatureMethod,
  ratio = 1,
  options: CompressOptions = {},
): Compressed<number[][]> | Compressed<Features> {
  if (!(ratio >= 1)) throw new TokenError(`the ratio is ${ratio}, expected 1 or more frames per token`)
  if (isFeatures(input)) {
    const reduce = FEATURE_METHODS[method as FeatureMethod]
    if (!reduce) throw unknownMethod(method, 'features', FEATURE_METHODS)
    checkFinite(input)
    return { method, ...reduce(input, ratio, options) }
  }
  const reduce = CODE_METHODS[method as CodeMethod]
  if (!reduce) throw unknownMethod(method, 'codes', CODE_METHODS)
  return { method, ...reduce(input, ratio, options) }
}

function isFeatures(input: CodeRows | Features): input is Features {
  return !Array.isArray(input)
}

function unknownMethod(method: string, kind: string, methods: object): TokenError {
  return new TokenError(`'${method}' is no method for ${kind}; expected ${Object.keys(methods).join(', ')}`)
}

function checkFinite(features: Features): void {
  const wrong = features.values.findIndex(value => !Number.isFinite(value))
  if (wrong < 0) return
  throw new TokenError(
    `value ${features.values[wrong]} in frame ${Math.floor(wrong / features.dim)} of the features`,
  )
}

/**
 * Bits per second of tokens with their durations, which cost an Elias gamma code each.
 *
 * @param bitsPerToken bits of one token alone
 * @param frameRate frames per second before compression
 */
export function bitsPerSecond({ sizes, map }: FrameMap, bitsPerToken: number, frameRate: number): number {
  const durations = sizes.reduce((bits, size) => bits + 2 * (31 - Math.clz32(size)) + 1, 0)
  return map.length === 0 ? 0 : ((bitsPerToken * sizes.length + durations) * frameRate) / map.length
}

type Reduced<Tokens> = Omit<Compressed<Tokens>, 'method'>
type Reducer<Input, Tokens> = (input: Input, ratio: number, options: CompressOptions) => Reduced<Tokens>

const CODE_METHODS: Readonly<Record<CodeMethod, Reducer<CodeRows, number[][]>>> = {
  dedup: codes => fromCodes(dedup(codes)),
  duration: (codes, _, { n }) => fromCodes(durationReduce(codes, n)),
  'codec-merging': mergeCodec,
}

const FEATURE_METHODS: Readonly<Record<FeatureMethod, Reducer<Features, Features>>> = {
  'average-pool': (features, ratio) => fromWindows(features, ratio, averagePool(features, ratio)),
  'max-pool': (features, ratio) => fromWindows(features, ratio, maxPool(features, ratio)),
  stack: stackFrames,
  tome: (features, ratio, { metric }) => layered(features, ratio, metric, tomeLayer),
  'tome-kth': (features, ratio, { metric = features }) =>
    fromMap(features, inTimeOrder(mapOfEveryKth(metric, ratio)).map),
  'a-tome': mergeAdjacent,
  segments: segment,
  prune,
}

function fromCodes({ codes, map, sizes }: FrameMap & { codes: number[][] }): Reduced<number[][]> {
  const restore = () => codes.map(list => Array.from(map, token => list[token]))
  return { tokens: codes, map, sizes, restore }
}

/** Codebook 0 at the lower rate, which `map` is of; the deeper ones keep every frame. */
function mergeCodec(
  codes: CodeRows,
  ratio: number,
  { codebooks, latent }: CompressOptions,
): Reduced<number[][]> {
  if (!codebooks) throw new TokenError("'codec-merging' needs the vectors of the codebooks")
  const rates = codes.map((_, q) => (q === 0 ? ratio : 1))
  const merged = latent
    ? encodeMerged(latent, codebooks.slice(0, codes.length), rates)
    : mergeCodes(codes, codebooks, rates)
  const map = Int32Array.from(codes[0], (_, t) => Math.floor(t / ratio))
  const tokens = Math.ceil(codes[0].length / ratio)
  return { tokens: packMerged(merged.codes, rates), ...frameMap(map, tokens), restore: () => merged.codes }
}

/** Tokens are the means of their frames. */
function fromMap(features: Features, map: Int32Array): Reduced<Features> {
  const count = map.reduce((most, token) => Math.max(most, token + 1), 0)
  const frames = frameMap(map, count)
  const tokens = meanOf(features, frames)
  return { tokens, ...frames, restore: () => spread(tokens, map) }
}

/** The last window also stands for the frames that filled none. */
function fromWindows(features: Features, window: number, tokens: Features): Reduced<Features> {
  const frames = frameCount(features)
  const count = frameCount(tokens)
  if (count === 0 && frames > 0)
    throw new TokenError(`windows of ${window} frames are longer than all ${frames}`)
  const map = Int32Array.from({ length: frames }, (_, t) => Math.min(Math.floor(t / window), count - 1))
  return { tokens, ...frameMap(map, count), restore: () => unpool(tokens, window, frames) }
}

/** Nothing is lost but the frames that filled no window; the last whole frame stands for those. */
function stackFrames(features: Features, window: number): Reduced<Features> {
  const reduced = fromWindows(features, window, stack(features, window))
  return { ...reduced, restore: () => unpool(unstack(reduced.tokens, window), 1, frameCount(features)) }
}

/** A layer takes frames and the most of them that should go, and gives the token of each. */
type Layer = (metric: Features, count: number) => Int32Array

const tomeLayer: Layer = (metric, count) =>
  inTimeOrder(mapOfMatching(matchBipartite(metric, count), frameCount(metric))).map

/** Layer after layer, each merging up to half, until the ratio is reached. Means are of all frames merged so far. */
function layered(
  features: Features,
  ratio: number,
  metric: Features | undefined,
  layer: Layer,
): Reduced<Features> {
  const frames = frameCount(features)
  const target = Math.max(Math.min(1, frames), Math.round(frames / ratio))
  let map = identityMap(frames)
  for (let count = frames; count > target; ) {
    const seen = meanOf(metric ?? features, frameMap(map, count))
    const next = layer(seen, count - target)
    map = map.map(token => next[token])
    count = next.reduce((most, token) => Math.max(most, token + 1), 0)
  }
  return fromMap(features, map)
}

function mergeAdjacent(
  features: Features,
  ratio: number,
  { metric = features, threshold }: CompressOptions,
): Reduced<Features> {
  if (threshold !== undefined) return fromMap(features, mapOfAdjacentPairs(metric, { threshold }))
  return layered(features, ratio, metric, (seen, count) => mapOfAdjacentPairs(seen, { count }))
}

/** Without a threshold: the highest, in 20 halvings, that reaches the ratio. */
function segment(
  features: Features,
  ratio: number,
  { threshold, longest }: CompressOptions,
): Reduced<Features> {
  if (threshold !== undefined) return fromMap(features, mapOfSegments(features, threshold, longest))
  const most = Math.max(1, Math.round(frameCount(features) / ratio))
  let [low, high] = [-1.001, 1.001]
  for (let step = 0; step < 20; step++) {
    const middle = (low + high) / 2
    const map = mapOfSegments(features, middle, longest)
    if ((map.at(-1) ?? -1) < most) low = middle
    else high = middle
  }
  return fromMap(features, mapOfSegments(features, low, longest))
}

function prune(
  features: Features,
  ratio: number,
  { scores = noveltyScores(features), mergesDropped = false }: CompressOptions,
): Reduced<Features> {
  const frames = frameCount(features)
  if (scores.length !== frames) throw new TokenError(`${scores.length} scores for ${frames} frames`)
  const { kept, map } = keepBest(scores, Math.ceil(frames / ratio))
  if (mergesDropped) return fromMap(features, map)
  const tokens: Features = { values: new Float32Array(kept.length * features.dim), dim: features.dim }
  kept.forEach((frame, token) => {
    tokens.values.set(row(features, frame), token * features.dim)
  })
  return { tokens, ...frameMap(map, kept.length), restore: () => spread(tokens, map) }
}
