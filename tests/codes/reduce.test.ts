import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attentionScores,
  averagePool,
  dedup,
  durationReduce,
  encodeMerged,
  expandRuns,
  type Features,
  frameMap,
  inTimeOrder,
  keepBest,
  mapOfAdjacentPairs,
  mapOfEveryKth,
  mapOfMatching,
  mapOfSegments,
  matchBipartite,
  maxPool,
  meanOf,
  mergeCodes,
  nearestCodes,
  noveltyScores,
  packMerged,
  queryScores,
  type ResamplerWeights,
  resampleWithQueries,
  spread,
  stack,
  TokenError,
  unpackMerged,
  unpool,
  unstack,
} from '../../src/codes/index.js'
import { exponential } from '../../src/codes/reduce/exponential.js'
import { vectors } from './vectors.js'

const features = (rows: readonly (readonly number[])[]): Features => ({
  values: Float32Array.from(rows.flat()),
  dim: rows[0].length,
})
const rowsOf = ({ values, dim }: Features) =>
  Array.from({ length: values.length / dim }, (_, i) => Array.from(values.subarray(i * dim, (i + 1) * dim)))
const near = (
  actual: Features | ArrayLike<number>,
  expected: readonly (readonly number[])[],
  bound = 1e-6,
) => {
  const values = 'dim' in actual ? actual.values : actual
  const flat = expected.flat()
  assert.is(values.length, flat.length)
  for (let i = 0; i < flat.length; i++)
    assert.ok(Math.abs(values[i] - flat[i]) <= bound, `value ${i} is ${values[i]}, not ${flat[i]}`)
}
const refuses = (call: () => unknown, pattern: RegExp) =>
  assert.throws(call, (error: Error) => error instanceof TokenError && pattern.test(error.message))

test("duration reduction is Vevo's", () => {
  for (const { tokens, n, out } of vectors('duration-reduce')) {
    const { codes, map, sizes } = durationReduce([tokens], n)
    assert.equal(codes, [out])
    assert.is(
      sizes.reduce((a, b) => a + b, 0),
      tokens.length,
    )
    assert.is(map.length, tokens.length)
  }
  refuses(() => durationReduce([[1]], 0), /n is 0, expected a whole number from 1/)
})

test('dedup leaves out repeats of whole frames and gives them back', () => {
  const codes = [
    [5, 5, 5, 7, 7, 5],
    [1, 1, 2, 2, 2, 2],
  ]
  const { codes: kept, sizes, map } = dedup(codes)
  assert.equal(kept, [
    [5, 5, 7, 5],
    [1, 2, 2, 2],
  ])
  assert.equal(
    [Array.from(sizes), Array.from(map)],
    [
      [2, 1, 2, 1],
      [0, 0, 1, 2, 2, 3],
    ],
  )
  assert.equal(expandRuns(kept, sizes), codes)
  assert.equal(dedup([[]]).codes, [[]])
  refuses(() => expandRuns([[1, 2]], [1]), /1 run lengths for 2 frames/)
})

test('codec-merging follows VALL-E R, codebook by codebook', () => {
  const { latent, codebooks, cases } = vectors('codec-merging')
  const books = codebooks.map(features)
  for (const { m, codes, residual_mse } of cases) {
    const found = encodeMerged(features(latent), books, m)
    assert.equal(found.codes, codes, `rates ${m}`)
    assert.ok(Math.abs(found.residualMse - residual_mse) < 1e-6)
    const packed = packMerged(codes, m)
    assert.is(packed[0].length, Math.ceil(latent.length / m[0]))
    assert.equal(unpackMerged(packed, m, latent.length), codes)
  }
  refuses(() => encodeMerged(features(latent), books, [2, 1]), /merge rates are \[2, 1\], expected 3/)
  refuses(() => unpackMerged([[1, 2]], [2], 5), /2 merged codes, expected 3 for 5 frames at rate 2/)
})

test('codes merged without their latent: rate 1 changes nothing that was coded well', () => {
  const books = [
    features([
      [0, 0],
      [10, 0],
      [0, 10],
    ]),
    features([
      [0, 0],
      [1, 0],
      [0, 1],
    ]),
  ]
  const codes = [
    [1, 2, 1, 0, 2],
    [1, 2, 0, 1, 1],
  ]
  assert.equal(mergeCodes(codes, books, [1, 1]), { codes, residualMse: 0 })
  assert.equal(mergeCodes(codes, books, [2, 1]).codes[0].slice(2, 4), [1, 1])
})

test('ToMe: matching, means and unmerging are upstream’s', () => {
  const { kth3, ...cases } = vectors('tome')
  for (const [name, c] of Object.entries<Record<string, never>>(cases)) {
    const x = features(c.x)
    const matching = matchBipartite(x, c.r, c.class_token)
    const map = mapOfMatching(matching, (c.x as number[][]).length)
    const frames = frameMap(
      map,
      map.reduce((most: number, token) => Math.max(most, token + 1), 0),
    )
    const merged = meanOf(x, frames)
    near(merged, c.merged_mean, 1e-5)
    near(spread(merged, map), c.unmerged, 1e-5)
    if (c.size) assert.equal(Array.from(frames.sizes), c.size, name)
    const sums = rowsOf(merged).map((row, i) => row.map(value => value * frames.sizes[i]))
    near(Float32Array.from(sums.flat()), c.merged_sum, 1e-5)
  }
  const x = features(kth3.x)
  near(meanOf(x, frameMap(mapOfEveryKth(x, kth3.k), kth3.merged_mean.length)), kth3.merged_mean, 1e-5)
})

test('time order renumbers tokens by their first frame; weights count', () => {
  const { map, order } = inTimeOrder(Int32Array.of(2, 0, 2, 1))
  assert.equal(
    [Array.from(map), order],
    [
      [0, 1, 0, 2],
      [2, 0, 1],
    ],
  )
  const mean = meanOf(features([[1], [5]]), frameMap(Int32Array.of(0, 0), 1), [3, 1])
  assert.equal(rowsOf(mean), [[2]])
})

const TURNS = features([
  [1, 0],
  [1, 0.1],
  [0, 1],
  [0, 1],
  [1, 1],
  [-1, 0],
  [-1, 0],
])

test('A-ToMe merges neighbours in disjoint pairs', () => {
  assert.equal(Array.from(mapOfAdjacentPairs(TURNS, { threshold: 0.9 })), [0, 0, 1, 1, 2, 3, 4])
  assert.equal(Array.from(mapOfAdjacentPairs(TURNS, { count: 1 })), [0, 1, 2, 2, 3, 4, 5])
  assert.equal(Array.from(mapOfAdjacentPairs(TURNS, { count: 99 })), [0, 0, 1, 1, 2, 2, 3])
})

test('segments grow while frames look like their mean', () => {
  assert.equal(Array.from(mapOfSegments(TURNS, 0.9)), [0, 0, 1, 1, 2, 3, 3])
  assert.equal(Array.from(mapOfSegments(TURNS, -1)), [0, 0, 0, 0, 0, 0, 0])
  assert.equal(Array.from(mapOfSegments(TURNS, -1, 3)), [0, 0, 0, 1, 1, 1, 2])
})

test('pooling and stacking drop what fills no window', () => {
  const x = features([
    [1, 2],
    [3, 6],
    [5, 0],
    [7, 8],
    [9, 9],
  ])
  assert.equal(rowsOf(averagePool(x, 2)), [
    [2, 4],
    [6, 4],
  ])
  assert.equal(rowsOf(maxPool(x, 2)), [
    [3, 6],
    [7, 8],
  ])
  assert.equal(rowsOf(stack(x, 2)), [
    [1, 2, 3, 6],
    [5, 0, 7, 8],
  ])
  assert.equal(rowsOf(unstack(stack(x, 2), 2)), rowsOf(x).slice(0, 4))
  assert.equal(rowsOf(unpool(averagePool(x, 2), 2, 5)), [
    [2, 4],
    [2, 4],
    [6, 4],
    [6, 4],
    [6, 4],
  ])
  refuses(() => averagePool(x, 1.5), /the window is 1.5 frames/)
  refuses(
    () => stack({ values: new Float32Array(5), dim: 2 }, 1),
    /5 values are no whole number of frames of 2/,
  )
})

test('pruning keeps the best in time order', () => {
  const { kept, map } = keepBest([1, 5, 5, 0, 2, 9, 0], 3)
  assert.equal(
    [kept, Array.from(map)],
    [
      [1, 2, 5],
      [0, 0, 1, 1, 2, 2, 2],
    ],
  )
  assert.equal(keepBest([], 0).kept, [])
  refuses(() => keepBest([1, 2], 3), /3 of 2 frames are to be kept/)
  near(noveltyScores(TURNS), [
    [2, 1 - 1 / Math.sqrt(1.01), 1 - 0.1 / Math.sqrt(1.01), 0, 1 - Math.SQRT1_2, 1 + Math.SQRT1_2, 0],
  ])
  assert.equal(attentionScores([1, 0, 0.5, 0.5, 0, 1, 0.5, 0.5], 2, 2), [0.5, 0.5])
  near(
    queryScores(
      TURNS,
      features([
        [0, 2],
        [-3, 0],
      ]),
    ),
    [[0, 0.1 / Math.sqrt(1.01), 1, 1, Math.SQRT1_2, 1, 1]],
  )
  refuses(() => attentionScores([1, 2, 3], 2, 2), /3 attention weights are no \[2, queries, 2\]/)
})

test('query resampling is torch’s attention', () => {
  const { x, window, weights, y, without_feed_forward } = vectors('resampler')
  const layer = (l: { weight: { values: number[]; dim: number }; bias: number[] }) => ({
    weight: { values: Float32Array.from(l.weight.values), dim: l.weight.dim },
    bias: Float32Array.from(l.bias),
  })
  const { queries, norm, feedForward, heads } = weights
  const loaded: ResamplerWeights = {
    queries: { values: Float32Array.from(queries.values), dim: queries.dim },
    heads,
    q: layer(weights.q),
    k: layer(weights.k),
    v: layer(weights.v),
    o: layer(weights.o),
    norm: { weight: Float32Array.from(norm.weight), bias: Float32Array.from(norm.bias) },
  }
  const input: Features = { values: Float32Array.from(x.values), dim: x.dim }
  near(resampleWithQueries(input, window, loaded), [without_feed_forward], 2e-6)
  const whole = { ...loaded, feedForward: { up: layer(feedForward.up), down: layer(feedForward.down) } }
  near(resampleWithQueries(input, window, whole), [y], 5e-6)
  refuses(() => resampleWithQueries(input, 0, loaded), /the window is 0 frames/)
  refuses(
    () => resampleWithQueries(input, 4, { ...loaded, heads: 3 }),
    /8 dimensions cannot be shared by 3 heads/,
  )
})

test('the exponential function', () => {
  for (let x = -740; x <= 0; x += 0.37)
    assert.ok(Math.abs(exponential(x) / Math.exp(x) - 1) < 1e-12 || x < -700)
  assert.equal([exponential(0), exponential(-1e9)], [1, 0])
})

test('nearest codes: ties go to the lowest', () => {
  assert.equal(nearestCodes(features([[1], [4], [2]]), features([[3], [1], [3]])), [1, 0, 0])
  refuses(
    () => nearestCodes(features([[1]]), features([[1, 2]])),
    /features have 1 dimensions, the codebook 2/,
  )
})

test.run()
