// What DAC and SNAC are made of: residual units with Snake around strided convolutions, zero padding on both sides.
// Tensors are read under the names of DAC's own modules.
import { Activation } from '../../bindings/kernels.js'
import { ConvTranspose1d } from '../nn/conv_transpose1d.js'
import { Conv1d, type Conv1dShape, zeroPadding } from '../nn/conv1d.js'
import { DepthwiseConv1d } from '../nn/depthwise_conv1d.js'
import { FactorizedQuantizer } from '../nn/factorized_quantizer.js'
import { packLinear } from '../nn/linear.js'
import { LocalAttention } from '../nn/local_attention.js'
import { NoiseBlock } from '../nn/noise_block.js'
import { RotaryAngles } from '../nn/rotary.js'
import { Snake, SnakeUnit } from '../nn/snake.js'
import type { Named, Parts } from './parts.js'

/** Hyper-parameters that DAC and SNAC share. */
export interface DacShape {
  /** Channels behind the first convolution; each stride doubles them. */
  filters: number
  /** Channels of a frame. */
  dimension: number
  /** Strides of the encoder, first to last. */
  ratios: readonly number[]
  /** Channels in front of the decoder's first transposed convolution; each stride halves them. */
  decoderFilters: number
  /** Convolutions of seven taps see each channel alone, in SNAC. */
  depthwise: boolean
  /** Frames that see each other in a layer of attention; absent: there is none. */
  attentionWindow?: number
  /** Odd strides keep their last sample, which DAC loses. */
  wholeStrides: boolean
  /** Taps of the encoder's last convolution; without `depthwise`, Snake is in front of it. */
  lastKernel: number
}

export interface FvqShape {
  codebooks: number
  codebookSize: number
  codeDim: number
  /** Frames that share a code of each codebook. */
  strides: readonly number[]
}

const KERNEL = 7
const DILATIONS = [1, 3, 9]
/** Rows on each side that a block's three units see. */
const REACH = DILATIONS.reduce((sum, dilation) => sum + (KERNEL >> 1) * dilation, 0)
const HEAD_DIM = 64
const ROTARY_BASE = 10_000
const NORM_EPS = 1e-5

/** Samples behind a frame's last that it depends on: each layer's right side, from the frame back to the samples. */
export function encoderReach({ ratios, lastKernel, attentionWindow = 1 }: DacShape, group = 1): number {
  let last = (lastKernel >> 1) + group - 1 + attentionWindow - 1
  let hop = 1
  for (const ratio of ratios.toReversed()) {
    last = last * ratio + (2 * ratio - 1 - Math.ceil(ratio / 2)) + REACH
    hop *= ratio
  }
  return last + (KERNEL >> 1) - (hop - 1)
}

/** Samples by which audio lags its frame: each layer's right side, from the samples back to the frame. */
export function decoderReach({ ratios, attentionWindow = 1 }: DacShape): number {
  let last = KERNEL >> 1
  let hop = 1
  for (const ratio of ratios) {
    last = Math.ceil((last + REACH + Math.ceil(ratio / 2)) / ratio)
    hop *= ratio
  }
  return (last + (KERNEL >> 1) + attentionWindow - 1) * hop
}

/** Reads a half layer by layer. */
export class DacReader {
  private readonly parts: Parts
  private readonly shape: DacShape

  constructor(parts: Parts, shape: DacShape) {
    this.parts = parts
    this.shape = shape
  }

  /** Samples [T, 1] to frames [T / hop, dimension]. */
  async encoder(): Promise<Named[]> {
    const { filters, ratios, dimension, depthwise, attentionWindow, lastKernel } = this.shape
    let channels = filters
    const first = { inputs: 1, outputs: channels, kernel: KERNEL, padding: zeroPadding(KERNEL) }
    const layers: Named[] = [['encoder.block.0', await this.conv('encoder.block.0', first)]]
    let index = 1
    for (const ratio of ratios) {
      const name = `encoder.block.${index++}`
      layers.push(...(await this.units(`${name}.block`, 0, channels)))
      layers.push([`${name}.block.3`, await this.snake(`${name}.block.3`, channels)])
      layers.push([name, await this.conv(`${name}.block.4`, downsampling(channels, ratio))])
      channels *= 2
    }
    if (attentionWindow)
      layers.push(await this.attention(`encoder.block.${index++}`, channels, attentionWindow))
    if (depthwise) {
      const name = `encoder.block.${index}`
      return [...layers, [name, await this.depthwise(name, channels, lastKernel)]]
    }
    layers.push([`encoder.block.${index}`, await this.snake(`encoder.block.${index}`, channels)])
    const last = {
      inputs: channels,
      outputs: dimension,
      kernel: lastKernel,
      padding: zeroPadding(lastKernel),
    }
    const name = `encoder.block.${index + 1}`
    return [...layers, [name, await this.conv(name, last)]]
  }

  /** Frames [L, dimension] to samples [L * hop, 1]. `noiseSeed`: adds the noise that SNAC was trained with. */
  async decoder(noiseSeed?: number): Promise<Named[]> {
    const { dimension, ratios, decoderFilters, depthwise, attentionWindow } = this.shape
    const hasNoise = this.parts.reader.source.names().some(name => isNoise(name))
    let channels = decoderFilters
    const layers: Named[] = []
    if (depthwise)
      layers.push(['decoder.model.0', await this.depthwise('decoder.model.0', dimension, KERNEL)])
    const kernel = depthwise ? 1 : KERNEL
    const first = { inputs: dimension, outputs: channels, kernel, padding: zeroPadding(kernel) }
    let index = layers.length
    layers.push([`decoder.model.${index}`, await this.conv(`decoder.model.${index++}`, first)])
    if (attentionWindow)
      layers.push(await this.attention(`decoder.model.${index++}`, channels, attentionWindow))
    for (const [block, ratio] of ratios.toReversed().entries()) {
      const name = `decoder.model.${index++}`
      layers.push([`${name}.block.0`, await this.snake(`${name}.block.0`, channels)])
      layers.push([`${name}.block.1`, await this.transposed(`${name}.block.1`, channels, ratio)])
      channels /= 2
      if (hasNoise && noiseSeed !== undefined) {
        const linear = await this.matrix(`${name}.block.2.linear`, channels, channels, 1)
        layers.push([`${name}.block.2`, new NoiseBlock(linear, block, noiseSeed)])
      }
      layers.push(...(await this.units(`${name}.block`, hasNoise ? 3 : 2, channels)))
    }
    layers.push([`decoder.model.${index}`, await this.snake(`decoder.model.${index}`, channels)])
    const last = { inputs: channels, outputs: 1, kernel: KERNEL, padding: zeroPadding(KERNEL) }
    const name = `decoder.model.${index + 1}`
    return [...layers, [name, await this.conv(name, last, Activation.tanh)]]
  }

  async quantizer({ codebooks, codebookSize, codeDim, strides }: FvqShape): Promise<FactorizedQuantizer> {
    const { dimension } = this.shape
    const { region, reader } = this.parts
    const stages = []
    for (let layer = 0; layer < codebooks; layer++) {
      const name = `quantizer.quantizers.${layer}`
      stages.push({
        into: await reader.conv(`${name}.in_proj`, [codeDim, dimension, 1]),
        intoBias: await reader.tensor(`${name}.in_proj.bias`, [codeDim]),
        outOf: await reader.conv(`${name}.out_proj`, [dimension, codeDim, 1]),
        outOfBias: await reader.tensor(`${name}.out_proj.bias`, [dimension]),
        codebook: await reader.tensor(`${name}.codebook.weight`, [codebookSize, codeDim]),
      })
    }
    return new FactorizedQuantizer(region, stages, { dim: dimension, codeDim, size: codebookSize, strides })
  }

  private async conv(
    name: string,
    shape: Conv1dShape,
    activation: Activation = Activation.none,
  ): Promise<Conv1d> {
    const { inputs, outputs, kernel } = shape
    const weight = await this.parts.reader.conv(name, [outputs, inputs, kernel])
    const bias = await this.parts.tensor(`${name}.bias`, [outputs])
    return new Conv1d(this.parts.storage.regionOf(`${name}.weight`), weight, bias, shape, activation)
  }

  private async depthwise(name: string, channels: number, kernel: number, dilation = 1) {
    const weight = await this.parts.reader.conv(name, [channels, 1, kernel])
    const bias = await this.parts.tensor(`${name}.bias`, [channels])
    const padding = zeroPadding((kernel - 1) * dilation + 1)
    return new DepthwiseConv1d(this.parts.region, weight, bias, padding, dilation)
  }

  private async snake(name: string, channels: number): Promise<Snake> {
    return new Snake(this.parts.region, await this.parts.tensor(`${name}.alpha`, [1, channels, 1]))
  }

  private async units(prefix: string, first: number, channels: number): Promise<Named[]> {
    const units: Named[] = []
    for (const [i, dilation] of DILATIONS.entries()) {
      const name = `${prefix}.${first + i}`
      const padding = zeroPadding((KERNEL - 1) * dilation + 1)
      const around = { inputs: channels, outputs: channels, padding: zeroPadding(1) }
      const conv = this.shape.depthwise
        ? await this.depthwise(`${name}.block.1`, channels, KERNEL, dilation)
        : await this.conv(`${name}.block.1`, { ...around, kernel: KERNEL, dilation, padding })
      units.push([
        name,
        new SnakeUnit(
          await this.snake(`${name}.block.0`, channels),
          conv,
          await this.snake(`${name}.block.2`, channels),
          await this.conv(`${name}.block.3`, { ...around, kernel: 1 }),
        ),
      ])
    }
    return units
  }

  /** Half of a stride is dropped in front, rounded up; of an odd one DAC's module then leaves out the last sample. */
  private async transposed(name: string, inputs: number, stride: number): Promise<ConvTranspose1d> {
    const shape = {
      inputs,
      outputs: inputs / 2,
      kernel: 2 * stride,
      stride,
      trim: Math.ceil(stride / 2),
      missing: this.shape.wholeStrides ? 0 : stride % 2,
    }
    const weight = await this.parts.reader.conv(name, [inputs, shape.outputs, shape.kernel])
    const bias = await this.parts.tensor(`${name}.bias`, [shape.outputs])
    return new ConvTranspose1d(this.parts.storage.regionOf(`${name}.weight`), weight, bias, shape)
  }

  private async attention(name: string, channels: number, window: number): Promise<Named> {
    const weights = {
      all: await this.parts.tensor(`${name}.to_qkv.weight`, [3 * channels, channels]),
      output: await this.parts.tensor(`${name}.to_out.weight`, [channels, channels]),
    }
    const norm = await this.parts.layerNorm(`${name}.norm`, channels, NORM_EPS)
    const shape = { heads: channels / HEAD_DIM, window, rotary: new RotaryAngles(HEAD_DIM, ROTARY_BASE) }
    const region = this.parts.storage.regionOf(`${name}.to_out.weight`)
    return [name, new LocalAttention(region, weights, norm, shape)]
  }

  private async matrix(name: string, outputs: number, inputs: number, ...taps: 1[]) {
    const weight = await this.parts.reader.conv(name, [outputs, inputs, ...taps])
    return packLinear(this.parts.storage.regionOf(`${name}.weight`), weight, undefined, outputs, inputs)
  }
}

/** True for the tensors of SNAC's noise. */
export function isNoise(name: string): boolean {
  return /^decoder\.model\.\d+\.block\.2\.linear\./.test(name)
}

function downsampling(inputs: number, stride: number): Conv1dShape {
  const left = Math.ceil(stride / 2)
  const padding = { left, right: stride - left, mode: 'zero' } as const
  return { inputs, outputs: 2 * inputs, kernel: 2 * stride, stride, padding }
}
