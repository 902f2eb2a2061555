// WavTokenizer (Ji et al., 2024): SEANet encoder with LSTM, one codebook, and a Vocos-like decoder with attention and inverse FFT.
//
//   samples [T, 1] -> conv k7 -> (residual block, ELU, strided conv) x 4 -> LSTM + skip, ELU -> conv k7 -> nearest codeword [L, 1]
//   codes [L, 1] -> codebook -> conv k7 -> pos_net (residual blocks, attention, group norm over the clip) -> norm -> ConvNeXt x 12
//                -> norm -> head -> inverse STFT [L * hop, 1]
//
// Sizes come from the tensors' shapes; a configuration only has to say what shapes cannot (see wavtokenizer_config.ts).
import { Activation } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import type { TensorSource } from '../checkpoints/source.js'
import { WeightReader } from '../checkpoints/weights.js'
import { ClipAttention } from '../nn/attention.js'
import { Clip } from '../nn/clip.js'
import { type Conv1d, zeroPadding } from '../nn/conv1d.js'
import type { GroupNorm } from '../nn/norm.js'
import { VectorQuantizer } from '../nn/quantizer.js'
import { ClipResnetBlock, normalisedInto } from '../nn/resnet.js'
import { type Layer, type Probe, pipeline, type RowSink } from '../nn/rows.js'
import type { Model, ModelInfo } from './model.js'
import { type Named, Parts } from './parts.js'
import { SeanetReader, seanetLookahead } from './seanet.js'
import {
  type Contents,
  type ModelParts,
  needed,
  type ReducibleMatrices,
  Storage,
  type StorageOptions,
} from './storage.js'
import { readEmbed, readHead, readTrunks, VOCOS_EPS } from './vocos_trunk.js'
import {
  type EncoderConfig,
  readConfig,
  type WavTokenizerConfig,
  type WavTokenizerOptions,
} from './wavtokenizer_config.js'
import { CODEBOOK, canonicalNames, ENCODER } from './wavtokenizer_names.js'

// A training checkpoint also holds discriminators, EnCodec's unused decoder, EMA statistics and buffers that are computed here.
const USED = new RegExp(`^(${ENCODER}|backbone|head\\.out)\\.`)

/** All matrices but the first convolution's, which is small, and the LSTM's recurrent one, which its kernel reads as f32. */
export const WAVTOKENIZER_MATRICES: ReducibleMatrices = {
  encoder: new RegExp(`^${ENCODER}\\.(?!0\\.).*(\\.conv\\.conv\\.weight|\\.lstm\\.weight_ih_l\\d+)$`),
  decoder:
    /^backbone\.(embed|pos_net\.\d+\.(conv\d|q|k|v|proj_out)|convnext\.\d+\.pwconv\d)\.weight$|^head\.out\.weight$/,
}

interface Decoder {
  embed: Conv1d
  posNet: readonly (ClipResnetBlock | ClipAttention)[]
  posNetNorm: GroupNorm
  norm: Named
  trunk: readonly Named[]
  head: readonly Named[]
}

/** The encoder, the codebook and the decoder, or the parts named, under upstream's names. */
export function wavTokenizerContents(
  source: TensorSource,
  options: WavTokenizerOptions,
  parts: ModelParts,
): Contents {
  const tensors = canonicalNames(source)
  readConfig(tensors, options)
  const isWanted = (name: string) =>
    name === CODEBOOK || (USED.test(name) && (parts === 'both' || parts === partOf(name)))
  return { tensors, names: tensors.names().filter(isWanted) }
}

/** Reads the weights out of `source` into `region`. `config`: a published YAML, for what shapes cannot tell. */
export async function loadWavTokenizer(
  region: Region,
  source: TensorSource,
  options: WavTokenizerOptions & StorageOptions,
): Promise<Model> {
  const storage = new Storage(region, WAVTOKENIZER_MATRICES, options, source.metadata)
  const tensors = canonicalNames(source)
  const { family, config: kept } = source.metadata // of a converted file
  const ownConfig = family === 'wavtokenizer' ? kept : undefined
  const config = readConfig(tensors, { ...options, config: options.config ?? ownConfig })
  const reader = new WeightReader(tensors, {
    strict: true,
    ignore: tensors.names().filter(name => !USED.test(name) || !storage.wants(partOf(name))),
    storedAs: storage.storedAs,
  })
  const wanted = (part: 'encoder' | 'decoder') => storage.wants(part) && config[part]
  const parts = new Parts(storage, reader)
  const encoder = wanted('encoder') ? await readEncoder(parts, config.encoder!) : undefined
  const { codebookSize, codebookDim } = config
  const codebook = await reader.tensor(CODEBOOK, [codebookSize, codebookDim])
  const decoder = wanted('decoder') ? await readDecoder(parts, config) : undefined
  reader.finish()
  return assemble(
    config,
    { parameters: reader.parameters, dtype: storage.dtype, encoderDtype: storage.encoderDtype },
    encoder,
    new VectorQuantizer(region, codebook, codebookSize, codebookDim, Boolean(encoder)),
    decoder,
  )
}

function partOf(name: string): 'encoder' | 'decoder' {
  return name.startsWith(`${ENCODER}.`) ? 'encoder' : 'decoder'
}

type Held = Pick<ModelInfo, 'parameters' | 'dtype' | 'encoderDtype'>

function assemble(
  config: WavTokenizerConfig,
  held: Held,
  encoder: readonly Named[] | undefined,
  quantizer: VectorQuantizer,
  decoder: Decoder | undefined,
): Model {
  return {
    info: describe(config, held, Boolean(encoder), Boolean(decoder)),
    features: (region, sink, probe) => pipeline(region, needed(encoder, 'encoder'), sink, probe),
    encoder: (region, sink, probe) =>
      pipeline(region, [...needed(encoder, 'encoder'), ['codes', quantizer]], sink, probe),
    lookup: (region, sink) => quantizer.lookup.open(region, sink),
    decode: (region, codes, frames, sink, probe) =>
      decodeClip(needed(decoder, 'decoder'), quantizer, region, codes, frames, sink, probe),
  }
}

function describe(config: WavTokenizerConfig, held: Held, canEncode: boolean, canDecode: boolean): ModelInfo {
  const { sampleRate, hopLength, codebookSize, codebookDim } = config
  return {
    family: 'wavtokenizer',
    sampleRate,
    hopLength,
    codebookSizes: [codebookSize],
    codebookDim,
    ...held,
    canEncode,
    canDecode,
    encoderLookahead: config.encoder && seanetLookahead(config.encoder),
    config: { ...config },
  }
}

/** Upstream's modules under `encoder.model`, as its relatives have them too. */
export function readEncoder(parts: Parts, config: EncoderConfig): Promise<Named[]> {
  const shape = { ...config, channels: 1, shortcut: true, causal: false, padding: 'reflect' } as const
  const names = { prefix: ENCODER, conv: '.conv.conv', stage: 'encoder.model' }
  return new SeanetReader(parts, shape, names).encoder()
}

async function readDecoder(parts: Parts, config: WavTokenizerConfig): Promise<Decoder> {
  const { dim, groups } = config.decoder!
  const conv = (name: string) =>
    parts.winograd(`backbone.pos_net.${name}`, { inputs: dim, outputs: dim, padding: zeroPadding(3) })
  const groupNorm = (name: string) => parts.groupNorm(`backbone.pos_net.${name}`, dim, groups, VOCOS_EPS)
  const projection = (name: string) => parts.linear(`backbone.pos_net.${name}`, dim, dim, 1)
  const resnet = async (i: number) =>
    new ClipResnetBlock(
      await groupNorm(`${i}.norm1`),
      await conv(`${i}.conv1`),
      await groupNorm(`${i}.norm2`),
      await conv(`${i}.conv2`),
    )
  const attention = async (i: number) =>
    new ClipAttention(
      await groupNorm(`${i}.norm`),
      await projection(`${i}.q`),
      await projection(`${i}.k`),
      await projection(`${i}.v`),
      await projection(`${i}.proj_out`),
    )
  const embed = await readEmbed(parts, config.codebookDim, config.decoder!)
  const posNet = [await resnet(0), await resnet(1), await attention(2), await resnet(3), await resnet(4)]
  const posNetNorm = await groupNorm('5')
  const [[norm, ...trunk]] = await readTrunks(parts, config.decoder!)
  return { embed, posNet, posNetNorm, norm, trunk, head: await readHead(parts, dim, config) }
}

// Shares of the time of decoding: each of pos_net's five modules, and all ConvNeXt blocks.
const EMBED_SHARE = 0.05
const POS_NET_SHARE = 0.04
const TRUNK_FROM = EMBED_SHARE + 5 * POS_NET_SHARE
const TRUNK_SHARE = 0.73

function* decodeClip(
  decoder: Decoder,
  quantizer: VectorQuantizer,
  region: Region,
  codes: number,
  frames: number,
  sink: RowSink,
  probe?: Probe,
): Generator<number> {
  const clip = new Clip(region, frames, decoder.embed.outputs)
  const opening = region.child()
  const embed = pipeline(
    opening,
    [
      ['quantized', quantizer.lookup],
      ['backbone.embed', decoder.embed],
    ],
    clip.writer(),
    probe,
  )
  const { heap } = region
  heap.i32(embed.reserve(frames), frames).set(heap.i32(codes, frames))
  embed.commit(frames)
  embed.end()
  opening.free()
  for (const [index, module] of decoder.posNet.entries()) {
    yield* progress(module.apply(region, clip), EMBED_SHARE + POS_NET_SHARE * index, POS_NET_SHARE)
    probe?.(`backbone.pos_net.${index}`, clip.pointer, frames, clip.channels)
  }
  const norm = pipeline(region, [['backbone.pos_net.5', passThrough], decoder.norm], clip.writer(), probe)
  yield* progress(normalisedInto(region, decoder.posNetNorm, clip, Activation.none, norm), TRUNK_FROM, 0)
  // layer after layer: a block's 14 MiB of weights are read once for the clip, and from the cache for all but its first rows
  const { trunk } = decoder
  for (const [index, [name, layer]] of trunk.entries()) {
    const from = TRUNK_FROM + (TRUNK_SHARE * index) / trunk.length
    yield* progress(clip.apply(region, layer), from, TRUNK_SHARE / trunk.length)
    probe?.(name, clip.pointer, frames, clip.channels)
  }
  const head = pipeline(region, decoder.head, sink, probe)
  yield* progress(clip.pushInto(head), TRUNK_FROM + TRUNK_SHARE, 1 - TRUNK_FROM - TRUNK_SHARE)
}

/** The shares of a part of the work as shares of the whole. */
function* progress(work: Generator<number>, from: number, share: number): Generator<number> {
  for (const done of work) yield from + share * done
}

/** Hands rows through, so that a probe can see them. */
const passThrough: Layer = { open: (_region, sink) => sink }
