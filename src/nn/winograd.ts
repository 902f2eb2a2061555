import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import type { Conv1dShape } from './conv1d.js'
import { type PackedWeights, packLinear, product } from './linear.js'
import { type Layer, type RowSink, type Window, windowed } from './rows.js'

const TAPS = 3
const TILE = 4 // output rows of a tile
const POINTS = TILE + TAPS - 1

// Tiles in work at a time. Their points before and after the products, 12 x 64 rows of 768 channels, are 2.3 MiB; 32 tiles are 5 %
// slower, since fewer rows share one reading of the weights.
const TILES = 64

const A = Math.SQRT1_2
const B = Math.SQRT2

/** Rows of G: what the three taps become at the points 0, +-1/sqrt 2, +-sqrt 2, infinity (assembly/winograd.ts). */
const FILTER: readonly (readonly [number, number, number])[] = [
  [1, 0, 0],
  [-2 / 3, (-2 * A) / 3, -1 / 3],
  [-2 / 3, (2 * A) / 3, -1 / 3],
  [1 / 6, B / 6, 1 / 3],
  [1 / 6, -B / 6, 1 / 3],
  [0, 0, 1],
]

/**
 * A convolution with three taps, stride and dilation 1, at half the multiplications and twice the weights of `Conv1d`.
 * Tiles of four rows count from the first row of the input and `drain` waits for whole blocks of them, so that the result never
 * depends on how the input was cut.
 */
export class WinogradConv implements Layer {
  private readonly window: Window
  private readonly points: readonly PackedWeights[]
  private readonly bias: Pointer

  /** weight: [outputs][inputs][3] as in PyTorch; bias: [outputs]. */
  constructor(
    region: Region,
    weight: Float32Array,
    bias: Float32Array,
    { inputs, outputs, padding }: Pick<Conv1dShape, 'inputs' | 'outputs' | 'padding'>,
  ) {
    this.window = { channels: inputs, span: TAPS, stride: 1, padding }
    this.bias = region.copy(bias)
    this.points = FILTER.map(row => packLinear(region, filtered(weight, row), undefined, outputs, inputs))
  }

  open(region: Region, sink: RowSink): RowSink {
    const { channels } = this.window
    const { outputs } = this.points[0]
    const padded = region.alloc((TILES * TILE + TAPS - 1) * channels)
    const transformed = region.alloc(POINTS * TILES * channels)
    const products = region.alloc(POINTS * TILES * outputs)
    const { kernels, heap } = region
    const stage = windowed(region, this.window, TILES * TILE, sink, (out, input, rows) => {
      const tiles = Math.ceil(rows / TILE)
      const missing = (tiles * TILE - rows) * channels
      if (missing) {
        const length = (rows + TAPS - 1) * channels
        const copy = heap.f32(padded, length + missing)
        copy.set(heap.f32(input, length))
        copy.fill(0, length)
      }
      kernels.winogradInputF32(transformed, missing ? padded : input, tiles, channels)
      for (const [point, weights] of this.points.entries()) {
        const at = 4 * point * tiles
        product(region, products + at * outputs, transformed + at * channels, weights, tiles)
      }
      kernels.winogradOutputF32(out, products, this.bias, tiles, rows, outputs)
    })
    return { ...stage, drain: () => sink.drain() }
  }
}

function filtered(weight: Float32Array, [g0, g1, g2]: readonly [number, number, number]): Float32Array {
  const result = new Float32Array(weight.length / TAPS)
  for (let i = 0, tap = 0; i < result.length; i++, tap += TAPS)
    result[i] = g0 * weight[tap] + g1 * weight[tap + 1] + g2 * weight[tap + 2]
  return result
}
