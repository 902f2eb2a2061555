// Hyper-parameters of an EnCodec checkpoint: inferred from names and shapes; transformers' config.json says what those cannot.
import type { TensorSource } from '../checkpoints/source.js'
import { type RenameRule, renamed } from '../checkpoints/views.js'
import { weightShape } from '../checkpoints/weights.js'
import { CheckpointError, ConfigError } from '../errors.js'
import type { SeanetShape } from './seanet.js'

export interface EncodecConfig extends SeanetShape {
  sampleRate: number
  hopLength: number
  codebooks: number
  codebookSize: number
  /** What bitrates the model was trained for, kbit/s, as far as a configuration says. */
  bandwidths?: readonly number[]
}

/** Encoder and decoder module lists, in transformers' names. */
export type Half = 'encoder' | 'decoder'

// EnCodec's own names become transformers'.
const SPELLINGS: readonly RenameRule[] = [
  [/^((?:en|de)coder)\.model\.(.+)\.conv(?:tr)?\.conv(?:tr)?\.(.+)$/, '$1.layers.$2.conv.$3'],
  [/^((?:en|de)coder)\.model\.(.+)\.conv(?:tr)?\.norm\.(.+)$/, '$1.layers.$2.norm.$3'],
  [/^((?:en|de)coder)\.model\.(\d+)\.lstm\./, '$1.layers.$2.lstm.'],
  [/^quantizer\.vq\.layers\.(\d+)\._codebook\./, 'quantizer.layers.$1.codebook.'],
]

/** The entries of codebook `layer`. */
export function codebookName(layer: number): string {
  return `quantizer.layers.${layer}.codebook.embed`
}

/** The same tensors under transformers' names. */
export function canonicalNames(source: TensorSource): TensorSource {
  return renamed(source, SPELLINGS)
}

/**
 * Reads the hyper-parameters of canonically named tensors.
 *
 * @param text a transformers config.json, needed for checkpoints that are not one of the released ones' kind
 * @throws CheckpointError where the shapes cannot be an EnCodec's, ConfigError where the configuration contradicts them
 */
export function readConfig(source: TensorSource, text: string | undefined): EncodecConfig {
  if (source.names().some(name => /^(?:en|de)coder\.layers\.0\.norm\./.test(name)))
    throw new ConfigError(
      'this EnCodec normalizes over time (stereo, 48 kHz); this version runs those with weight norm: 24 and 32 kHz',
    )
  const half: Half = source.has('encoder.layers.0.conv.bias') ? 'encoder' : 'decoder'
  const { lstm, ratios } = stagesOf(source, half)
  const end = half === 'encoder' ? 3 * ratios.length + 1 : 3 * ratios.length + 2
  const first = convShape(source, `${half}.layers.0.conv`)
  const last = convShape(
    source,
    `${half}.layers.${half === 'encoder' ? end + (lstm ? 2 : 1) : end + (lstm ? 1 : 0)}.conv`,
  )
  const block = half === 'encoder' ? 1 : lstm ? 4 : 3
  const [codebookSize, dimension] = tensorShape(source, codebookName(0))
  const given = parse(text)
  const hopLength = ratios.reduce((product, ratio) => product * ratio, 1)
  const shortcut = weightShape(source, `${half}.layers.${block}.shortcut.conv`) !== undefined
  const config: EncodecConfig = {
    channels: half === 'encoder' ? first[1] : last[0],
    filters: half === 'encoder' ? first[0] : last[1],
    dimension,
    ratios: half === 'encoder' ? ratios : ratios.toReversed(),
    kernel: first[2],
    lastKernel: last[2],
    residualKernel: convShape(source, `${half}.layers.${block}.block.1.conv`)[2],
    lstmLayers: lstm,
    shortcut,
    // the released 32 kHz model, MusicGen's, is the one without shortcuts
    causal: given.use_causal_conv ?? shortcut,
    padding: given.pad_mode ?? 'reflect',
    sampleRate: given.sampling_rate ?? (shortcut ? 24_000 : 32_000),
    hopLength,
    codebooks: source.names().filter(name => /^quantizer\.layers\.\d+\.codebook\.embed$/.test(name)).length,
    codebookSize,
    bandwidths: given.target_bandwidths,
  }
  check(config, given)
  return config
}

/** What a config.json says; absent: not said. */
interface Given {
  sampling_rate?: number
  audio_channels?: number
  num_filters?: number
  hidden_size?: number
  codebook_size?: number
  upsampling_ratios?: readonly number[]
  use_causal_conv?: boolean
  pad_mode?: 'reflect' | 'zero'
  target_bandwidths?: readonly number[]
}

const PAD_MODES: Readonly<Record<string, 'reflect' | 'zero'>> = { reflect: 'reflect', constant: 'zero' }

function parse(text: string | undefined): Given {
  if (text === undefined) return {}
  let values: Record<string, unknown>
  try {
    values = JSON.parse(text)
  } catch (cause) {
    throw new ConfigError('the configuration is not JSON; expected the config.json of an EnCodec', { cause })
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw new ConfigError('the configuration is no JSON object; expected the config.json of an EnCodec')
  const number = (name: string) => typed<number>(values, name, 'a number above 0', value => Number(value) > 0)
  const numbers = (name: string) =>
    typed<number[]>(
      values,
      name,
      'numbers above 0',
      value => Array.isArray(value) && value.every(one => typeof one === 'number' && one > 0),
    )
  const isPadMode = (value: unknown) => typeof value === 'string' && Object.hasOwn(PAD_MODES, value)
  const padMode = typed<string>(values, 'pad_mode', Object.keys(PAD_MODES).join(' or '), isPadMode)
  return {
    sampling_rate: number('sampling_rate'),
    audio_channels: number('audio_channels'),
    num_filters: number('num_filters'),
    hidden_size: number('hidden_size'),
    codebook_size: number('codebook_size'),
    upsampling_ratios: numbers('upsampling_ratios'),
    use_causal_conv: typed<boolean>(
      values,
      'use_causal_conv',
      'true or false',
      value => typeof value === 'boolean',
    ),
    pad_mode: padMode === undefined ? undefined : PAD_MODES[padMode],
    target_bandwidths: numbers('target_bandwidths'),
  }
}

function typed<T>(
  values: Readonly<Record<string, unknown>>,
  name: string,
  expected: string,
  fits: (value: unknown) => boolean,
): T | undefined {
  const value = values[name]
  if (value === undefined) return undefined
  if (fits(value)) return value as T
  throw new ConfigError(`${name} is ${JSON.stringify(value)} in the configuration; expected ${expected}`)
}

function check(config: EncodecConfig, given: Given): void {
  const { ratios, sampleRate, channels } = config
  const pairs: readonly (readonly [keyof Given, unknown])[] = [
    ['audio_channels', channels],
    ['num_filters', config.filters],
    ['hidden_size', config.dimension],
    ['codebook_size', config.codebookSize],
    ['upsampling_ratios', ratios.toReversed()],
  ]
  const differences = pairs
    .filter(([name, found]) => given[name] !== undefined && String(given[name]) !== String(found))
    .map(([name, found]) => `${name}: ${found} in the tensors, ${given[name]} in the configuration`)
  if (differences.length)
    throw new ConfigError(`this configuration belongs to another checkpoint:\n  ${differences.join('\n  ')}`)
  if (ratios.length === 0 || !ratios.every(Number.isInteger))
    throw new CheckpointError(
      `strides ${ratios.join(', ')} found; expected kernels of twice an integer stride`,
    )
  if (channels !== 1) throw new ConfigError(`this EnCodec has ${channels} audio channels; expected 1`)
  if (!Number.isInteger(sampleRate))
    throw new ConfigError(`sampling_rate is ${sampleRate}; expected a whole number of Hz`)
}

/** Layers of the LSTM, and strides in the order of the modules: half the kernels of the convolutions beside the residual blocks. */
function stagesOf(source: TensorSource, half: Half): { lstm: number; ratios: number[] } {
  const lstm = source
    .names()
    .filter(name => new RegExp(`^${half}\\.layers\\.\\d+\\.lstm\\.weight_ih_l\\d+$`).test(name)).length
  const ratios: number[] = []
  const first = half === 'encoder' ? 1 : lstm ? 4 : 3
  for (let block = first; ; block += 3) {
    if (!weightShape(source, `${half}.layers.${block}.block.1.conv`)) return { lstm, ratios }
    ratios.push(convShape(source, `${half}.layers.${half === 'encoder' ? block + 2 : block - 1}.conv`)[2] / 2)
  }
}

function convShape(source: TensorSource, layer: string): readonly number[] {
  return ranked(`${layer}.weight`, weightShape(source, layer), 3)
}

function tensorShape(source: TensorSource, name: string): readonly number[] {
  return ranked(name, source.has(name) ? source.info(name).shape : undefined, 2)
}

function ranked(name: string, shape: readonly number[] | undefined, rank: number): readonly number[] {
  if (!shape)
    throw new CheckpointError(`tensor ${name} is missing; this is not a complete EnCodec checkpoint`)
  if (shape.length !== rank)
    throw new CheckpointError(`tensor ${name} has shape [${shape.join(', ')}]; expected ${rank} dimensions`)
  return shape
}
