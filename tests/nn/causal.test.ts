// The layers of causal codecs against PyTorch (tests/vectors/make_causal.py), whole and cut into any chunks.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ConvTranspose1d, DepthwiseTranspose1d } from '../../src/nn/conv_transpose1d.js'
import { LayerNorm } from '../../src/nn/norm.js'
import { ResidualQuantizer } from '../../src/nn/residual_quantizer.js'
import { RotaryAngles } from '../../src/nn/rotary.js'
import { TransformerLayer } from '../../src/nn/transformer.js'
import { wholeFrames } from '../../src/nn/whole_frames.js'
import { identical, near } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { run, runBothWays } from '../support/layers.js'
import { randomArray } from '../support/random.js'
import { cases, vectors } from '../support/vectors.js'

const { kernels, heap, region } = await freshCore()
const expected = vectors('causal.safetensors')
const tensor = (name: string) => expected.get(name)!.data

for (const { name, about } of cases('causal.safetensors', 'window_attention'))
  test(`windowAttentionF32: ${name}`, () => {
    const { T, window, heads, dim } = about
    const [q, k, v] = ['q', 'k', 'v'].map(part => region.copy(tensor(`${name}.${part}`)))
    const [scores, out] = [region.alloc(window), region.alloc(T * heads * dim)]
    const pitch = heads * dim
    const scale = 1 / Math.sqrt(dim)
    for (const block of [T, 1, 5]) {
      heap.f32(out, T * pitch).fill(Number.NaN)
      for (let row = 0; row < T; row += block) {
        const count = Math.min(block, T - row)
        const held = Math.min(row, window - 1)
        const [at, past] = [row * pitch * 4, (row - held) * pitch * 4]
        // biome-ignore format: the call reads as the kernel's signature
        kernels.windowAttentionF32(out + at, q + at, k + past, v + past, pitch, scores, count, held, window, heads, dim, scale)
      }
      near(
        heap.f32(out, T * pitch),
        tensor(`${name}.y`),
        name.endsWith('peaked') ? 5e-5 : 5e-6,
        `blocks of ${block}`,
      )
    }
  })

for (const { name, about } of cases('causal.safetensors', 'rotary'))
  test(`RotaryAngles and rotateHeadsF32: ${name}`, () => {
    const { T, position, heads, dim } = about
    const rotary = new RotaryAngles(dim, 10_000)
    const [cosines, sines] = [region.alloc(T * rotary.half), region.alloc(T * rotary.half)]
    rotary.write(region, cosines, sines, position, T)
    near(heap.f32(cosines, T * rotary.half), tensor(`${name}.cos`), 2e-7, 'cos')
    near(heap.f32(sines, T * rotary.half), tensor(`${name}.sin`), 2e-7, 'sin')
    const x = region.copy(tensor(`${name}.x`))
    kernels.rotateHeadsF32(x, heads * dim, cosines, sines, T, heads, rotary.half)
    near(heap.f32(x, T * heads * dim), tensor(`${name}.y`), 1e-6)
  })

for (const { name, about } of cases('causal.safetensors', 'conv_transpose'))
  test(`causal transposed convolution: ${name}`, () => {
    const { inputs, outputs, k, stride, groups } = about
    const [x, w, b] = ['x', 'w', 'b'].map(part => tensor(`${name}.${part}`))
    const layer =
      groups === 1
        ? new ConvTranspose1d(region, w, b, { inputs, outputs, kernel: k, stride })
        : new DepthwiseTranspose1d(region, w, outputs, stride)
    near(runBothWays(region, layer, { inputs, outputs }, x), tensor(`${name}.y`), 3e-6)
  })

test('ResidualQuantizer: codes, rest and sum', () => {
  const { about } = cases('causal.safetensors', 'residual_quantizer')[0]
  const { T, size, dim, stages } = about
  const books = Array.from({ length: stages }, (_, stage) =>
    tensor('residual_quantizer.books').slice(stage * size * dim, (stage + 1) * size * dim),
  )
  const quantizer = new ResidualQuantizer(region, books, size, dim)
  const reference = expected.get('residual_quantizer.codes')!.integers
  const [x, codes, out] = [
    region.copy(tensor('residual_quantizer.x')),
    region.alloc(T * stages),
    region.alloc(T * dim),
  ]
  quantizer.searcher(region, stages, T)(codes, stages, x, T)
  assert.equal([...heap.i32(codes, T * stages)], [...reference])
  near(heap.f32(x, T * dim), tensor('residual_quantizer.rest'), 1e-6, 'rest')
  quantizer.sum(region, out, codes, stages, T, stages)
  near(heap.f32(out, T * dim), tensor('residual_quantizer.sum'), 1e-6, 'sum')
  quantizer.sum(region, out, codes, stages, T, 1)
  identical(
    heap.f32(out, T * dim).slice(),
    Float32Array.from(
      { length: T * dim },
      (_, i) => books[0][reference[Math.floor(i / dim) * stages] * dim + (i % dim)],
    ),
    'first stage alone',
  )
})

test('a transformer layer keeps its window through any chunks, and what lies before it has no effect', () => {
  const [channels, hidden, window, frames] = [32, 48, 9, 300]
  const weights = () => ({
    query: randomArray(channels * channels, 1, 0.2),
    keyValue: randomArray(2 * channels * channels, 2, 0.2),
    output: randomArray(channels * channels, 3, 0.2),
    outputScale: randomArray(channels, 4),
    expand: randomArray(hidden * channels, 5, 0.2),
    contract: randomArray(channels * hidden, 6, 0.2),
    contractScale: randomArray(channels, 7),
  })
  const norm = (seed: number) =>
    new LayerNorm(region, randomArray(channels, seed), randomArray(channels, seed + 1), 1e-5)
  const shape = { heads: 2, window, rotary: new RotaryAngles(16, 10_000) }
  const layer = new TransformerLayer(region, weights(), norm(8), norm(10), shape)
  const x = randomArray(frames * channels, 12)
  const square = { inputs: channels, outputs: channels }
  const y = runBothWays(region, layer, square, x)
  const changed = x.slice()
  changed.fill(3, 0, channels * 100)
  const other = run(region, layer, square, changed)
  const from = (100 + window - 1) * channels
  identical(other.slice(from), y.slice(from), 'behind the window')
  assert.ok(
    other.slice(from - channels, from).some((value, i) => value !== y[from - channels + i]),
    'its last row is seen',
  )
})

test('wholeFrames adds zeros to the last frame, and nothing to a whole one or to nothing', () => {
  for (const [length, padded] of [
    [0, 0],
    [1, 4],
    [4, 4],
    [6, 8],
  ]) {
    const x = randomArray(length * 2, length + 1)
    const y = run(region, wholeFrames(4), { inputs: 2, outputs: 2 }, x)
    assert.equal([...y], [...x, ...new Array((padded - length) * 2).fill(0)])
  }
})

test.run()
