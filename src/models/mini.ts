// mini: the default model, ours. Log-mel frames and a source-filter synthesiser around one codebook; exactly streamable both ways.
//
//   samples [T, 1] -> STFT magnitude -> mel -> log -> stack -> nearest codeword [L, 1]
//   codes [L, 1] -> codebook -> stack -> band levels, pitch, harmonic shares [L, bands + 1 + shares] -> synthesiser [L * hop, 1]
//
//   stack: conv k7 (3 frames of look-ahead) -> norm -> left-padded ConvNeXt blocks -> norm -> linear
//
// The exact definition, with every constant, is training/SPEC.md; section numbers below are its.
import type { Region } from '../../bindings/memory.js'
import type { TensorSource } from '../checkpoints/source.js'
import { WeightReader } from '../checkpoints/weights.js'
import { CheckpointError, ConfigError } from '../errors.js'
import { melPoints, triangles } from '../nn/bands.js'
import { zeroPadding } from '../nn/conv1d.js'
import { BandedMatrix, Stft } from '../nn/fourier.js'
import { Linear } from '../nn/linear.js'
import { LogScale } from '../nn/log_scale.js'
import { VectorQuantizer } from '../nn/quantizer.js'
import { pipeline } from '../nn/rows.js'
import { Synthesizer, type SynthesizerConfig } from '../nn/synthesizer.js'
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

interface StackConfig {
  dim: number
  hidden: number
  blocks: number
  kernel: number
  embed_past: number
  embed_future: number
}

interface MiniConfig {
  sample_rate: number
  hop: number
  codebook_size: number
  codebook_dim: number
  norm_eps: number
  front_end: { n_fft: number; mels: number; f_max: number; floor: number; shift: number; scale: number }
  encoder: StackConfig
  decoder: StackConfig
  synth: SynthesizerConfig
}

/** True if the file says it is a `mini`. */
export function isMini(source: TensorSource): boolean {
  return source.metadata.family === 'mini'
}

/** All but the heads, which are small. */
export const MINI_MATRICES: ReducibleMatrices = {
  encoder: /^encoder\.(embed|blocks\.\d+\.pwconv\d)\.weight$/,
  decoder: /^decoder\.(embed|blocks\.\d+\.pwconv\d)\.weight$/,
}

/** Both stacks and the codebook, or the part named. */
export function miniContents(tensors: TensorSource, _options: unknown, parts: ModelParts): Contents {
  const stack = { both: '(?:encoder|decoder)', encoder: 'encoder', decoder: 'decoder' }[parts]
  const used = new RegExp(`^(?:${stack}\\.|quantizer\\.codebook$)`)
  return { tensors, names: tensors.names().filter(name => used.test(name)) }
}

/** Reads the weights out of `source` into `region`. */
export async function loadMini(
  region: Region,
  source: TensorSource,
  options: StorageOptions = {},
): Promise<Model> {
  const storage = new Storage(region, MINI_MATRICES, options, source.metadata)
  const config = readConfig(source)
  const { sample_rate: sampleRate, hop, codebook_size: size, codebook_dim: dim, synth } = config
  const reader = new WeightReader(source, {
    strict: true,
    ignore: (['encoder', 'decoder'] as const).filter(part => !storage.wants(part)).map(part => `${part}.`),
    storedAs: storage.storedAs,
  })
  const parts = new Parts(storage, reader)
  const controls = synth.bands + synth.aperiodicity_hz.length // bands, pitch, one share less than edges
  const { front_end, norm_eps } = config
  const encoderStack = storage.wants('encoder')
    ? await readStack(parts, 'encoder', config.encoder, front_end.mels, dim, norm_eps)
    : undefined
  const analysis = encoderStack && [...frontEnd(region, config), ...encoderStack]
  const codebook = await reader.tensor('quantizer.codebook', [size, dim])
  const stack = storage.wants('decoder')
    ? await readStack(parts, 'decoder', config.decoder, dim, controls, norm_eps)
    : undefined
  reader.finish()
  const quantizer = new VectorQuantizer(region, codebook, size, dim, Boolean(analysis))
  const synthesizer = stack && new Synthesizer(region, synth, sampleRate, hop)
  const synthesis: Named[] | undefined = synthesizer && [
    ['quantized', quantizer.lookup],
    ...stack,
    ['audio', synthesizer],
  ]
  const decoder: NonNullable<Model['decoder']> = (local, sink, probe) =>
    pipeline(local, needed(synthesis, 'decoder'), sink, probe)
  return {
    info: {
      family: 'mini',
      sampleRate,
      hopLength: hop,
      codebookSizes: [size],
      codebookDim: dim,
      parameters: reader.parameters,
      dtype: storage.dtype,
      encoderDtype: storage.encoderDtype,
      canEncode: Boolean(analysis),
      canDecode: Boolean(synthesis),
      encoderLookahead: config.encoder.embed_future * hop + (config.front_end.n_fft - hop) / 2,
      decoderLookahead: synthesizer && config.decoder.embed_future * hop + synthesizer.lookahead,
      config: { ...config },
    },
    encoder: (local, sink, probe) =>
      pipeline(local, [...needed(analysis, 'encoder'), ['codes', quantizer]], sink, probe),
    features: (local, sink, probe) => pipeline(local, needed(analysis, 'encoder'), sink, probe),
    lookup: (local, sink) => quantizer.lookup.open(local, sink),
    decoder,
    decode: (local, codes, frames, sink, probe) =>
      pushCodes(local, codes, frames, 1, decoder(local, sink, probe)),
  }
}

/** Section 1: log-mel frames. */
function frontEnd(region: Region, { front_end, hop, sample_rate }: MiniConfig): Named[] {
  const { n_fft: nFft, mels, f_max, floor, shift, scale } = front_end
  const bins = nFft / 2 + 1
  const filters = triangles(melPoints(mels + 2, f_max), bins, sample_rate)
  return [
    ['magnitude', new Stft(region, { nFft, hopLength: hop, padding: 'same', output: 'magnitude' })],
    ['mel', new BandedMatrix(region, filters, mels, bins)],
    ['log_mel', new LogScale(mels, floor, scale, -shift * scale)],
  ]
}

/** Section 2. */
async function readStack(
  parts: Parts,
  name: string,
  config: StackConfig,
  inputs: number,
  outputs: number,
  eps: number,
): Promise<Named[]> {
  const { dim, hidden, blocks, kernel, embed_past, embed_future } = config
  const taps = embed_past + 1 + embed_future
  const embed = { inputs, outputs: dim, kernel: taps, padding: zeroPadding(taps, embed_future) }
  const layers: Named[] = [
    [`${name}.embed`, await parts.conv(`${name}.embed`, embed)],
    [`${name}.norm`, await parts.layerNorm(`${name}.norm`, dim, eps)],
  ]
  for (let i = 0; i < blocks; i++) {
    const block = `${name}.blocks.${i}`
    const norm = await parts.layerNorm(`${block}.norm`, dim, eps)
    layers.push([block, await parts.convNeXt(block, { dim, hidden, kernel }, norm, zeroPadding(kernel, 0))])
  }
  layers.push([`${name}.final_norm`, await parts.layerNorm(`${name}.final_norm`, dim, eps)])
  layers.push([`${name}.head`, new Linear(await parts.linear(`${name}.head`, outputs, dim))])
  return layers
}

function readConfig(source: TensorSource): MiniConfig {
  const text = source.metadata.config
  if (!text)
    throw new CheckpointError(
      'a mini model carries its configuration in the file (metadata "config"); this one does not',
    )
  let config: MiniConfig
  try {
    config = JSON.parse(text)
  } catch (cause) {
    throw new ConfigError('the configuration in the file is not JSON', { cause })
  }
  const numbers = [
    config?.sample_rate,
    config?.hop,
    config?.codebook_size,
    config?.codebook_dim,
    config?.norm_eps,
  ]
  const parts = [config?.front_end, config?.encoder, config?.decoder, config?.synth]
  if (numbers.some(value => !(value > 0)) || parts.some(part => typeof part !== 'object'))
    throw new ConfigError(
      'the configuration in the file lacks parts of a mini model (sample_rate, hop, front_end, encoder, decoder, synth ...)',
    )
  return config
}
