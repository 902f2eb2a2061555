// The graph that DAC and SNAC share.
import type { Region } from '../../bindings/memory.js'
import type { TensorSource } from '../checkpoints/source.js'
import { WeightReader } from '../checkpoints/weights.js'
import { pipeline } from '../nn/rows.js'
import { halfOf, hasDecoder, hasEncoder } from './dac_config.js'
import { DacReader, type DacShape, type FvqShape, isNoise } from './dac_layers.js'
import type { Model } from './model.js'
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

/** In what the two differ. */
export interface DacFamily {
  family: string
  config: DacShape & FvqShape & { sampleRate: number; hopLength: number }
  matrices: ReducibleMatrices
  /** What completes the samples in front of the encoder, and the audio behind the decoder. */
  before: Named
  behind?: Named
  /** Seed of the decoder's noise; absent: none. */
  noiseSeed?: number
  encoderLookahead: number
  decoderLookahead: number
}

// Not a buffer that is computed here.
const USED = /^(?:encoder|decoder|quantizer)\.(?!.*\.rel_pos\.inv_freq$)/

/** @internal Both halves, or the one named, and the codebooks. */
export function dacContents(tensors: TensorSource, parts: ModelParts): Contents {
  const isWanted = (name: string) =>
    USED.test(name) && (parts === 'both' || [parts, undefined].includes(halfOf(name)))
  return { tensors, names: tensors.names().filter(isWanted) }
}

/** @internal Reads the weights out of canonically named `tensors` into `region`. */
export async function loadDacFamily(
  region: Region,
  tensors: TensorSource,
  options: StorageOptions,
  about: DacFamily,
): Promise<Model> {
  const { config, noiseSeed, before, behind } = about
  const storage = new Storage(region, about.matrices, options, tensors.metadata)
  const wants = {
    encoder: storage.wants('encoder') && hasEncoder(tensors),
    decoder: storage.wants('decoder') && hasDecoder(tensors),
  }
  const isIgnored = (name: string) => {
    const half = halfOf(name)
    return !USED.test(name) || (noiseSeed === undefined && isNoise(name)) || (half && !wants[half])
  }
  const ignore = tensors.names().filter(isIgnored)
  const reader = new WeightReader(tensors, { strict: true, ignore, storedAs: storage.storedAs })
  const layers = new DacReader(new Parts(storage, reader), config)
  const encoder = wants.encoder ? [before, ...(await layers.encoder())] : undefined
  const quantizer = await layers.quantizer(config)
  const decoder = wants.decoder ? await layers.decoder(noiseSeed) : undefined
  reader.finish()
  const { codebooks, codebookSize, sampleRate, hopLength, dimension, strides } = config
  const synthesis = () => [...needed(decoder, 'decoder'), ...(behind ? [behind] : [])]
  const streaming: NonNullable<Model['decoder']> = (local, sink, probe, count = codebooks) =>
    pipeline(local, [['quantized', quantizer.lookup(count)], ...synthesis()], sink, probe)
  return {
    info: {
      family: about.family,
      sampleRate,
      hopLength,
      codebookSizes: new Array<number>(codebooks).fill(codebookSize),
      strides: strides.some(stride => stride > 1) ? strides : undefined,
      codebookDim: dimension,
      parameters: reader.parameters,
      dtype: storage.dtype,
      encoderDtype: storage.encoderDtype,
      canEncode: Boolean(encoder),
      canDecode: Boolean(decoder),
      encoderLookahead: about.encoderLookahead,
      decoderLookahead: about.decoderLookahead,
      config: { ...config, noiseSeed },
    },
    encoder: (local, sink, probe) =>
      pipeline(local, [...needed(encoder, 'encoder'), ['codes', quantizer.search]], sink, probe),
    features: (local, sink, probe) => pipeline(local, needed(encoder, 'encoder'), sink, probe),
    lookup: (local, sink, count = codebooks) => quantizer.lookup(count).open(local, sink),
    decoder: streaming,
    synthesis: (local, sink, probe) => pipeline(local, synthesis(), sink, probe),
    decode: (local, codes, frames, sink, probe, count = codebooks) =>
      pushCodes(local, codes, frames, count, streaming(local, sink, probe, count)),
  }
}
