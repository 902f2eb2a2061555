// Mimi (Défossez et al., 2024, "Moshi"): a causal SEANet with a transformer on each side of a split residual quantizer.
//
//   samples [T, 1] -> conv k7 -> (residual block, ELU, strided conv) x 4, ELU -> conv k3 -> transformer, 25 Hz
//                  -> conv k4 / 2 -> split quantizer [L, codebooks], 12.5 Hz
//   codes [L, codebooks] -> lookup -> depthwise transposed conv k4 / 2 -> transformer, 25 Hz
//                  -> conv k7, ELU -> (transposed conv, residual block, ELU) x 4 -> conv k3 [L * hop, 1]
//
// Nothing looks ahead, so that both ways stream exactly, a frame of 80 ms at a time.
import type { Region } from '../../bindings/memory.js'
import type { TensorSource } from '../checkpoints/source.js'
import { WeightReader } from '../checkpoints/weights.js'
import { DepthwiseTranspose1d } from '../nn/conv_transpose1d.js'
import { Conv1d } from '../nn/conv1d.js'
import { packLinear } from '../nn/linear.js'
import { ResidualQuantizer } from '../nn/residual_quantizer.js'
import { RotaryAngles } from '../nn/rotary.js'
import { type Layer, pipeline } from '../nn/rows.js'
import { type ProjectedQuantizer, SplitQuantizer } from '../nn/split_quantizer.js'
import { type AttentionShape, TransformerLayer } from '../nn/transformer.js'
import { wholeFrames } from '../nn/whole_frames.js'
import { ACOUSTIC, canonicalNames, type MimiConfig, readConfig, SEMANTIC } from './mimi_config.js'
import type { Model } from './model.js'
import { type Named, Parts } from './parts.js'
import { pushCodes } from './push_codes.js'
import { SeanetReader } from './seanet.js'
import {
  type Contents,
  type ModelParts,
  needed,
  type ReducibleMatrices,
  Storage,
  type StorageOptions,
} from './storage.js'

const PROJECTIONS = 'self_attn\\.(?:[qkvo]|in)_proj\\.weight|mlp\\.fc[12]\\.weight'

/** All matrices but the first and the last convolution's, which are small, and the quantizer's. */
export const MIMI_MATRICES: ReducibleMatrices = {
  encoder: new RegExp(
    `^encoder\\.layers\\.(?!0\\.).+\\.weight$|^encoder_transformer\\..+(?:${PROJECTIONS})$|^downsample\\.`,
  ),
  decoder: new RegExp(
    `^decoder\\.layers\\.(?!14\\.).+\\.weight$|^decoder_transformer\\..+(?:${PROJECTIONS})$`,
  ),
}

/** Usage below which an entry counts as used that much (upstream's epsilon). */
const LEAST_USAGE = Math.fround(1e-5)

type Half = 'encoder' | 'decoder'

/** The half of the model that tensor `name` belongs to; undefined: both. */
function halfOf(name: string): Half | undefined {
  if (/^encoder|^downsample|\.input_proj\./.test(name)) return 'encoder'
  return /^decoder|^upsample|\.output_proj\./.test(name) ? 'decoder' : undefined
}

/** Both halves, or the one named, and the codebooks, under the published transformers file's names. */
export function mimiContents(
  source: TensorSource,
  options: { config?: string },
  parts: ModelParts,
): Contents {
  const tensors = canonicalNames(source)
  readConfig(tensors, options.config ?? source.metadata.config)
  const isUsed = (name: string) =>
    !name.endsWith('.initialized') && (parts === 'both' || [parts, undefined].includes(halfOf(name)))
  return { tensors, names: tensors.names().filter(isUsed) }
}

/** Reads the weights out of `source` into `region`. `config`: a config.json, for checkpoints of other sizes than the released one. */
export async function loadMimi(
  region: Region,
  source: TensorSource,
  options: { config?: string } & StorageOptions,
): Promise<Model> {
  const storage = new Storage(region, MIMI_MATRICES, options, source.metadata)
  const tensors = canonicalNames(source)
  const config = readConfig(tensors, options.config ?? source.metadata.config)
  const has = { encoder: tensors.has('downsample.conv.weight'), decoder: tensors.has('upsample.conv.weight') }
  const wants = (half: Half) => has[half] && storage.wants(half)
  const reader = new WeightReader(tensors, {
    strict: true,
    ignore: tensors.names().filter(name => {
      const half = halfOf(name)
      return name.endsWith('.initialized') || (half && !wants(half))
    }),
    storedAs: storage.storedAs,
  })
  const parts = new Parts(storage, reader)
  const encoder = wants('encoder') ? await readEncoder(parts, config) : undefined
  const quantizer = new SplitQuantizer(
    await readQuantizer(parts, SEMANTIC, 1, config, wants),
    await readQuantizer(parts, ACOUSTIC, config.codebooks - 1, config, wants),
  )
  const decoder = wants('decoder') ? await readDecoder(parts, config) : undefined
  reader.finish()
  const { codebooks, codebookSize, dim, sampleRate, hopLength } = config
  const decoded = (count: number): Named[] => [
    ['quantized', quantizer.lookup(count)],
    ...needed(decoder, 'decoder'),
  ]
  return {
    info: {
      family: 'mimi',
      sampleRate,
      hopLength,
      codebookSizes: new Array<number>(codebooks).fill(codebookSize),
      codebookDim: dim,
      parameters: reader.parameters,
      dtype: storage.dtype,
      encoderDtype: storage.encoderDtype,
      canEncode: Boolean(encoder),
      canDecode: Boolean(decoder),
      encoderLookahead: 0,
      decoderLookahead: 0,
      config: { ...config },
    },
    encoder: (local, sink, probe) =>
      pipeline(local, [...needed(encoder, 'encoder'), ['codes', quantizer.search]], sink, probe),
    features: (local, sink, probe) => pipeline(local, needed(encoder, 'encoder'), sink, probe),
    synthesis: (local, sink, probe) => pipeline(local, needed(decoder, 'decoder'), sink, probe),
    lookup: (local, sink, count = codebooks) => quantizer.lookup(count).open(local, sink),
    decoder: (local, sink, probe, count = codebooks) => pipeline(local, decoded(count), sink, probe),
    decode: (local, codes, frames, sink, probe, count = codebooks) =>
      pushCodes(local, codes, frames, count, pipeline(local, decoded(count), sink, probe)),
  }
}

function seanet(parts: Parts, config: MimiConfig, half: Half): SeanetReader {
  const { filters, dim: dimension, ratios, kernel, lastKernel, residualKernel } = config
  const sizes = { channels: 1, filters, dimension, ratios, kernel, lastKernel, residualKernel, lstmLayers: 0 }
  const shape = { ...sizes, shortcut: false, causal: true, padding: 'zero' } as const
  const prefix = `${half}.layers`
  return new SeanetReader(parts, shape, { prefix, conv: '.conv', stage: prefix })
}

async function readEncoder(parts: Parts, config: MimiConfig): Promise<Named[]> {
  const { dim, hopLength } = config
  const layers = await seanet(parts, config, 'encoder').encoder()
  const transformer = await readTransformer(parts, 'encoder_transformer', config)
  const weight = await parts.tensor('downsample.conv.weight', [dim, dim, 4])
  const padding = { left: 2, right: 0, mode: 'replicate' } as const
  const shape = { inputs: dim, outputs: dim, kernel: 4, stride: 2, padding }
  const region = parts.storage.regionOf('downsample.conv.weight')
  const downsample = new Conv1d(region, weight, undefined, shape)
  return [['frames', wholeFrames(hopLength)], ...layers, ...transformer, ['downsample', downsample]]
}

async function readDecoder(parts: Parts, config: MimiConfig): Promise<Named[]> {
  const { dim } = config
  const weight = await parts.tensor('upsample.conv.weight', [dim, 1, 4])
  const upsample = new DepthwiseTranspose1d(parts.region, weight, dim, 2)
  const transformer = await readTransformer(parts, 'decoder_transformer', config)
  return [['upsample', upsample], ...transformer, ...(await seanet(parts, config, 'decoder').decoder())]
}

async function readTransformer(parts: Parts, name: string, config: MimiConfig): Promise<Named[]> {
  const { dim, heads, window, layers, ropeTheta } = config
  const shape: AttentionShape = { heads, window, rotary: new RotaryAngles(dim / heads, ropeTheta) }
  const result: Named[] = []
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `${name}.layers.${layer}`
    result.push([prefix, await readTransformerLayer(parts, prefix, config, shape)])
  }
  return result
}

async function readTransformerLayer(
  parts: Parts,
  name: string,
  { dim, hidden, normEps }: MimiConfig,
  shape: AttentionShape,
): Promise<Layer> {
  const norm = (which: string) => parts.layerNorm(`${name}.${which}_layernorm`, dim, normEps)
  const weights = {
    ...(await readProjections(parts, `${name}.self_attn`, dim, shape.heads)),
    output: await parts.tensor(`${name}.self_attn.o_proj.weight`, [dim, dim]),
    outputScale: await parts.tensor(`${name}.self_attn_layer_scale.scale`, [dim]),
    expand: await parts.tensor(`${name}.mlp.fc1.weight`, [hidden, dim]),
    contract: await parts.tensor(`${name}.mlp.fc2.weight`, [dim, hidden]),
    contractScale: await parts.tensor(`${name}.mlp_layer_scale.scale`, [dim]),
  }
  const region = parts.storage.regionOf(`${name}.mlp.fc1.weight`)
  return new TransformerLayer(region, weights, await norm('input'), await norm('post_attention'), shape)
}

/** Kyutai's files hold the three matrices as one, with the pairs of the rotation side by side; transformers' half a head apart. */
async function readProjections(
  parts: Parts,
  name: string,
  dim: number,
  heads: number,
): Promise<{ query: Float32Array; keyValue: Float32Array }> {
  const size = dim * dim
  if (parts.reader.source.has(`${name}.in_proj.weight`)) {
    const all = await parts.tensor(`${name}.in_proj.weight`, [3 * dim, dim])
    const query = halvesApart(all.subarray(0, size), dim, heads)
    all.set(halvesApart(all.subarray(size, 2 * size), dim, heads), size)
    return { query, keyValue: all.subarray(size) }
  }
  const keyValue = new Float32Array(2 * size)
  const query = await parts.tensor(`${name}.q_proj.weight`, [dim, dim])
  keyValue.set(await parts.tensor(`${name}.k_proj.weight`, [dim, dim]))
  keyValue.set(await parts.tensor(`${name}.v_proj.weight`, [dim, dim]), size)
  return { query, keyValue }
}

/** Rows of each head from pairs (2i, 2i + 1) to pairs (i, i + half). */
function halvesApart(matrix: Float32Array, dim: number, heads: number): Float32Array {
  const result = new Float32Array(matrix.length)
  const half = dim / heads / 2
  for (let row = 0; row < dim; row++) {
    const [head, inHead] = [Math.floor(row / (2 * half)), row % (2 * half)]
    const to = head * 2 * half + (inHead % 2) * half + (inHead >> 1)
    result.set(matrix.subarray(row * dim, (row + 1) * dim), to * dim)
  }
  return result
}

/** A codebook's entries are what was assigned to them in training, summed, over how much that was. */
async function readQuantizer(
  parts: Parts,
  name: string,
  count: number,
  { dim, codebookSize, codebookDim }: MimiConfig,
  wants: (half: Half) => boolean,
): Promise<ProjectedQuantizer> {
  const projection = async (side: 'input' | 'output', outputs: number, inputs: number) => {
    const weight = await parts.tensor(`${name}.${side}_proj.weight`, [outputs, inputs, 1])
    return packLinear(parts.region, weight, undefined, outputs, inputs)
  }
  const codebooks: Float32Array[] = []
  for (let layer = 0; layer < count; layer++) {
    const codebook = `${name}.layers.${layer}.codebook`
    const entries = await parts.tensor(`${codebook}.embed_sum`, [codebookSize, codebookDim])
    const usage = await parts.tensor(`${codebook}.cluster_usage`, [codebookSize])
    for (let i = 0; i < entries.length; i++)
      entries[i] /= Math.max(usage[Math.floor(i / codebookDim)], LEAST_USAGE)
    codebooks.push(entries)
  }
  return {
    input: wants('encoder') ? await projection('input', codebookDim, dim) : undefined,
    output: wants('decoder') ? await projection('output', dim, codebookDim) : undefined,
    codebooks: new ResidualQuantizer(parts.region, codebooks, codebookSize, codebookDim),
  }
}
