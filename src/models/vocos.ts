// Vocos (Siuzdak, 2023): a vocoder. Of EnCodec's codes, which it plays better than EnCodec's own decoder does, or of log-mel frames.
//
//   codes [L, codebooks] -> sum of entries \
//   samples -> STFT magnitude -> mel -> log -> conv k7 -> norm -> ConvNeXt x 8 -> norm -> head -> inverse STFT [L * hop, 1]
import type { Region } from '../../bindings/memory.js'
import type { TensorSource } from '../checkpoints/source.js'
import { WeightReader } from '../checkpoints/weights.js'
import { CheckpointError, ConfigError } from '../errors.js'
import { melPoints, triangles } from '../nn/bands.js'
import { BandedMatrix, Stft } from '../nn/fourier.js'
import { LogScale } from '../nn/log_scale.js'
import { ResidualQuantizer } from '../nn/residual_quantizer.js'
import { pipeline } from '../nn/rows.js'
import type { Model, ModelInfo } from './model.js'
import { type Named, Parts } from './parts.js'
import { pushCodes } from './push_codes.js'
import {
  type Contents,
  type ModelParts,
  needed,
  type ReducibleMatrices,
  Storage,
  type StorageOptions,
} from './storage.js'
import { readVocos, vocosLookahead } from './vocos_trunk.js'
import { WAVTOKENIZER_MATRICES } from './wavtokenizer.js'
import { readConfig, type WavTokenizerConfig, type WavTokenizerOptions } from './wavtokenizer_config.js'

const CODEBOOKS = 'feature_extractor.codebook_weights'
/** Upstream's, of every codebook. */
const CODEBOOK_SIZE = 1024
/** What the mel frames' smallest magnitude counts as. */
const MEL_FLOOR = 1e-7

/** As in WavTokenizer's decoder, whose names these are. */
export const VOCOS_MATRICES: ReducibleMatrices = WAVTOKENIZER_MATRICES

const USED = /^(?:backbone|head\.out)\.|^feature_extractor\.codebook_weights$/ // windows and filters are computed here

/** The decoder and, where there are any, the codebooks. */
export function vocosContents(
  tensors: TensorSource,
  options: WavTokenizerOptions,
  parts: ModelParts,
): Contents {
  if (parts === 'encoder') throw new ConfigError('a Vocos has no encoder; leave `parts` out')
  readConfig(tensors, options, CODEBOOKS)
  return { tensors, names: tensors.names().filter(name => USED.test(name)) }
}

/** Reads the weights out of `tensors` into `region`. `config`: a published YAML, for what shapes cannot tell. */
export async function loadVocos(
  region: Region,
  tensors: TensorSource,
  options: WavTokenizerOptions & StorageOptions,
): Promise<Model> {
  if (options.parts === 'encoder') throw new ConfigError('a Vocos has no encoder; leave `parts` out')
  const storage = new Storage(region, VOCOS_MATRICES, options, tensors.metadata)
  const config = readConfig(
    tensors,
    { ...options, config: options.config ?? tensors.metadata.config },
    CODEBOOKS,
  )
  const { codebookDim, decoder: trunk } = config
  if (!trunk) throw new CheckpointError('the checkpoint has no backbone; this is not a complete Vocos')
  const reader = new WeightReader(tensors, {
    strict: true,
    ignore: tensors.names().filter(name => !USED.test(name)),
    storedAs: storage.storedAs,
  })
  const parts = new Parts(storage, reader)
  const all = Array.from({ length: Math.max(1, trunk.adanorm) }, (_, row) => row)
  const rows = options.bandwidthId === undefined ? all : [options.bandwidthId]
  const decoders = await readVocos(parts, codebookDim, trunk, config, rows)
  const books = await readCodebooks(parts, config)
  reader.finish()
  const held = {
    parameters: reader.parameters,
    dtype: storage.dtype,
    encoderDtype: storage.encoderDtype,
    decoderLookahead: vocosLookahead(trunk, config),
  }
  return books.length > 0
    ? codesModel(config, held, decoders, new ResidualQuantizer(region, books, CODEBOOK_SIZE, codebookDim))
    : melModel(config, held, decoders[0], melFrames(region, config))
}

type Held = Pick<ModelInfo, 'parameters' | 'dtype' | 'encoderDtype' | 'decoderLookahead'>

async function readCodebooks(parts: Parts, config: WavTokenizerConfig): Promise<Float32Array[]> {
  const { codebookSize: entries, codebookDim: dim } = config
  if (entries === 0) return []
  if (entries % CODEBOOK_SIZE !== 0)
    throw new CheckpointError(
      `${CODEBOOKS} has ${entries} rows; expected codebooks of ${CODEBOOK_SIZE} entries`,
    )
  const all = await parts.tensor(CODEBOOKS, [entries, dim])
  const length = CODEBOOK_SIZE * dim
  return Array.from({ length: entries / CODEBOOK_SIZE }, (_, book) =>
    all.subarray(book * length, (book + 1) * length),
  )
}

/** Decodes EnCodec's tokens. The tables' rows are 1.5, 3, 6 and 12 kbit/s: 2, 4, 8 and 16 codebooks. */
function codesModel(
  config: WavTokenizerConfig,
  held: Held,
  decoders: readonly Named[][],
  quantizer: ResidualQuantizer,
): Model {
  const codebooks = config.codebookSize / CODEBOOK_SIZE
  const decoderFor = (count: number) =>
    decoders.find((_, row) => count <= 2 ** (row + 1)) ?? decoders[decoders.length - 1]
  const streaming: NonNullable<Model['decoder']> = (region, sink, probe, count = codebooks) =>
    pipeline(region, [['quantized', quantizer.lookup(count)], ...decoderFor(count)], sink, probe)
  const unavailable = () => needed<never>(undefined, 'encoder')
  return {
    info: {
      ...describe(config, held, new Array<number>(codebooks).fill(CODEBOOK_SIZE)),
      canDecode: true,
      tokensOf: 'encodec',
    },
    encoder: unavailable,
    features: unavailable,
    lookup: (region, sink, count = codebooks) => quantizer.lookup(count).open(region, sink),
    decoder: streaming,
    decode: (region, codes, frames, sink, probe, count = codebooks) =>
      pushCodes(region, codes, frames, count, streaming(region, sink, probe, count)),
    synthesis: (region, sink, probe) => pipeline(region, decoderFor(codebooks), sink, probe),
  }
}

/** Knows no codes: from audio to log-mel frames, and from those to audio. */
function melModel(
  config: WavTokenizerConfig,
  held: Held,
  decoder: readonly Named[],
  frames: readonly Named[],
): Model {
  const unavailable = () => {
    throw new ConfigError('this Vocos plays mel frames and has no codes; use features() and synthesize()')
  }
  return {
    info: { ...describe(config, held, []), canDecode: false },
    encoder: unavailable,
    features: (region, sink, probe) => pipeline(region, frames, sink, probe),
    lookup: unavailable,
    decode: unavailable,
    synthesis: (region, sink, probe) => pipeline(region, decoder, sink, probe),
  }
}

function describe(config: WavTokenizerConfig, held: Held, codebookSizes: readonly number[]) {
  const { sampleRate, hopLength, codebookDim } = config
  return {
    family: 'vocos',
    sampleRate,
    hopLength,
    codebookSizes,
    codebookDim,
    ...held,
    canEncode: false,
    config: { ...config },
  }
}

/** torchaudio's MelSpectrogram as upstream sets it: magnitudes, HTK's scale up to half the sample rate, no area normalization. */
function melFrames(region: Region, config: WavTokenizerConfig): Named[] {
  const { sampleRate, nFft, hopLength, padding, codebookDim: mels } = config
  const bins = nFft / 2 + 1
  const filters = triangles(melPoints(mels + 2, sampleRate / 2), bins, sampleRate)
  return [
    ['magnitude', new Stft(region, { nFft, hopLength, padding, output: 'magnitude' })],
    ['mel', new BandedMatrix(region, filters, mels, bins)],
    ['log_mel', new LogScale(mels, MEL_FLOOR)],
  ]
}
