// EnCodec (Défossez et al., 2022): SEANet with LSTM on both sides of a residual quantizer.
//
//   samples [T, 1] -> conv k7 -> (residual block, ELU, strided conv) x 4 -> LSTM + skip, ELU -> conv k7
//                  -> residual quantizer [L, codebooks]
//   codes [L, codebooks] -> sum of entries -> conv k7 -> LSTM + skip, ELU -> (transposed conv, residual block, ELU) x 4
//                  -> conv k7 [L * hop, 1]
//
// The first codebooks alone are a code of lower bitrate: of the 24 kHz model 2, 4, 8, 16 and 32 are 1.5 to 24 kbit/s.
// That model is causal. Only its first frames need later ones, which reflection puts in front of them.
//
// The 48 kHz model is stereo and normalizes over all of its input, which is therefore cut: segments of 1 s that overlap by 1 %, each
// brought to one level, which goes with its codes, and cross-faded again behind the decoder.
import type { Region } from '../../bindings/memory.js'
import type { TensorSource } from '../checkpoints/source.js'
import { WeightReader } from '../checkpoints/weights.js'
import { ResidualQuantizer } from '../nn/residual_quantizer.js'
import { pipeline } from '../nn/rows.js'
import { type SegmentShape, segmentDecoder, segmentEncoder } from '../nn/segments.js'
import { chain } from '../nn/whole_norm.js'
import { canonicalNames, codebookName, type EncodecConfig, type Half, readConfig } from './encodec_config.js'
import type { Model, ModelInfo } from './model.js'
import { type Named, Parts } from './parts.js'
import { pushCodes } from './push_codes.js'
import { SeanetReader, seanetLookahead } from './seanet.js'
import {
  type Contents,
  type ModelParts,
  needed,
  type ReducibleMatrices,
  Storage,
  type StorageOptions,
} from './storage.js'

/** All matrices but those of single channels, which are small, and the LSTM's recurrent one, which its kernel reads as f32. */
export const ENCODEC_MATRICES: ReducibleMatrices = {
  encoder: /^encoder\.layers\.(?!0\.)(?:.+\.conv\.weight|\d+\.lstm\.weight_ih_l\d+(?:_reverse)?)$/,
  decoder: /^decoder\.layers\.(?!1[45]\.)(?:.+\.conv\.weight|\d+\.lstm\.weight_ih_l\d+)$/,
}

const USED = /^(?:encoder|decoder)\.layers\.|\.codebook\.embed$/ // not the statistics of training

function halfOf(name: string): Half | undefined {
  return (['encoder', 'decoder'] as const).find(half => name.startsWith(`${half}.`))
}

/** Both halves, or the one named, and the codebooks, under transformers' names. */
export function encodecContents(
  source: TensorSource,
  options: { config?: string },
  parts: ModelParts,
): Contents {
  const tensors = canonicalNames(source)
  readConfig(tensors, options.config ?? source.metadata.config)
  return seanetCodecContents(tensors, parts)
}

/** The same of any family of these layers, whose tensors have EnCodec's names in transformers. */
export function seanetCodecContents(tensors: TensorSource, parts: ModelParts): Contents {
  const isWanted = (name: string) =>
    USED.test(name) && (parts === 'both' || [parts, undefined].includes(halfOf(name)))
  return { tensors, names: tensors.names().filter(isWanted) }
}

/** Reads the weights out of `source` into `region`. `config`: a config.json, for checkpoints that are not a released one. */
export async function loadEncodec(
  region: Region,
  source: TensorSource,
  options: { config?: string } & StorageOptions,
): Promise<Model> {
  const tensors = canonicalNames(source)
  const config = readConfig(tensors, options.config ?? source.metadata.config)
  return loadSeanetCodec(region, tensors, options, config, 'encodec')
}

/** The same of any family of these layers, whose tensors have EnCodec's names in transformers. */
export async function loadSeanetCodec(
  region: Region,
  tensors: TensorSource,
  options: StorageOptions,
  config: EncodecConfig,
  family: string,
): Promise<Model> {
  const storage = new Storage(region, ENCODEC_MATRICES, options, tensors.metadata)
  const wants = (half: Half) => storage.wants(half) && tensors.has(`${half}.layers.0.conv.bias`)
  const reader = new WeightReader(tensors, {
    strict: true,
    ignore: tensors.names().filter(name => {
      const half = halfOf(name)
      return !USED.test(name) || (half && !wants(half))
    }),
    storedAs: storage.storedAs,
  })
  const parts = new Parts(storage, reader)
  const seanet = (half: Half) => {
    const prefix = `${half}.layers`
    return new SeanetReader(parts, config, { prefix, conv: '.conv', stage: prefix })
  }
  const encoder = wants('encoder') ? await seanet('encoder').encoder() : undefined
  const quantizer = await readQuantizer(parts, config)
  const decoder = wants('decoder') ? await seanet('decoder').decoder() : undefined
  reader.finish()
  const { codebooks } = config
  const shape = segmentShape(config)
  const whole = (layers: Named[]) => chain(...layers.map(([, layer]) => layer))
  const encoded = (last: Named[], scaled: boolean): Named[] => {
    const layers: Named[] = [...needed(encoder, 'encoder'), ...last]
    return shape ? [['segments', segmentEncoder(shape, whole(layers), scaled)]] : layers
  }
  const width = (count: number) => count + Number(shape !== undefined)
  const decoded = (count: number): Named[] => {
    const layers: Named[] = [
      ['quantized', quantizer.lookup(count, width(count))],
      ...needed(decoder, 'decoder'),
    ]
    return shape ? [['segments', segmentDecoder(shape, whole(layers), width(count))]] : layers
  }
  const streaming: NonNullable<Model['decoder']> = (local, sink, probe, count = codebooks) =>
    pipeline(local, decoded(count), sink, probe)
  return {
    info: {
      ...describe(config, family),
      parameters: reader.parameters,
      dtype: storage.dtype,
      encoderDtype: storage.encoderDtype,
      canEncode: Boolean(encoder),
      canDecode: Boolean(decoder),
    },
    encoder: (local, sink, probe) =>
      pipeline(local, encoded([['codes', quantizer.search]], true), sink, probe),
    features: (local, sink, probe) => pipeline(local, encoded([], false), sink, probe),
    lookup: (local, sink, count = codebooks) => quantizer.lookup(count, width(count)).open(local, sink),
    decoder: streaming,
    // frames alone do not say the level of their segment
    synthesis: shape
      ? undefined
      : (local, sink, probe) => pipeline(local, needed(decoder, 'decoder'), sink, probe),
    decode: (local, codes, frames, sink, probe, count = codebooks) =>
      pushCodes(local, codes, frames, width(count), streaming(local, sink, probe, count)),
  }
}

function segmentShape({ segment, channels, sampleRate, hopLength }: EncodecConfig): SegmentShape | undefined {
  if (!segment) return undefined
  const length = Math.floor(segment.seconds * sampleRate)
  const stride = Math.max(1, Math.floor((1 - segment.overlap) * length))
  return { channels, length, stride, hop: hopLength }
}

async function readQuantizer(parts: Parts, config: EncodecConfig): Promise<ResidualQuantizer> {
  const { codebooks, codebookSize, dimension } = config
  const books: Float32Array[] = []
  for (let layer = 0; layer < codebooks; layer++)
    books.push(await parts.tensor(codebookName(layer), [codebookSize, dimension]))
  return new ResidualQuantizer(parts.region, books, codebookSize, dimension)
}

function describe(config: EncodecConfig, family: string) {
  const { sampleRate, hopLength, codebooks, codebookSize, dimension, channels } = config
  const segment = segmentShape(config)
  return {
    family,
    sampleRate,
    ...(channels > 1 && { channels }),
    ...(segment && { segmentFrames: Math.ceil(segment.length / hopLength) }),
    hopLength,
    codebookSizes: new Array<number>(codebooks).fill(codebookSize),
    codebookDim: dimension,
    encoderLookahead: encoderLookahead(config),
    decoderLookahead: decoderLookahead(config),
    config: { ...config },
  } satisfies Partial<ModelInfo>
}

/** Causal: of the first frame, in front of which reflection puts the next ones; later frames need none. */
function encoderLookahead(config: EncodecConfig): number | undefined {
  const segment = segmentShape(config)
  if (segment) return segment.length - config.hopLength
  if (config.bidirectional) return undefined
  return config.causal ? (config.lastKernel - 1) * config.hopLength : seanetLookahead(config)
}

/** Samples by which audio lags its frame: each layer's right side, from the samples back to the frame; causal: as above. */
function decoderLookahead(config: EncodecConfig): number {
  const { ratios, kernel, lastKernel, residualKernel, causal, hopLength } = config
  const segment = segmentShape(config)
  if (segment) return Math.ceil(segment.length / hopLength) * hopLength // what overlaps its end
  if (causal) return (kernel - 1) * hopLength
  let last = lastKernel >> 1
  for (const ratio of ratios) last = Math.ceil((last + (residualKernel >> 1) + Math.ceil(ratio / 2)) / ratio)
  return (last + (kernel >> 1)) * hopLength
}
