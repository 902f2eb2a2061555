// Hyper-parameters of an EnCodec checkpoint: inferred from names and shapes; transformers' config.json says what those cannot.
import type { TensorSource } from '../checkpoints/source.js'
import { type RenameRule, renamed } from '../checkpoints/views.js'
import { weightShape } from '../checkpoints/weights.js'
import { CheckpointError, ConfigError } from '../errors.js'
import { Given } from './given.js'
import type { SeanetShape } from './seanet.js'

export interface EncodecConfig extends SeanetShape {
  sampleRate: number
  hopLength: number
  codebooks: number
  codebookSize: number
  /** Seconds of a segment, and by which share of it the next one overlaps it; absent: clips are not cut. */
  segment?: { seconds: number; overlap: number }
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
  const given = new Given(text, 'an EnCodec')
  const hopLength = ratios.reduce((product, ratio) => product * ratio, 1)
  const normalizes = source.has(`${half}.layers.0.norm.weight`)
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
    causal: given.flag('use_causal_conv') ?? (shortcut && !normalizes),
    normalizes,
    segment: normalizes ? segmentOf(given) : undefined,
    padding: given.choice('pad_mode', PAD_MODES) ?? 'reflect',
    sampleRate: given.number('sampling_rate') ?? (normalizes ? 48_000 : shortcut ? 24_000 : 32_000),
    hopLength,
    codebooks: source.names().filter(name => /^quantizer\.layers\.\d+\.codebook\.embed$/.test(name)).length,
    codebookSize,
    bandwidths: given.numbers('target_bandwidths'),
  }
  check(config, given)
  return config
}

const SEGMENT_SECONDS = 1
const SEGMENT_OVERLAP = 0.01

function segmentOf(given: Given): { seconds: number; overlap: number } {
  const seconds = given.number('chunk_length_s') ?? SEGMENT_SECONDS
  const overlap = given.number('overlap') ?? SEGMENT_OVERLAP
  if (given.flag('normalize') === false || overlap > 0.5)
    throw new ConfigError(
      `an EnCodec with group norms and no normalized segments, or with an overlap of ${overlap}, is not known`,
    )
  return { seconds, overlap }
}

const PAD_MODES: Readonly<Record<string, 'reflect' | 'zero'>> = { reflect: 'reflect', constant: 'zero' }

function check(config: EncodecConfig, given: Given): void {
  const { ratios, sampleRate, channels } = config
  given.expect({
    audio_channels: channels,
    num_filters: config.filters,
    hidden_size: config.dimension,
    codebook_size: config.codebookSize,
    upsampling_ratios: ratios.toReversed(),
  })
  if (ratios.length === 0 || !ratios.every(Number.isInteger))
    throw new CheckpointError(
      `strides ${ratios.join(', ')} found; expected kernels of twice an integer stride`,
    )
  if (channels > 2 || (channels === 2 && !config.normalizes))
    throw new ConfigError(
      `this EnCodec has ${channels} audio channels; expected 1, or 2 and group norms (48 kHz)`,
    )
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
