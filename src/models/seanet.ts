// SEANet (Tagliasacchi et al., 2020) as EnCodec uses it: the convolutional encoder and decoder that several families share.
import { Activation } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { BidirectionalSkipLstm, type BothWays } from '../nn/bilstm.js'
import { ConvTranspose1d } from '../nn/conv_transpose1d.js'
import { Conv1d, type Conv1dShape, seanetPadding } from '../nn/conv1d.js'
import { type LstmWeights, SkipLstm } from '../nn/lstm.js'
import type { GroupNorm } from '../nn/norm.js'
import type { Layer, Padding } from '../nn/rows.js'
import { SeanetResBlock } from '../nn/seanet.js'
import { chain, WholeNorm, WholeResBlock, withZeros } from '../nn/whole_norm.js'
import type { Named, Parts } from './parts.js'

/** Hyper-parameters of one half. */
export interface SeanetShape {
  /** Audio channels. */
  channels: number
  /** Channels behind the first convolution; doubled at each stride. */
  filters: number
  /** Channels of a frame. */
  dimension: number
  /** Strides from samples to frames, for both halves. */
  ratios: readonly number[]
  kernel: number
  lastKernel: number
  residualKernel: number
  /** Layers of the LSTM between the convolutions and the frames; 0: there is none. */
  lstmLayers: number
  /** Whether the encoder's LSTM runs both ways, so that no frame is known before the clip ends. Default: forward alone. */
  bidirectional?: boolean
  /** Whether residual blocks have a convolution on the way around. */
  shortcut: boolean
  causal: boolean
  /** Every convolution is followed by a group norm over all rows, instead of weight norm inside it: a graph for whole segments. */
  normalizes?: boolean
  padding: Padding['mode']
}

/** Where a half's tensors are: `<prefix>.<index of the module>[.block.1]<conv>.weight`. */
export interface SeanetNames {
  prefix: string
  /** `.conv`, or as WavTokenizer's files have it, `.conv.conv`. */
  conv: string
  /** What stands for `prefix` in the names that a probe sees. */
  stage: string
}

const NORM_EPS = 1e-5

type Sizes = Pick<SeanetShape, 'ratios' | 'kernel' | 'lastKernel' | 'residualKernel'>

/** Samples behind a frame's last that it depends on, not causal: each layer's right side, from the frame back to the samples. */
export function seanetLookahead({ ratios, kernel, lastKernel, residualKernel }: Sizes): number {
  let last = lastKernel >> 1
  let hop = 1
  for (const ratio of ratios.toReversed()) {
    const span = 2 * ratio
    last = last * ratio + (span - 1 - seanetPadding(span, ratio).left) + (residualKernel >> 1)
    hop *= ratio
  }
  return last + (kernel >> 1) - (hop - 1)
}

/** Reads a half layer by layer, numbered as upstream's modules; each ELU is the epilogue of the layer before it. */
export class SeanetReader {
  private readonly parts: Parts
  private readonly shape: SeanetShape
  private readonly names: SeanetNames

  constructor(parts: Parts, shape: SeanetShape, names: SeanetNames) {
    this.parts = parts
    this.shape = shape
    this.names = names
  }

  /** Samples [T, channels] to frames [T / hop, dimension]. */
  async encoder(): Promise<Named[]> {
    const {
      channels: audio,
      filters,
      dimension,
      ratios,
      kernel,
      lastKernel,
      lstmLayers,
      bidirectional,
    } = this.shape
    let channels = filters
    const layers: Named[] = [
      this.named(0, await this.conv('0', { inputs: audio, outputs: channels, kernel })),
    ]
    let index = 1
    for (const [stage, ratio] of ratios.entries()) {
      layers.push(this.named(index + 1, await this.block(index, channels)))
      const down = { inputs: channels, outputs: 2 * channels, kernel: 2 * ratio, stride: ratio }
      const isActivated = stage === ratios.length - 1 && lstmLayers === 0
      const activation = isActivated ? Activation.elu : Activation.none
      layers.push(
        this.named(index + (isActivated ? 3 : 2), await this.conv(`${index + 2}`, down, activation)),
      )
      channels *= 2
      index += 3
    }
    if (lstmLayers && bidirectional) {
      layers.push(this.named(++index, await this.bidirectionalLstm(index - 1, channels)))
      channels *= 2
    } else if (lstmLayers) layers.push(this.named(++index, await this.lstm(index - 1, channels)))
    const last = { inputs: channels, outputs: dimension, kernel: lastKernel }
    layers.push(this.named(index + 1, await this.conv(`${index + 1}`, last)))
    return layers
  }

  /** Frames [L, dimension] to samples [L * hop, channels]. */
  async decoder(): Promise<Named[]> {
    const { channels: audio, filters, dimension, ratios, kernel, lastKernel, lstmLayers } = this.shape
    let channels = filters * 2 ** ratios.length
    const first = { inputs: dimension, outputs: channels, kernel }
    const activation = lstmLayers ? Activation.none : Activation.elu
    const layers: Named[] = [this.named(lstmLayers ? 0 : 1, await this.conv('0', first, activation))]
    let index = 1
    if (lstmLayers) layers.push(this.named(++index, await this.lstm(1, channels)))
    for (const ratio of ratios.toReversed()) {
      layers.push(this.named(index + 1, await this.transposed(index + 1, channels, ratio)))
      channels /= 2
      layers.push(this.named(index + 3, await this.block(index + 2, channels)))
      index += 3
    }
    const last = { inputs: channels, outputs: audio, kernel: lastKernel }
    return [...layers, this.named(index + 1, await this.conv(`${index + 1}`, last))]
  }

  private named(index: number, layer: Layer): Named {
    return [`${this.names.stage}.${index}`, layer]
  }

  private async conv(
    module: string,
    shape: Omit<Conv1dShape, 'padding'>,
    activation: Activation = Activation.none,
  ): Promise<Layer> {
    if (!this.shape.normalizes) return this.plainConv(module, shape, activation)
    const conv = await this.plainConv(module, shape)
    return chain(conv, new WholeNorm(await this.groupNorm(module, shape.outputs), activation))
  }

  private groupNorm(module: string, channels: number): Promise<GroupNorm> {
    return this.parts.groupNorm(`${this.names.prefix}.${module}.norm`, channels, 1, NORM_EPS)
  }

  private async plainConv(
    module: string,
    shape: Omit<Conv1dShape, 'padding'>,
    activation: Activation = Activation.none,
  ): Promise<Conv1d> {
    const { inputs, outputs, kernel, stride = 1 } = shape
    const padding = {
      ...seanetPadding(kernel, stride, 1, this.shape.causal),
      mode: this.shape.padding,
    }
    const name = `${this.names.prefix}.${module}${this.names.conv}`
    const weight = await this.parts.reader.conv(name, [outputs, inputs, kernel])
    const bias = await this.parts.tensor(`${name}.bias`, [outputs])
    const region = this.parts.storage.regionOf(`${name}.weight`)
    return new Conv1d(region, weight, bias, { ...shape, padding }, activation)
  }

  private async block(index: number, channels: number): Promise<Layer> {
    const half = channels / 2
    const kernel = this.shape.residualKernel
    const pointwise = { inputs: channels, outputs: channels, kernel: 1 }
    const first = { inputs: channels, outputs: half, kernel }
    const second = { ...pointwise, inputs: half }
    if (this.shape.normalizes)
      return new WholeResBlock(
        channels,
        chain(
          await this.conv(`${index}.block.1`, first, Activation.elu),
          await this.conv(`${index}.block.3`, second),
        ),
        this.shape.shortcut ? await this.conv(`${index}.shortcut`, pointwise) : chain(),
      )
    return new SeanetResBlock(
      await this.plainConv(`${index}.block.1`, first, Activation.elu),
      await this.plainConv(`${index}.block.3`, second, Activation.elu),
      this.shape.shortcut ? await this.plainConv(`${index}.shortcut`, pointwise) : undefined,
    )
  }

  /** Not causal: the odd row of what is dropped is dropped in front, as EnCodec's SConvTranspose1d does. */
  private async transposed(index: number, inputs: number, stride: number): Promise<Layer> {
    const front = this.shape.causal ? 0 : Math.ceil(stride / 2)
    const trim = this.shape.normalizes ? 0 : front
    const shape = { inputs, outputs: inputs / 2, kernel: 2 * stride, stride, trim }
    const name = `${this.names.prefix}.${index}${this.names.conv}`
    const weight = await this.parts.reader.conv(name, [inputs, shape.outputs, shape.kernel])
    const bias = await this.parts.tensor(`${name}.bias`, [shape.outputs])
    const conv = new ConvTranspose1d(this.parts.storage.regionOf(`${name}.weight`), weight, bias, shape)
    if (!this.shape.normalizes) return conv
    const norm = await this.groupNorm(String(index), shape.outputs)
    return chain(withZeros(1), conv, new WholeNorm(norm, Activation.none, { front, back: stride - front }))
  }

  private async lstm(index: number, hidden: number): Promise<Layer> {
    const layers: LstmWeights[] = []
    for (let layer = 0; layer < this.shape.lstmLayers; layer++)
      layers.push(await this.direction(index, `_l${layer}`, hidden, hidden))
    return new SkipLstm(this.lstmRegion(index), hidden, layers, Activation.elu)
  }

  private async bidirectionalLstm(index: number, hidden: number): Promise<Layer> {
    const layers: BothWays<LstmWeights>[] = []
    for (let layer = 0; layer < this.shape.lstmLayers; layer++) {
      const inputs = layer === 0 ? hidden : 2 * hidden
      layers.push({
        forward: await this.direction(index, `_l${layer}`, hidden, inputs),
        backward: await this.direction(index, `_l${layer}_reverse`, hidden, inputs),
      })
    }
    return new BidirectionalSkipLstm(this.lstmRegion(index), hidden, layers, Activation.elu)
  }

  /** One direction of one layer, which torch.nn.LSTM names by `suffix`. */
  private async direction(
    index: number,
    suffix: string,
    hidden: number,
    inputs: number,
  ): Promise<LstmWeights> {
    const read = (name: string, shape: number[]) =>
      this.parts.tensor(`${this.names.prefix}.${index}.lstm.${name}${suffix}`, shape)
    return {
      weightIh: await read('weight_ih', [4 * hidden, inputs]),
      weightHh: await read('weight_hh', [4 * hidden, hidden]),
      biasIh: await read('bias_ih', [4 * hidden]),
      biasHh: await read('bias_hh', [4 * hidden]),
    }
  }

  private lstmRegion(index: number): Region {
    return this.parts.storage.regionOf(`${this.names.prefix}.${index}.lstm.weight_ih_l0`)
  }
}
