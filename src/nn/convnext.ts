import { Activation } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { DepthwiseConv1d } from './depthwise_conv1d.js'
import { type PackedWeights, packLinear, product } from './linear.js'
import type { LayerNorm } from './norm.js'
import { type Layer, type Padding, type RowSink, windowed } from './rows.js'

// The wider the layer, the more rows must share one reading of its weights: 768 channels run at 52 GFLOP/s in blocks of 64 rows,
// at 55 in blocks of 192; at 256 channels the weights stay in L2 anyway.
const LEAST_ROWS = 64
const MOST_ROWS = 192

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
  private readonly depthwise: DepthwiseConv1d
  private readonly norm: LayerNorm
  private readonly expand: PackedWeights
  private readonly project: PackedWeights

  constructor(region: Region, weights: ConvNeXtWeights, norm: LayerNorm, padding: Padding) {
    const channels = weights.depthwiseBias.length
    const hidden = weights.expandBias.length
    this.depthwise = new DepthwiseConv1d(region, weights.depthwise, weights.depthwiseBias, padding)
    this.norm = norm
    this.expand = packLinear(region, weights.expand, weights.expandBias, hidden, channels)
    // the layer scale is folded into the projection before it
    const { project, projectBias, gamma } = weights
    const bias = gamma ? projectBias.map((value, i) => value * gamma[i]) : projectBias
    this.project = packLinear(region, project, bias, channels, hidden, gamma)
  }

  /** The same block behind another norm. The weights are shared. */
  withNorm(norm: LayerNorm): ConvNeXtBlock {
    return Object.assign(Object.create(ConvNeXtBlock.prototype), this, { norm })
  }

  open(region: Region, sink: RowSink): RowSink {
    const { channels, padding } = this.depthwise.window
    const block = Math.min(MOST_ROWS, Math.max(LEAST_ROWS, channels >> 2))
    const normed = region.alloc(block * channels)
    const hidden = region.alloc(block * this.expand.outputs)
    return windowed(region, this.depthwise.window, block, sink, (out, input, rows) => {
      this.depthwise.compute(region, normed, input, rows)
      this.norm.compute(region, normed, normed, rows)
      product(region, hidden, normed, this.expand, rows, { activation: Activation.gelu })
      product(region, out, hidden, this.project, rows, { residual: input + padding.left * channels * 4 })
    })
  }
}
