import { Activation, type Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { type PackedWeights, packLinear, product } from './linear.js'
import type { LayerNorm } from './norm.js'
import { type Layer, type Padding, type RowSink, type Window, windowed } from './rows.js'

// 64 rows of 2304 hidden channels are 576 KiB: larger blocks fall out of a 1 MiB L2.
const ROWS = 64

/** One block's parameters in PyTorch's layout. */
export interface ConvNeXtWeights {
  depthwise: Float32Array // (C, 1, K)
  depthwiseBias: Float32Array // (C)
  expand: Float32Array // (I, C)
  expandBias: Float32Array // (I)
  project: Float32Array // (C, I)
  projectBias: Float32Array // (C)
  gamma?: Float32Array // (C), layer scale
}

/** y = x + gamma * project(GELU(expand(norm(depthwise(x))))). (ConvNeXt, section 2; Vocos modules.py) */
export class ConvNeXtBlock implements Layer {
  private readonly window: Window
  private readonly taps: Pointer // [K][C]
  private readonly bias: Pointer // [C]
  private readonly norm: LayerNorm
  private readonly expand: PackedWeights
  private readonly project: PackedWeights

  constructor(region: Region, weights: ConvNeXtWeights, norm: LayerNorm, padding: Padding) {
    const channels = weights.depthwiseBias.length
    const hidden = weights.expandBias.length
    const span = weights.depthwise.length / channels
    this.window = { channels, span, stride: 1, padding }
    this.taps = region.copy(transposed(weights.depthwise, channels, span))
    this.bias = region.copy(weights.depthwiseBias)
    this.norm = norm
    this.expand = packLinear(region, weights.expand, weights.expandBias, hidden, channels)
    const { project, projectBias } = scaled(weights, hidden)
    this.project = packLinear(region, project, projectBias, channels, hidden)
  }

  open(region: Region, sink: RowSink): RowSink {
    const { channels, span, padding } = this.window
    const { kernels } = region
    const normed = region.alloc(ROWS * channels)
    const hidden = region.alloc(ROWS * this.expand.outputs)
    return windowed(region, this.window, ROWS, sink, (out, input, rows) => {
      kernels.depthwiseF32(normed, input, this.taps, this.bias, rows, channels, span, 1)
      this.norm.compute(region, normed, normed, rows)
      product(region, hidden, normed, this.expand, rows, { activation: Activation.gelu })
      product(region, out, hidden, this.project, rows, { residual: input + padding.left * channels * 4 })
    })
  }
}

/** Layer scale folded into the projection it follows. */
function scaled({ project, projectBias, gamma }: ConvNeXtWeights, hidden: number) {
  if (!gamma) return { project, projectBias }
  return {
    project: project.map((value, i) => value * gamma[Math.floor(i / hidden)]),
    projectBias: projectBias.map((value, i) => value * gamma[i]),
  }
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = matrix[row * columns + column]
  return result
}
