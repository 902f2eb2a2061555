// Language-Codec (Ji et al., 2024): WavTokenizer's encoder, eight codebooks of which the first three see a third of the channels each,
// and Vocos' decoder with nothing in between, which is why it streams.
//
//   samples [T, 1] -> SEANet encoder with LSTM -> masked residual quantizer [L, codebooks]
//   codes [L, codebooks] -> sum of entries -> conv k7 -> norm -> ConvNeXt x 12 -> norm -> head -> inverse STFT [L * hop, 1]
import type { Region } from '../../bindings/memory.js'
import type { TensorSource } from '../checkpoints/source.js'
import { WeightReader } from '../checkpoints/weights.js'
import { maskedSearch } from '../nn/masked_quantizer.js'
import { ResidualQuantizer } from '../nn/residual_quantizer.js'
import { pipeline } from '../nn/rows.js'
import type { Model } from './model.js'
import { type Named, Parts } from './parts.js'
import { pushCodes } from './push_codes.js'
import { seanetLookahead } from './seanet.js'
import {
  type Contents,
  type ModelParts,
  needed,
  type ReducibleMatrices,
  Storage,
  type StorageOptions,
} from './storage.js'
import { readVocos, vocosLookahead } from './vocos_trunk.js'
import { readEncoder, WAVTOKENIZER_MATRICES } from './wavtokenizer.js'
import { readConfig, type WavTokenizerOptions } from './wavtokenizer_config.js'
import { CODEBOOK, ENCODER } from './wavtokenizer_names.js'

/** As WavTokenizer's, whose names these are. */
export const LANGUAGECODEC_MATRICES: ReducibleMatrices = WAVTOKENIZER_MATRICES

// Not the discriminators, EnCodec's unused decoder, the statistics of training, and buffers that are computed here.
const USED = new RegExp(`^(?:${ENCODER}|backbone|head\\.out)\\.|\\._codebook\\.embed$`)

type Half = 'encoder' | 'decoder'

function halfOf(name: string): Half | undefined {
  if (name.startsWith(`${ENCODER}.`)) return 'encoder'
  return name.endsWith('._codebook.embed') ? undefined : 'decoder'
}

function codebookName(layer: number): string {
  return CODEBOOK.replace('0', String(layer))
}

/** Both halves, or the one named, and the codebooks. */
export function languageCodecContents(
  tensors: TensorSource,
  options: WavTokenizerOptions,
  parts: ModelParts,
): Contents {
  readConfig(tensors, options)
  const isWanted = (name: string) =>
    USED.test(name) && (parts === 'both' || [parts, undefined].includes(halfOf(name)))
  return { tensors, names: tensors.names().filter(isWanted) }
}

/** Reads the weights out of `tensors` into `region`. `config`: a published YAML, for what shapes cannot tell. */
export async function loadLanguageCodec(
  region: Region,
  tensors: TensorSource,
  options: WavTokenizerOptions & StorageOptions,
): Promise<Model> {
  const storage = new Storage(region, LANGUAGECODEC_MATRICES, options, tensors.metadata)
  const config = readConfig(tensors, { ...options, config: options.config ?? tensors.metadata.config })
  const wants = (half: Half) => storage.wants(half) && config[half] !== undefined
  const reader = new WeightReader(tensors, {
    strict: true,
    ignore: tensors.names().filter(name => {
      const half = halfOf(name)
      return !USED.test(name) || (half && !wants(half))
    }),
    storedAs: storage.storedAs,
  })
  const parts = new Parts(storage, reader)
  const { codebookSize, codebookDim, sampleRate, hopLength } = config
  const encoder = wants('encoder') ? await readEncoder(parts, config.encoder!) : undefined
  const books: Float32Array[] = []
  for (let layer = 0; tensors.has(codebookName(layer)); layer++)
    books.push(await parts.tensor(codebookName(layer), [codebookSize, codebookDim]))
  const quantizer = new ResidualQuantizer(region, books, codebookSize, codebookDim)
  const [decoder] = wants('decoder')
    ? await readVocos(parts, codebookDim, config.decoder!, config)
    : [undefined]
  reader.finish()
  const decoded = (count: number): Named[] => [
    ['quantized', quantizer.lookup(count)],
    ...needed(decoder, 'decoder'),
  ]
  const streaming: NonNullable<Model['decoder']> = (local, sink, probe, count = books.length) =>
    pipeline(local, decoded(count), sink, probe)
  return {
    info: {
      family: 'languagecodec',
      sampleRate,
      hopLength,
      codebookSizes: new Array<number>(books.length).fill(codebookSize),
      codebookDim,
      parameters: reader.parameters,
      dtype: storage.dtype,
      encoderDtype: storage.encoderDtype,
      canEncode: Boolean(encoder),
      canDecode: Boolean(decoder),
      encoderLookahead: config.encoder && seanetLookahead(config.encoder),
      decoderLookahead: config.decoder && vocosLookahead(config.decoder, config),
      config: { ...config },
    },
    encoder: (local, sink, probe) =>
      pipeline(local, [...needed(encoder, 'encoder'), ['codes', maskedSearch(quantizer)]], sink, probe),
    features: (local, sink, probe) => pipeline(local, needed(encoder, 'encoder'), sink, probe),
    lookup: (local, sink, count = books.length) => quantizer.lookup(count).open(local, sink),
    decoder: streaming,
    synthesis: (local, sink, probe) => pipeline(local, needed(decoder, 'decoder'), sink, probe),
    decode: (local, codes, frames, sink, probe, count = books.length) =>
      pushCodes(local, codes, frames, count, streaming(local, sink, probe, count)),
  }
}
