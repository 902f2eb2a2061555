// The parts of Vocos (Siuzdak, 2023) of which several families' decoders are made: everything but what WavTokenizer put in between.
//
//   frames [L, inputs] -> conv k7 -> norm -> ConvNeXt x layers -> norm -> linear -> inverse STFT [L * hop, 1]
import type { Conv1d } from '../nn/conv1d.js'
import { zeroPadding } from '../nn/conv1d.js'
import { Istft } from '../nn/fourier.js'
import { type FrameShape, trimmed } from '../nn/frames.js'
import { Linear } from '../nn/linear.js'
import { LayerNorm } from '../nn/norm.js'
import type { Named, Parts } from './parts.js'

/** Of all norms. */
export const VOCOS_EPS = 1e-6

export interface TrunkConfig {
  dim: number
  intermediate: number
  layers: number
  embedKernel: number
  depthwiseKernel: number
  /** Rows of the AdaLayerNorm tables; 0: plain layer norms. */
  adanorm: number
  /** The row in use. */
  bandwidthId: number
}

export type HeadConfig = Pick<FrameShape, 'nFft' | 'hopLength' | 'padding'>

/** The whole decoder, where nothing stands in between, for each of these rows of the AdaLayerNorm tables. */
export async function readVocos(
  parts: Parts,
  inputs: number,
  trunk: TrunkConfig,
  head: HeadConfig,
  rows: readonly number[] = [trunk.bandwidthId],
): Promise<Named[][]> {
  const embed: Named = ['backbone.embed', await readEmbed(parts, inputs, trunk)]
  const trunks = await readTrunks(parts, trunk, rows)
  const last = await readHead(parts, trunk.dim, head)
  return trunks.map(layers => [embed, ...layers, ...last])
}

/** Samples by which its audio lags a frame: what the convolutions and the overlapping windows see of later frames. */
export function vocosLookahead(trunk: TrunkConfig, head: HeadConfig): number {
  const { layers, embedKernel, depthwiseKernel } = trunk
  const { hopLength } = head
  const frames = (embedKernel >> 1) + layers * (depthwiseKernel >> 1)
  return (frames + Math.floor((hopLength - 1 + trimmed(head)) / hopLength)) * hopLength
}

export function readEmbed(parts: Parts, inputs: number, { dim, embedKernel }: TrunkConfig): Promise<Conv1d> {
  const shape = { inputs, outputs: dim, kernel: embedKernel, padding: zeroPadding(embedKernel) }
  return parts.conv('backbone.embed', shape)
}

/** The first norm, then the ConvNeXt blocks, for each of these rows of the tables; the rest of the weights they share. */
export async function readTrunks(
  parts: Parts,
  config: TrunkConfig,
  rows: readonly number[] = [config.bandwidthId],
): Promise<[Named, ...Named[]][]> {
  const { dim, intermediate, layers, depthwiseKernel } = config
  const norms = await bandwidthNorms(parts, 'backbone.norm', config, rows)
  const trunks = norms.map((norm): [Named, ...Named[]] => [['backbone.norm', norm]])
  const sizes = { dim, hidden: intermediate, kernel: depthwiseKernel }
  for (let i = 0; i < layers; i++) {
    const name = `backbone.convnext.${i}`
    const norms = await bandwidthNorms(parts, `${name}.norm`, config, rows)
    const block = await parts.convNeXt(name, sizes, norms[0], zeroPadding(depthwiseKernel))
    for (const [row, trunk] of trunks.entries())
      trunk.push([name, row === 0 ? block : block.withNorm(norms[row])])
  }
  return trunks
}

export async function readHead(
  parts: Parts,
  dim: number,
  { nFft, hopLength, padding }: HeadConfig,
): Promise<Named[]> {
  return [
    ['backbone.final_layer_norm', await parts.layerNorm('backbone.final_layer_norm', dim, VOCOS_EPS)],
    ['head.out', new Linear(await parts.linear('head.out', nFft + 2, dim))],
    ['audio', new Istft(parts.region, { nFft, hopLength, padding, input: 'polar' })],
  ]
}

/** AdaLayerNorm is a table of affine norms, one row per bandwidth; without it there is one plain norm. */
async function bandwidthNorms(
  parts: Parts,
  name: string,
  { dim, adanorm }: TrunkConfig,
  rows: readonly number[],
): Promise<LayerNorm[]> {
  if (!adanorm) return [await parts.layerNorm(name, dim, VOCOS_EPS)]
  const scales = await parts.tensor(`${name}.scale.weight`, [adanorm, dim])
  const shifts = await parts.tensor(`${name}.shift.weight`, [adanorm, dim])
  const rowOf = (table: Float32Array, row: number) => table.subarray(row * dim, (row + 1) * dim)
  return rows.map(row => new LayerNorm(parts.region, rowOf(scales, row), rowOf(shifts, row), VOCOS_EPS))
}
