// DAC, the Descript Audio Codec (Kumar et al., 2023): convolutions with Snake on both sides of a residual quantizer that is searched by
// direction in eight projected channels.
//
//   samples [T, 1] -> conv k7 -> (three residual units, Snake, strided conv) x 4 -> Snake -> conv k3 -> quantizer [L, codebooks]
//   codes [L, codebooks] -> sum of projected entries -> conv k7 -> (Snake, transposed conv, three units) x 4 -> Snake -> conv k7, tanh
//
// The first codebooks alone are a code of lower bitrate. 44.1 kHz: strides 2, 4, 8, 8 and 9 codebooks; 24 and 16 kHz: 2, 4, 5, 8 and 32
// or 12, where the odd stride leaves the last samples out, which are zeros here.
import type { Region } from '../../bindings/memory.js'
import type { TensorSource } from '../checkpoints/source.js'
import { wholeFrames } from '../nn/whole_frames.js'
import { canonicalNames, type DacTensors, knownRate, readTensors } from './dac_config.js'
import { decoderReach, encoderReach } from './dac_layers.js'
import { dacContents as contents, type DacFamily, loadDacFamily } from './dac_model.js'
import { Given } from './given.js'
import type { Model } from './model.js'
import type { Contents, ModelParts, ReducibleMatrices, StorageOptions } from './storage.js'

/** All matrices but those of single channels, which are small, and the quantizer's. */
export const DAC_MATRICES: ReducibleMatrices = {
  encoder: /^encoder\.block\.(?!0\.)(?:\d+\.block\.(?:\d\.block\.[13]|4)|\d+)\.weight$/,
  decoder: /^decoder\.model\.(?:0|\d+\.block\.(?:1|\d\.block\.[13]))\.weight$/,
}

/** Rates of the published models, which their shapes do not tell. */
const PUBLISHED: Readonly<Record<string, number>> = { '512/9': 44_100, '320/32': 24_000, '320/12': 16_000 }

/** @throws ConfigError where the configuration contradicts the tensors, CheckpointError where they cannot be a DAC's */
function readConfig(source: TensorSource, text: string | undefined): DacFamily['config'] {
  const found: DacTensors = readTensors(source)
  const given = new Given(text ?? source.metadata.config, 'a DAC')
  given.expect({
    encoder_rates: found.ratios,
    downsampling_ratios: found.ratios,
    n_codebooks: found.codebooks,
    codebook_size: found.codebookSize,
  })
  const { hopLength, codebooks } = found
  return {
    ...found,
    wholeStrides: false,
    strides: new Array<number>(codebooks).fill(1),
    sampleRate: knownRate(
      given.number('sample_rate') ?? given.number('sampling_rate'),
      PUBLISHED[`${hopLength}/${codebooks}`],
    ),
  }
}

/** Both halves, or the one named, and the codebooks, under the names of DAC's own modules. */
export function dacContents(source: TensorSource, options: { config?: string }, parts: ModelParts): Contents {
  const tensors = canonicalNames(source)
  readConfig(tensors, options.config)
  return contents(tensors, parts)
}

/** Reads the weights out of `source` into `region`. `config`: a config.json, for checkpoints that are not a released one. */
export function loadDac(
  region: Region,
  source: TensorSource,
  options: { config?: string } & StorageOptions,
): Promise<Model> {
  const tensors = canonicalNames(source)
  const config = readConfig(tensors, options.config)
  const frames = wholeFrames(config.hopLength)
  return loadDacFamily(region, tensors, options, {
    family: 'dac',
    config,
    matrices: DAC_MATRICES,
    before: ['whole frames', frames],
    behind: ['whole frames', frames],
    encoderLookahead: encoderReach(config),
    decoderLookahead: decoderReach(config),
  })
}
