import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { type PackedWeights, packLinear, product } from './linear.js'
import { multiplied } from './multiplied.js'
import { type Layer, pointwise, windowed } from './rows.js'

// Scores of 32 rows against 4096 entries are 512 KiB; a multiple of every published stride.
const ROWS = 32

/** One codebook in PyTorch's layout: codeDim channels of dim are looked up in it. */
export interface FactorizedWeights {
  into: Float32Array // (codeDim, dim)
  intoBias: Float32Array // (codeDim)
  outOf: Float32Array // (dim, codeDim)
  outOfBias: Float32Array // (dim)
  codebook: Float32Array // (size, codeDim)
}

export interface FactorizedShape {
  dim: number
  codeDim: number
  size: number
  /** Frames that share a code of each codebook. */
  strides: readonly number[]
}

interface Stage {
  stride: number
  into: PackedWeights
  outOf: PackedWeights
  /** -outOf: what is left of a frame is a product added to it. */
  takeAway: PackedWeights
  /** The entries, each of length 1, as the outputs of a product: cosines but for the frame's own length. */
  directions: PackedWeights
  entries: Pointer // [size][codeDim]
}

/**
 * Residual codebooks that are searched by direction in a few projected channels (DAC, section 3.2), each code for one frame or, as in
 * SNAC (section 3.1), for the mean of several. A row of codes stands for a frame: codes for several frames are repeated.
 */
export class FactorizedQuantizer {
  private readonly shape: FactorizedShape
  private readonly stages: readonly Stage[]
  /** Frames that share a code of the coarsest codebook, and how many times as many are searched at once. */
  private readonly group: number
  private readonly groups: number

  constructor(region: Region, codebooks: readonly FactorizedWeights[], shape: FactorizedShape) {
    const { dim, codeDim, size, strides } = shape
    this.shape = shape
    this.group = Math.max(...strides)
    this.groups = Math.ceil(ROWS / this.group)
    this.stages = codebooks.map(({ into, intoBias, outOf, outOfBias, codebook }, stage) => {
      const entries = region.copy(codebook)
      const directions = region.copy(codebook)
      region.kernels.normalizeRowsF32(directions, entries, size, codeDim)
      const result = {
        stride: strides[stage],
        entries,
        into: packLinear(region, into, intoBias, codeDim, dim),
        outOf: packLinear(region, outOf, outOfBias, dim, codeDim),
        takeAway: packLinear(region, outOf.map(negative), outOfBias.map(negative), dim, codeDim),
        directions: packLinear(
          region,
          region.heap.f32(directions, size * codeDim).slice(),
          undefined,
          size,
          codeDim,
        ),
      }
      region.release(directions)
      return result
    })
  }

  /** Rows [n, dim] f32 in, as many codes as `sink` has channels out: [n, codebooks] i32. */
  readonly search: Layer = {
    open: (region, sink) => {
      const { dim } = this.shape
      const { group } = this
      const window = { channels: dim, span: group, stride: group, padding: pointwise(dim).padding }
      const search = this.searcher(region, sink.channels)
      return windowed(region, window, this.groups, multiplied(region, sink, group), (codes, frames, groups) =>
        search(codes, frames, groups * group),
      )
    },
  }

  /** The inverse: rows [n, codebooks] i32 in, [n, dim] f32 out. */
  lookup(codebooks: number): Layer {
    const { dim, codeDim } = this.shape
    return {
      open: (region, sink) => {
        const indices = region.alloc(ROWS)
        const entries = region.alloc(ROWS * codeDim)
        return windowed(region, pointwise(codebooks), ROWS, sink, (out, codes, rows) => {
          for (const [i, stage] of this.stages.slice(0, codebooks).entries()) {
            const [from, to] = [region.heap.i32(codes, rows * codebooks), region.heap.i32(indices, rows)]
            for (let row = 0; row < rows; row++) to[row] = from[row * codebooks + i]
            region.kernels.gatherRowsF32(entries, stage.entries, indices, rows, codeDim)
            product(region, out, entries, stage.outOf, rows, {
              outputPitch: dim,
              residual: i === 0 ? 0 : out,
            })
          }
        })
      },
    }
  }

  /** A function that writes the codes of whole groups of rows, and leaves in `frames` what they do not express. */
  private searcher(region: Region, codebooks: number) {
    const { dim, codeDim, size } = this.shape
    const most = this.groups * this.group
    const { heap, kernels } = region
    const projected = region.alloc(most * codeDim)
    const entries = region.alloc(most * codeDim)
    const scores = region.alloc(most * size)
    const nearest = region.alloc(most)
    return (codes: Pointer, frames: Pointer, rows: number) => {
      for (let i = 0; i < codebooks; i++) {
        const { stride, into, takeAway, directions, entries: table } = this.stages[i]
        const count = rows / stride
        product(region, projected, frames, into, rows)
        if (stride > 1) averageRows(heap.f32(projected, rows * codeDim), codeDim, stride)
        product(region, scores, projected, directions, count)
        kernels.argmaxRowsF32(nearest, scores, size, count, size)
        kernels.gatherRowsF32(entries, table, nearest, count, codeDim)
        for (let frame = 0; frame < stride; frame++) {
          const at = frames + frame * dim * 4
          product(region, at, entries, takeAway, count, { outputPitch: stride * dim, residual: at })
        }
        const [from, to] = [heap.i32(nearest, count), heap.i32(codes, rows * codebooks)]
        for (let row = 0; row < rows; row++) to[row * codebooks + i] = from[Math.floor(row / stride)]
      }
    }
  }
}

/** Each `stride` rows become their mean: projection and mean may change places, and few channels are the cheaper mean. */
function averageRows(rows: Float32Array, channels: number, stride: number): void {
  const share = 1 / stride
  for (let to = 0, from = 0; from < rows.length; to += channels, from += stride * channels)
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0
      for (let row = 0; row < stride; row++) sum += rows[from + row * channels + channel]
      rows[to + channel] = sum * share
    }
}

function negative(value: number): number {
  return -value
}
