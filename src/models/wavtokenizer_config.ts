// Hyper-parameters of a WavTokenizer checkpoint: inferred from names and shapes; a published YAML adds or confirms what it says.
import type { TensorSource } from '../checkpoints/source.js'
import { weightShape } from '../checkpoints/weights.js'
import { parseYaml, type YamlValue } from '../checkpoints/yaml.js'
import { CheckpointError, ConfigError } from '../errors.js'
import type { TrunkConfig } from './vocos_trunk.js'
import { CODEBOOK, ENCODER } from './wavtokenizer_names.js'

export interface EncoderConfig {
  filters: number
  /** Channels of the encoder's output, equal to the codebook's. */
  dimension: number
  /** Channels of the LSTM. */
  hidden: number
  lstmLayers: number
  /** Strides from samples to frames: the YAML's `dowmsamples` reversed. */
  ratios: readonly number[]
  kernel: number
  lastKernel: number
  residualKernel: number
}

export interface DecoderConfig extends TrunkConfig {
  /** Groups of pos_net's GroupNorm. */
  groups: number
}

/** What a caller may say beside the tensors. */
export interface WavTokenizerOptions {
  /** Text of a published YAML. */
  config?: string
  /** Row of the AdaLayerNorm tables. */
  bandwidthId?: number
}

export interface WavTokenizerConfig {
  sampleRate: number
  hopLength: number
  nFft: number
  padding: 'same' | 'center'
  codebookSize: number
  codebookDim: number
  encoder?: EncoderConfig
  decoder?: DecoderConfig
}

/**
 * Reads the hyper-parameters of canonically named tensors, of a WavTokenizer or a relative: what decodes is Vocos' in all of them.
 *
 * @param codebook the tensor of codewords; where it is missing, there are none
 * @throws CheckpointError where the shapes cannot be such a model's, ConfigError where the options contradict them
 */
export function readConfig(
  source: TensorSource,
  options: WavTokenizerOptions,
  codebook: string = CODEBOOK,
): WavTokenizerConfig {
  const names = source.names()
  const given = options.config === undefined ? {} : readYaml(options.config)
  const encoder = names.some(name => name.startsWith(`${ENCODER}.`)) ? inferEncoder(source) : undefined
  const decoder = names.some(name => name.startsWith('backbone.'))
    ? inferDecoder(source, options.bandwidthId)
    : undefined
  const [codebookSize, codebookDim] = source.has(codebook)
    ? shape(source, codebook, 2)
    : [0, shape(source, 'backbone.embed.weight', 3)[1]]
  const fromHead = decoder && shape(source, 'head.out.weight', 2)[0] - 2
  const fromRatios = encoder?.ratios.reduce((product, ratio) => product * ratio, 1)
  const hopLength = fromRatios ?? given.hopLength ?? fromHead! / 4
  const nFft = fromHead ?? 4 * hopLength
  const found = { ratios: encoder?.ratios, codebookSize, hopLength, nFft, ...pick(decoder) }
  compare(found, given)
  if (!Number.isInteger(hopLength) || hopLength > nFft)
    throw new ConfigError(
      `hop ${hopLength} and FFT size ${nFft} do not fit together; the head is not this encoder's`,
    )
  const padding = given.padding ?? (codebookSize > 0 ? 'same' : 'center') // Vocos' two published models
  const sampleRate = given.sampleRate ?? 24_000
  return { sampleRate, hopLength, nFft, padding, codebookSize, codebookDim, encoder, decoder }
}

function inferEncoder(source: TensorSource): EncoderConfig {
  const lstm = source
    .names()
    .find(name => name.startsWith(`${ENCODER}.`) && name.endsWith('.lstm.weight_ih_l0'))
  if (!lstm)
    throw new CheckpointError(
      'the encoder has no LSTM (…lstm.weight_ih_l0); expected a SEANet encoder with one',
    )
  const index = Number(lstm.slice(ENCODER.length + 1).split('.')[0])
  const [filters, , kernel] = convShape(source, '0')
  const ratios: number[] = []
  for (let stage = 3; stage < index; stage += 3) ratios.push(convShape(source, String(stage))[2] / 2)
  const [dimension, hidden, lastKernel] = convShape(source, String(index + 2))
  const residualKernel = convShape(source, '1.block.1')[2]
  const lstmLayers = source
    .names()
    .filter(name => name.includes(`${ENCODER}.${index}.lstm.weight_ih_l`)).length
  if (!ratios.length || ratios.some(ratio => !Number.isInteger(ratio)))
    throw new CheckpointError(
      `strides ${ratios.join(', ')} found; expected kernels of twice an integer stride`,
    )
  return { filters, dimension, hidden, lstmLayers, ratios, kernel, lastKernel, residualKernel }
}

function inferDecoder(source: TensorSource, bandwidthId = 0): DecoderConfig {
  const [dim, , embedKernel] = shape(source, 'backbone.embed.weight', 3)
  const blocks = source.names().map(name => Number(name.match(/^backbone\.convnext\.(\d+)\./)?.[1] ?? -1))
  const [intermediate] = shape(source, 'backbone.convnext.0.pwconv1.weight', 2)
  const depthwiseKernel = shape(source, 'backbone.convnext.0.dwconv.weight', 3)[2]
  const table = 'backbone.norm.scale.weight'
  const adanorm = source.has(table) ? shape(source, table, 2)[0] : 0
  if (!(Number.isInteger(bandwidthId) && bandwidthId >= 0 && bandwidthId < Math.max(1, adanorm)))
    throw new ConfigError(
      `bandwidthId is ${bandwidthId}; this checkpoint has rows 0 to ${Math.max(1, adanorm) - 1}`,
    )
  const layers = Math.max(...blocks) + 1
  return { dim, intermediate, layers, embedKernel, depthwiseKernel, adanorm, bandwidthId, groups: 32 }
}

function convShape(source: TensorSource, name: string): number[] {
  const layer = `${ENCODER}.${name}.conv.conv`
  return ranked(layer, weightShape(source, layer), 3)
}

function shape(source: TensorSource, name: string, rank: number): number[] {
  return ranked(name, source.has(name) ? source.info(name).shape : undefined, rank)
}

function ranked(name: string, shape: readonly number[] | undefined, rank: number): number[] {
  if (!shape) throw new CheckpointError(`tensor ${name} is missing; this is not a complete checkpoint`)
  if (shape.length !== rank)
    throw new CheckpointError(`tensor ${name} has shape [${shape.join(', ')}]; expected ${rank} dimensions`)
  return [...shape]
}

type YamlMap = { [key: string]: YamlValue }

/** What a YAML says, in our words; absent: not said. */
interface Given {
  sampleRate?: number
  hopLength?: number
  nFft?: number
  padding?: 'same' | 'center'
  ratios?: readonly number[]
  codebookSize?: number
  dim?: number
  intermediate?: number
  layers?: number
  adanorm?: number
}

/** Reads the published layout: Lightning's `model.init_args`, or its parts at top level. */
function readYaml(text: string): Given {
  if (/^\s*\{/.test(text)) return {} // the transformers port's config.json says nothing that shapes do not
  const root = parseYaml(text)
  const model = at(root, 'model', 'init_args') ?? at(root) ?? {}
  const part = (name: string) => at(model, name, 'init_args') ?? {}
  const [features, backbone, head] = [part('feature_extractor'), part('backbone'), part('head')]
  if (features.num_quantizers !== undefined && features.num_quantizers !== 1)
    throw new ConfigError(
      `num_quantizers is ${features.num_quantizers}; WavTokenizer has 1, and upstream ignores all but the last`,
    )
  const padding = head.padding
  if (padding !== undefined && padding !== 'same' && padding !== 'center')
    throw new ConfigError(`head padding is ${padding}; expected same or center`)
  const downsamples = features.dowmsamples // sic
  return {
    sampleRate: number(model.sample_rate),
    hopLength: number(head.hop_length),
    nFft: number(head.n_fft),
    padding,
    ratios: Array.isArray(downsamples) ? downsamples.map(Number).reverse() : undefined,
    codebookSize: number(features.vq_bins),
    dim: number(backbone.dim),
    intermediate: number(backbone.intermediate_dim),
    layers: number(backbone.num_layers),
    adanorm: number(backbone.adanorm_num_embeddings),
  }
}

function at(value: YamlValue | undefined, ...path: string[]): YamlMap | undefined {
  for (const key of path) value = isMap(value) ? value[key] : undefined
  return isMap(value) ? value : undefined
}

function isMap(value: YamlValue | undefined): value is YamlMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function number(value: YamlValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function pick(decoder: DecoderConfig | undefined): Partial<Given> {
  if (!decoder) return {}
  const { dim, intermediate, layers, adanorm } = decoder
  return { dim, intermediate, layers, adanorm }
}

/** One error for everything in which the configuration and the tensors disagree. */
function compare(found: Given, given: Given): void {
  const differences = (Object.keys(found) as (keyof Given)[])
    .filter(
      key =>
        found[key] !== undefined && given[key] !== undefined && String(found[key]) !== String(given[key]),
    )
    .map(key => `${key}: ${found[key]} in the tensors, ${given[key]} in the configuration`)
  if (differences.length)
    throw new ConfigError(`this configuration belongs to another checkpoint:\n  ${differences.join('\n  ')}`)
}
