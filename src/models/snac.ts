// SNAC (Siuzdak et al., 2024): DAC's layers with depthwise convolutions, and codebooks of several rates.
//
//   samples [T, 1] -> conv k7 -> (three residual units, Snake, strided conv) x 4 [-> local attention] -> depthwise k7 -> quantizer
//   codes -> sum of projected entries -> depthwise k7 -> conv k1 [-> local attention]
//         -> (Snake, transposed conv[, noise], three units) x 4 -> Snake -> conv k7, tanh
//
// 24 kHz: codes of 4, 2 and 1 frames, 11.7, 23.4 and 46.9 a second; 32 and 44.1 kHz: of 8, 4, 2 and 1, with attention over 32 frames.
// The decoder was trained with noise of its own. Without it, the same tokens are the same audio: that is the default here.
import type { Region } from '../../bindings/memory.js'
import type { TensorSource } from '../checkpoints/source.js'
import { ConfigError } from '../errors.js'
import { wholeFrames } from '../nn/whole_frames.js'
import { checkStrides } from '../strides.js'
import { knownRate, readTensors } from './dac_config.js'
import { decoderReach, encoderReach } from './dac_layers.js'
import { type DacFamily, dacContents, loadDacFamily } from './dac_model.js'
import { Given } from './given.js'
import type { Model } from './model.js'
import type { Contents, ModelParts, ReducibleMatrices, StorageOptions } from './storage.js'

/** All matrices but those of single channels, which are small, and the quantizer's. */
export const SNAC_MATRICES: ReducibleMatrices = {
  encoder: /^encoder\.block\.\d+\.(?:block\.(?:\d\.block\.3|4)|to_qkv|to_out)\.weight$/,
  decoder: /^decoder\.model\.(?:1|\d+\.(?:block\.(?:1|\d\.block\.3|2\.linear)|to_qkv|to_out))\.weight$/,
}

/** Rates of the published models by their hop: 44.1 kHz has strides 3, 3, 7, 7. */
const PUBLISHED: Readonly<Record<number, number>> = { 512: 24_000, 384: 32_000, 441: 44_100 }
const WINDOW = 32
const MOST_WINDOW = 1024

export interface SnacOptions {
  config?: string
  /** Seed of the noise that the decoder adds, a whole number. Default: none. */
  noise?: number
}

function readConfig(source: TensorSource, text: string | undefined): DacFamily['config'] {
  const found = readTensors(source)
  const given = new Given(text ?? source.metadata.config, 'a SNAC')
  given.expect({
    encoder_rates: found.ratios,
    encoder_dim: found.filters,
    codebook_size: found.codebookSize,
    codebook_dim: found.codeDim,
  })
  const { hasAttention, codebooks, hopLength } = found
  const coarsest = 2 ** (codebooks - 1)
  const strides =
    given.numbers('vq_strides') ?? Array.from({ length: codebooks }, (_, i) => coarsest / 2 ** i)
  checkStrides(strides, codebooks, ConfigError)
  return {
    ...found,
    wholeStrides: true,
    attentionWindow: hasAttention ? readWindow(given) : undefined,
    strides,
    sampleRate: knownRate(given.number('sampling_rate'), PUBLISHED[hopLength]),
  }
}

function readWindow(given: Given): number {
  const window = given.number('attn_window_size') ?? WINDOW
  if (Number.isInteger(window) && window <= MOST_WINDOW) return window
  throw new ConfigError(
    `attn_window_size is ${window} in the configuration; expected a whole number up to ${MOST_WINDOW}`,
  )
}

/** Both halves, or the one named, and the codebooks. */
export function snacContents(tensors: TensorSource, options: SnacOptions, parts: ModelParts): Contents {
  readConfig(tensors, options.config)
  return dacContents(tensors, parts)
}

/** Reads the weights out of `tensors` into `region`. `config`: a config.json, for checkpoints that are not a released one. */
export function loadSnac(
  region: Region,
  tensors: TensorSource,
  options: SnacOptions & StorageOptions,
): Promise<Model> {
  const config = readConfig(tensors, options.config)
  if (options.noise !== undefined && !Number.isInteger(options.noise))
    throw new ConfigError(`the seed of the noise is ${options.noise}; expected a whole number`)
  const { strides, attentionWindow = 1, hopLength } = config
  const group = Math.max(...strides)
  return loadDacFamily(region, tensors, options, {
    family: 'snac',
    config,
    matrices: SNAC_MATRICES,
    before: ['whole frames', wholeFrames(hopLength * leastCommonMultiple(group, attentionWindow))],
    noiseSeed: options.noise,
    encoderLookahead: encoderReach(config, group),
    decoderLookahead: decoderReach(config),
  })
}

function leastCommonMultiple(a: number, b: number): number {
  let multiple = a
  while (multiple % b) multiple += a
  return multiple
}
