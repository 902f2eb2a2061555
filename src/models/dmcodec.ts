// DM-Codec (Ahasan et al., 2024) and SpeechTokenizer (Zhang et al., 2023), whose files differ in nothing but their values: EnCodec's
// layers at 16 kHz, not causal, with an LSTM in the encoder that runs both ways.
//
//   samples [T, 1] -> conv k7 -> (residual block, ELU, strided conv) x 4 -> LSTM both ways + skip, ELU -> conv k7
//                  -> residual quantizer [L, codebooks]
//   codes [L, codebooks] -> as EnCodec decodes [L * hop, 1]
//
// Every token depends on the whole clip: tokens come when it ends, and the encoder holds 16 bytes per frame and channel of the LSTM
// until then, 0.8 MB per second of audio at the published size. The decoder streams. The first codebook was trained to follow meaning
// (what HuBERT, and in DM-Codec a language model, make of the words), the others the rest.
import type { Region } from '../../bindings/memory.js'
import type { TensorSource } from '../checkpoints/source.js'
import { type RenameRule, renamed } from '../checkpoints/views.js'
import { CheckpointError, ConfigError } from '../errors.js'
import { ENCODEC_MATRICES, loadSeanetCodec, seanetCodecContents } from './encodec.js'
import { canonicalNames, type EncodecConfig, readConfig as readShapes } from './encodec_config.js'
import { Given } from './given.js'
import type { Model } from './model.js'
import type { Contents, ModelParts, ReducibleMatrices, StorageOptions } from './storage.js'

/** As EnCodec's, whose names these become. */
export const DMCODEC_MATRICES: ReducibleMatrices = ENCODEC_MATRICES

// What the trainer's snapshots and its parallel modules put in front.
const WRAPPERS: readonly RenameRule[] = [
  ['generator.', ''],
  ['module.', ''],
]

/** Both halves, or the one named, and the codebooks, under EnCodec's names in transformers. */
export function dmCodecContents(
  source: TensorSource,
  options: { config?: string },
  parts: ModelParts,
): Contents {
  const tensors = namesOf(source)
  readConfig(tensors, options.config)
  return seanetCodecContents(tensors, parts)
}

/** Reads the weights out of `source` into `region`. `config`: the published config.json. */
export async function loadDmCodec(
  region: Region,
  source: TensorSource,
  options: { config?: string } & StorageOptions,
): Promise<Model> {
  const tensors = namesOf(source)
  const config = readConfig(tensors, options.config)
  await checkTrained(tensors, config.codebooks)
  return loadSeanetCodec(region, tensors, options, config, 'dmcodec')
}

function namesOf(source: TensorSource): TensorSource {
  return canonicalNames(renamed(source, WRAPPERS))
}

/** @throws ConfigError where the configuration contradicts the tensors or asks for what is not here, CheckpointError as EnCodec's */
function readConfig(tensors: TensorSource, text: string | undefined): EncodecConfig {
  const given = new Given(text ?? tensors.metadata.config, 'a DM-Codec or SpeechTokenizer')
  if (
    tensors.names().some(name => name.endsWith('.alpha')) ||
    given.choice('activation', { ELU: 0, Snake: 1 })
  )
    throw new ConfigError('this model was trained with Snake activations; this version runs those with ELU')
  const shapes = readShapes(tensors, undefined)
  const hasEncoder = tensors.has('encoder.layers.0.conv.bias')
  const bidirectional =
    !hasEncoder || tensors.names().some(name => name.endsWith('.lstm.weight_ih_l0_reverse'))
  given.expect({
    n_filters: shapes.filters,
    strides: shapes.ratios.toReversed(),
    dimension: shapes.dimension,
    bidirectional,
    lstm_layers: shapes.lstmLayers,
    residual_kernel_size: shapes.residualKernel,
    n_residual_layers: 1,
    codebook_size: shapes.codebookSize,
    n_q: shapes.codebooks,
  })
  const sampleRate = given.number('sample_rate') ?? 16_000
  if (!Number.isInteger(sampleRate))
    throw new ConfigError(`sample_rate is ${sampleRate}; expected a whole number of Hz`)
  return { ...shapes, bidirectional, causal: false, sampleRate }
}

/** A codebook that saw no data says so. */
async function checkTrained(tensors: TensorSource, codebooks: number): Promise<void> {
  for (let layer = 0; layer < codebooks; layer++) {
    const name = `quantizer.layers.${layer}.codebook.inited`
    if (tensors.has(name) && (await tensors.read(name))[0] === 0)
      throw new CheckpointError(`${name} is 0: codebook ${layer} was never trained; expected 1`)
  }
}
