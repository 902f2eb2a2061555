import type { Region } from '../../bindings/memory.js'
import type { WeightReader } from '../checkpoints/weights.js'
import { Conv1d, type Conv1dShape } from '../nn/conv1d.js'
import { ConvNeXtBlock } from '../nn/convnext.js'
import { type PackedWeights, packLinear } from '../nn/linear.js'
import { GroupNorm, LayerNorm } from '../nn/norm.js'
import type { Layer, Padding } from '../nn/rows.js'
import { WinogradConv } from '../nn/winograd.js'
import type { Storage } from './storage.js'

/** A layer and the name under which a probe sees its output. */
export type Named = readonly [name: string, layer: Layer]

/** Reads layers by the names that PyTorch modules give their tensors, which families share. */
export class Parts {
  readonly storage: Storage
  readonly reader: WeightReader

  constructor(storage: Storage, reader: WeightReader) {
    this.storage = storage
    this.reader = reader
  }

  get region(): Region {
    return this.storage.region
  }

  tensor(name: string, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    return this.reader.tensor(name, shape)
  }

  /** torch.nn.Conv1d. */
  async conv(name: string, shape: Conv1dShape): Promise<Conv1d> {
    const { outputs, inputs, kernel } = shape
    const weight = await this.tensor(`${name}.weight`, [outputs, inputs, kernel])
    const region = this.storage.regionOf(`${name}.weight`)
    return new Conv1d(region, weight, await this.tensor(`${name}.bias`, [outputs]), shape)
  }

  /** torch.nn.Conv1d with three taps: in f32 at half the multiplications and twice the memory. */
  async winograd(name: string, shape: Omit<Conv1dShape, 'kernel'>): Promise<Layer> {
    // reduced weights are there to save memory: plain, q8 decodes in 74 instead of 92 MiB, 6 % slower, 0.3 dB closer to f32
    if (this.storage.heldAs(`${name}.weight`) !== 'f32') return this.conv(name, { ...shape, kernel: 3 })
    const weight = await this.tensor(`${name}.weight`, [shape.outputs, shape.inputs, 3])
    const bias = await this.tensor(`${name}.bias`, [shape.outputs])
    return new WinogradConv(this.storage.region, weight, bias, shape)
  }

  /** torch.nn.Linear, or a convolution of kernel 1 where `taps` is 1. */
  async linear(name: string, outputs: number, inputs: number, ...taps: 1[]): Promise<PackedWeights> {
    const weight = await this.tensor(`${name}.weight`, [outputs, inputs, ...taps])
    const region = this.storage.regionOf(`${name}.weight`)
    return packLinear(region, weight, await this.tensor(`${name}.bias`, [outputs]), outputs, inputs)
  }

  /** torch.nn.LayerNorm. */
  async layerNorm(name: string, channels: number, eps: number): Promise<LayerNorm> {
    return new LayerNorm(this.region, ...(await this.affine(name, channels)), eps)
  }

  /** torch.nn.GroupNorm. */
  async groupNorm(name: string, channels: number, groups: number, eps: number): Promise<GroupNorm> {
    return new GroupNorm(this.region, ...(await this.affine(name, channels)), groups, eps)
  }

  /** Vocos' ConvNeXtBlock: dwconv, norm (read by the caller), pwconv1, pwconv2, gamma. */
  async convNeXt(
    name: string,
    sizes: { dim: number; hidden: number; kernel: number },
    norm: LayerNorm,
    padding: Padding,
  ): Promise<ConvNeXtBlock> {
    const { dim, hidden, kernel } = sizes
    const weights = {
      depthwise: await this.tensor(`${name}.dwconv.weight`, [dim, 1, kernel]),
      depthwiseBias: await this.tensor(`${name}.dwconv.bias`, [dim]),
      expand: await this.tensor(`${name}.pwconv1.weight`, [hidden, dim]),
      expandBias: await this.tensor(`${name}.pwconv1.bias`, [hidden]),
      project: await this.tensor(`${name}.pwconv2.weight`, [dim, hidden]),
      projectBias: await this.tensor(`${name}.pwconv2.bias`, [dim]),
      gamma: await this.tensor(`${name}.gamma`, [dim]),
    }
    return new ConvNeXtBlock(this.storage.regionOf(`${name}.pwconv1.weight`), weights, norm, padding)
  }

  private async affine(name: string, channels: number): Promise<[scale: Float32Array, shift: Float32Array]> {
    return [await this.tensor(`${name}.weight`, [channels]), await this.tensor(`${name}.bias`, [channels])]
  }
}
