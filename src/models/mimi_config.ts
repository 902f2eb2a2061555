// Hyper-parameters and tensor names of a Mimi checkpoint. Names are those of the published transformers file (kyutai/mimi); what
// transformers calls them in memory, and Kyutai's own names, are mapped onto them. Sizes come from shapes; a configuration only says
// what shapes cannot, and the released model's values stand where there is none.
import type { TensorSource } from '../checkpoints/source.js'
import { type RenameRule, renamed } from '../checkpoints/views.js'
import { CheckpointError, ConfigError } from '../errors.js'

export interface MimiConfig {
  sampleRate: number
  /** Samples per frame of codes. */
  hopLength: number
  /** Channels of the first convolution. */
  filters: number
  /** Channels of the transformers. */
  dim: number
  /** Strides of the encoder's convolutions. */
  ratios: readonly number[]
  kernel: number
  residualKernel: number
  lastKernel: number
  /** Layers of each transformer. */
  layers: number
  hidden: number
  heads: number
  /** Positions that a position of the transformers sees, itself included. */
  window: number
  ropeTheta: number
  normEps: number
  /** All of them; the first is the semantic one. */
  codebooks: number
  codebookSize: number
  codebookDim: number
}

export const SEMANTIC = 'quantizer.semantic_residual_vector_quantizer'
export const ACOUSTIC = 'quantizer.acoustic_residual_vector_quantizer'

const LAYER = '^((?:en|de)coder_transformer\\.layers\\.\\d+)'

const SPELLINGS: readonly RenameRule[] = [
  // transformers >= 5.2 in memory
  [/^(?:en|de)coder\.((?:en|de)coder_transformer|downsample|upsample)\./, '$1.'],
  [/^(?:en|de)coder\.((?:en|de)coder)_seanet\./, '$1.'],
  // Kyutai's
  [/^((?:en|de)coder)\.model\.(.+)\.conv(?:tr)?\.conv(?:tr)?\.(weight|bias)$/, '$1.layers.$2.conv.$3'],
  [/^((?:en|de)coder_transformer)\.transformer\./, '$1.'],
  [new RegExp(`${LAYER}\\.self_attn\\.in_proj(?:_weight|s\\.0\\.weight)$`), '$1.self_attn.in_proj.weight'],
  [new RegExp(`${LAYER}\\.self_attn\\.out_proj(?:s\\.0)?\\.weight$`), '$1.self_attn.o_proj.weight'],
  [new RegExp(`${LAYER}\\.norm1\\.`), '$1.input_layernorm.'],
  [new RegExp(`${LAYER}\\.norm2\\.`), '$1.post_attention_layernorm.'],
  [new RegExp(`${LAYER}\\.linear([12])\\.`), '$1.mlp.fc$2.'],
  [new RegExp(`${LAYER}\\.layer_scale_1\\.`), '$1.self_attn_layer_scale.'],
  [new RegExp(`${LAYER}\\.layer_scale_2\\.`), '$1.mlp_layer_scale.'],
  [/^downsample\.conv\.conv\.conv\./, 'downsample.conv.'],
  [/^upsample\.convtr\.convtr\.convtr\./, 'upsample.conv.'],
  ['quantizer.rvq_first.', `${SEMANTIC}.`],
  ['quantizer.rvq_rest.', `${ACOUSTIC}.`],
  [/\.vq\.layers\.(\d+)\._codebook\./, '.layers.$1.codebook.'],
  [/\.codebook\.(?:embedding_sum|embed_avg)$/, '.codebook.embed_sum'],
  [/\.codebook\.cluster_size$/, '.codebook.cluster_usage'],
  [/\.codebook\.(?:_initialized|inited)$/, '.codebook.initialized'],
]

/** The same tensors under the published transformers file's names. */
export function canonicalNames(source: TensorSource): TensorSource {
  return renamed(source, SPELLINGS)
}

/**
 * Reads the hyper-parameters of canonically named tensors.
 *
 * @param text a transformers config.json, for what shapes cannot tell
 * @throws CheckpointError where the shapes cannot be a Mimi's, ConfigError where the configuration contradicts them
 */
export function readConfig(source: TensorSource, text: string | undefined): MimiConfig {
  const given = parse(text)
  const part = source.has('encoder.layers.0.conv.weight') ? 'encoder' : 'decoder'
  const strides = stridesOf(source, part)
  const first = shape(source, `${part}.layers.0.conv.weight`, 3)
  const last = shape(source, `${part}.layers.${3 * strides.length + 2}.conv.weight`, 3)
  const [filters, dim, ratios] =
    part === 'encoder' ? [first[0], last[0], strides] : [last[1], first[1], strides.toReversed()]
  const block = `${part}.layers.${part === 'encoder' ? 1 : 3}.block.1.conv.weight`
  const [hidden] = shape(source, `${part}_transformer.layers.0.mlp.fc1.weight`, 2)
  const [codebookSize, codebookDim] = shape(source, `${SEMANTIC}.layers.0.codebook.embed_sum`, 2)
  const config: MimiConfig = {
    sampleRate: given('sampling_rate', 24_000),
    hopLength: 2 * ratios.reduce((product, ratio) => product * ratio, 1),
    filters,
    dim,
    ratios,
    kernel: first[2],
    residualKernel: shape(source, block, 3)[2],
    lastKernel: last[2],
    layers: count(source, `${part}_transformer.layers.`),
    hidden,
    heads: given('num_attention_heads', 8),
    window: given('sliding_window', 250),
    ropeTheta: given('rope_theta', 10_000),
    normEps: given('norm_eps', 1e-5),
    codebooks: 1 + count(source, `${ACOUSTIC}.layers.`),
    codebookSize,
    codebookDim,
  }
  check(config, given)
  return config
}

type Given = (name: string, otherwise: number) => number

/** Numbers of a transformers config.json by name. */
function parse(text: string | undefined): Given {
  let values: unknown = {}
  try {
    if (text !== undefined) values = JSON.parse(text)
  } catch (cause) {
    throw new ConfigError('the configuration is not JSON; expected the config.json of a Mimi', { cause })
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw new ConfigError('the configuration is no JSON object; expected the config.json of a Mimi')
  return (name, otherwise) => {
    const value = (values as Record<string, unknown>)[name] ?? otherwise
    if (typeof value === 'number' && value > 0) return value
    throw new ConfigError(
      `${name} is ${JSON.stringify(value)} in the configuration; expected a number above 0`,
    )
  }
}

function check(config: MimiConfig, given: Given): void {
  const { dim, heads, window, ropeTheta, ratios, filters, hidden, layers, codebookSize, codebooks } = config
  const found = {
    hidden_size: dim,
    num_filters: filters,
    intermediate_size: hidden,
    num_hidden_layers: layers,
    codebook_size: codebookSize,
    num_quantizers: codebooks,
  }
  const differences = Object.entries(found).filter(([name, value]) => given(name, value) !== value)
  if (differences.length)
    throw new ConfigError(
      `this configuration belongs to another checkpoint:\n  ${differences.map(([name, value]) => `${name}: ${value} in the tensors, ${given(name, value)} in the configuration`).join('\n  ')}`,
    )
  if (!Number.isInteger(dim / heads / 16))
    throw new ConfigError(
      `${dim} channels in ${heads} heads; expected heads of a multiple of 16 channels: a config.json (num_attention_heads) belongs to checkpoints of other sizes than the released one`,
    )
  if (!Number.isInteger(window) || window > 1 << 16)
    throw new ConfigError(`sliding_window is ${window}; expected 1 to ${1 << 16} positions`)
  if (!(ropeTheta > 1)) throw new ConfigError(`rope_theta is ${ropeTheta}; expected a number above 1`)
  if (ratios.length === 0 || !ratios.every(Number.isInteger))
    throw new CheckpointError(
      `strides ${ratios.join(', ')} found; expected kernels of twice an integer stride`,
    )
}

/** Strides in the order of the layers: half the kernels of the convolutions between the residual blocks. */
function stridesOf(source: TensorSource, part: 'encoder' | 'decoder'): number[] {
  const strides: number[] = []
  for (let layer = part === 'encoder' ? 3 : 2; ; layer += 3) {
    const block = `${part}.layers.${part === 'encoder' ? layer - 2 : layer + 1}.block.1.conv.weight`
    if (!source.has(block)) return strides
    strides.push(shape(source, `${part}.layers.${layer}.conv.weight`, 3)[2] / 2)
  }
}

/** Layers 0, 1 ... under a prefix. */
function count(source: TensorSource, prefix: string): number {
  const indices = source
    .names()
    .filter(name => name.startsWith(prefix))
    .map(name => Number.parseInt(name.slice(prefix.length), 10))
  return new Set(indices).size
}

function shape(source: TensorSource, name: string, rank: number): readonly number[] {
  if (!source.has(name))
    throw new CheckpointError(`tensor ${name} is missing; this is not a complete Mimi checkpoint`)
  const { shape } = source.info(name)
  if (shape.length !== rank)
    throw new CheckpointError(`tensor ${name} has shape [${shape.join(', ')}]; expected ${rank} dimensions`)
  return shape
}
