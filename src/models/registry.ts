// The families this library knows, in the order in which they are recognised.
//
// What is here is in every bundle: names by which a family is recognised, and no more. Its code is imported where it is opened, which
// makes it a chunk that only its users load; mini, the default, is the exception. `npm run size` holds the bound.
import type { Region } from '../../bindings/memory.js'
import type { GgufLayout } from '../checkpoints/gguf-writer.js'
import type { TensorSource } from '../checkpoints/source.js'
import type { PlainWeights } from '../checkpoints/weights.js'
import { ConfigError } from '../errors.js'
import { isMini, loadMini, MINI_MATRICES, miniContents } from './mini.js'
import type { Model } from './model.js'
import type { Contents, ModelParts, ReducibleMatrices, StorageOptions } from './storage.js'
import { isWavTokenizer, SECOND_CODEBOOK } from './wavtokenizer_names.js'

/** What a caller may say about a model beside its tensors. */
export interface ModelOptions extends StorageOptions {
  /** Family, where it should not be recognised from the tensors' names. */
  model?: string
  /** Text of a published configuration file, where the family has one. */
  config?: string
  /** Seed of the noise that SNAC's decoder was trained to add, a whole number (default: none, so that tokens sound the same each time). */
  noise?: number
  /** Row of WavTokenizer's AdaLayerNorm tables, 0 to 3 (default 0, as in every published script; codes do not depend on it). */
  bandwidthId?: number
}

interface Family {
  /** The matrices that may be held in less than f32. */
  readonly matrices: ReducibleMatrices
  /** What of a checkpoint a file of this family needs. Throws ConfigError where the options contradict the tensors. */
  contents(source: TensorSource, options: ModelOptions, parts: ModelParts): Contents
  /** A decoder's tensors as llama.cpp has them, where it runs this family. */
  llamaLayout?(tensors: ReadonlyMap<string, PlainWeights>): GgufLayout
  /** Copies the weights into `region`. */
  load(region: Region, source: TensorSource, options: ModelOptions): Promise<Model>
}

interface Entry {
  /** True if these tensors are this family's. */
  recognises(source: TensorSource): boolean
  /** The family's code, loaded with its first model. */
  open(): Promise<Family>
}

/** A codebook that is searched in projected channels. */
const FACTORIZED = /^quantizer\.quantizers\.0\.in_proj\.bias$/

const FAMILIES: Readonly<Record<string, Entry>> = {
  mini: {
    recognises: isMini,
    open: async () => ({ matrices: MINI_MATRICES, contents: miniContents, load: loadMini }),
  },
  wavtokenizer: {
    recognises: isWavTokenizer,
    open: async () => {
      const { loadWavTokenizer, WAVTOKENIZER_MATRICES, wavTokenizerContents } = await import(
        './wavtokenizer.js'
      )
      const { llamaLayout } = await import('./wavtokenizer_llama.js')
      return {
        llamaLayout,
        matrices: WAVTOKENIZER_MATRICES,
        contents: wavTokenizerContents,
        load: loadWavTokenizer,
      }
    },
  },
  mimi: {
    // a half of it has one of the two, in transformers' or in Kyutai's spelling
    recognises: source =>
      has(
        source,
        /^quantizer\.(?:semantic_residual_vector_quantizer|rvq_first)\.(?:in|out)put_proj\.weight$/,
      ) && has(source, /^(?:(?:en|de)coder\.)?(?:down|up)sample\.conv/),
    open: async () => {
      const { loadMimi, MIMI_MATRICES, mimiContents } = await import('./mimi.js')
      return { matrices: MIMI_MATRICES, contents: mimiContents, load: loadMimi }
    },
  },
  dmcodec: {
    // before EnCodec, whose other names it has
    recognises: source =>
      source.metadata.family === 'dmcodec' ||
      has(source, /^(?:generator\.)?(?:module\.)?encoder\.model\.\d+\.lstm\.weight_ih_l0_reverse$/),
    open: async () => {
      const { DMCODEC_MATRICES, dmCodecContents, loadDmCodec } = await import('./dmcodec.js')
      return { matrices: DMCODEC_MATRICES, contents: dmCodecContents, load: loadDmCodec }
    },
  },
  encodec: {
    // transformers' spelling and EnCodec's own
    recognises: source =>
      has(source, /^quantizer\.(?:vq\.)?layers\.0\._?codebook\.embed$/) &&
      has(source, /^(?:en|de)coder\.(?:layers|model)\.\d+\.lstm\.weight_ih_l0$/),
    open: async () => {
      const { encodecContents, ENCODEC_MATRICES, loadEncodec } = await import('./encodec.js')
      return { matrices: ENCODEC_MATRICES, contents: encodecContents, load: loadEncodec }
    },
  },
  dac: {
    // Snake in front of the encoder's last convolution, which SNAC has not, in DAC's own spelling or transformers'
    recognises: source =>
      has(source, FACTORIZED) &&
      has(source, /^(?:encoder\.(?:block\.\d+\.alpha|snake1\.)|decoder\.(?:model\.1\.block\.0\.|snake1\.))/),
    open: async () => {
      const { DAC_MATRICES, dacContents, loadDac } = await import('./dac.js')
      return { matrices: DAC_MATRICES, contents: dacContents, load: loadDac }
    },
  },
  snac: {
    recognises: source =>
      has(source, FACTORIZED) && has(source, /^(?:encoder\.block|decoder\.model)\.0\.bias$/),
    open: async () => {
      const { loadSnac, SNAC_MATRICES, snacContents } = await import('./snac.js')
      return { matrices: SNAC_MATRICES, contents: snacContents, load: loadSnac }
    },
  },
  languagecodec: {
    recognises: source => source.has(SECOND_CODEBOOK),
    open: async () => {
      const { LANGUAGECODEC_MATRICES, languageCodecContents, loadLanguageCodec } = await import(
        './languagecodec.js'
      )
      return {
        matrices: LANGUAGECODEC_MATRICES,
        contents: languageCodecContents,
        load: loadLanguageCodec,
      }
    },
  },
  vocos: {
    // neither WavTokenizer's encoder nor what it put into the decoder
    recognises: source => source.has('backbone.convnext.0.pwconv1.weight') && source.has('head.out.weight'),
    open: async () => {
      const { loadVocos, VOCOS_MATRICES, vocosContents } = await import('./vocos.js')
      return { matrices: VOCOS_MATRICES, contents: vocosContents, load: loadVocos }
    },
  },
}

/** @internal In the order in which they are recognised. */
export const FAMILY_NAMES: readonly string[] = Object.keys(FAMILIES)

function has(source: TensorSource, pattern: RegExp): boolean {
  return source.names().some(name => pattern.test(name))
}

/** @internal Loads the family named, or the one the tensors belong to. Throws ConfigError where there is none. */
export async function loadModel(
  region: Region,
  source: TensorSource,
  options: ModelOptions = {},
): Promise<Model> {
  const family = await findFamily(source, options.model)
  return family.load(region, source, options)
}

/** @internal The family called `name`, or the one that recognises the tensors. */
export async function findFamily(source: TensorSource, name?: string): Promise<Family & { name: string }> {
  const known = FAMILY_NAMES.join(', ')
  if (name !== undefined && !Object.hasOwn(FAMILIES, name))
    throw new ConfigError(`unknown model family '${name}'; this version knows ${known}`)
  const found = name ?? FAMILY_NAMES.find(one => FAMILIES[one].recognises(source))
  if (found !== undefined) return { name: found, ...(await FAMILIES[found].open()) }
  const names = source.names()
  throw new ConfigError(
    `the tensors belong to no known model family (${known}): found ${names.length}, such as ${names.slice(0, 4).join(', ')}`,
  )
}
