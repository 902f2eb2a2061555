// What WavTokenizer's tensors are called, by which it is recognised before its code is loaded.
import type { TensorSource } from '../checkpoints/source.js'
import { type RenameRule, renamed } from '../checkpoints/views.js'

export const ENCODER = 'feature_extractor.encodec.encoder.model'
export const CODEBOOK = 'feature_extractor.encodec.quantizer.vq.layers.0._codebook.embed'
/** What a file of several codebooks has, and WavTokenizer's do not. */
export const SECOND_CODEBOOK = CODEBOOK.replace('0', '1')

// Upstream's names are kept; the transformers port and OuteTTS' decoder file are mapped onto them.
const SPELLINGS: readonly RenameRule[] = [
  [/^(?:encoder_model\.)?encoder\.layers\.(\d+)\.lstm\.(.+)$/, `${ENCODER}.$1.lstm.$2`],
  [/^(?:encoder_model\.)?encoder\.layers\.(.+)\.conv\.(?!conv\.)(.+)$/, `${ENCODER}.$1.conv.conv.$2`],
  [/^(?:encoder_model\.)?quantizer\.codebook\.(.+)$/, CODEBOOK.replace(/embed$/, '$1')],
  [/^head\.linear\.(.+)$/, 'head.out.$1'],
  [/^codebook_weights$/, CODEBOOK],
]
const WHOLE = SPELLINGS.slice(0, -1) // OuteTTS' two files both carry the codebook; the encoder's name for it is the usual one

// llama.cpp's decoder (a GGUF file of architecture wavtokenizer-dec); its norms are rows of upstream's tables.
const LLAMA_SPELLINGS: readonly RenameRule[] = [
  ['conv1d.', 'backbone.embed.'],
  [/^posnet\.5\.(?:attn_)?norm\./, 'backbone.pos_net.5.'],
  [/^posnet\.(\d+)\.attn_(norm|q|k|v)\./, 'backbone.pos_net.$1.$2.'],
  [/^posnet\.(\d+)\.attn_output\./, 'backbone.pos_net.$1.proj_out.'],
  ['posnet.', 'backbone.pos_net.'],
  ['token_embd_norm.', 'backbone.norm.'],
  [/^convnext\.(\d+)\.gamma\.weight$/, 'backbone.convnext.$1.gamma'],
  [/^convnext\.(\d+)\.(dw|pw)/, 'backbone.convnext.$1.$2conv'],
  ['convnext.', 'backbone.convnext.'],
  ['output_norm.', 'backbone.final_layer_norm.'],
  ['output.', 'head.out.'],
]
const LLAMA_CODEBOOK = 'token_embd.weight'

/** True if the tensors are a WavTokenizer's, whole or a half of it, in any known spelling. */
export function isWavTokenizer(source: TensorSource): boolean {
  const names = new Set(canonicalNames(source).names())
  return (
    names.has(CODEBOOK) &&
    !names.has(SECOND_CODEBOOK) &&
    (names.has('backbone.pos_net.0.conv1.weight') || names.has(`${ENCODER}.0.conv.conv.bias`))
  )
}

/** The same tensors under upstream's names. */
export function canonicalNames(source: TensorSource): TensorSource {
  const rules = source.has(CODEBOOK) ? WHOLE : SPELLINGS
  const isLlamas = source.has(LLAMA_CODEBOOK) && source.has('posnet.0.conv1.weight')
  if (!isLlamas) return renamed(source, rules)
  const canonical = renamed(squeezed(source), [...LLAMA_SPELLINGS, ...rules])
  return canonical.has(CODEBOOK) ? canonical : renamed(canonical, [[LLAMA_CODEBOOK, CODEBOOK]])
}

/** llama.cpp's vectors that are added to rows of channels have shape [channels, 1]. */
function squeezed(source: TensorSource): TensorSource {
  return {
    ...source,
    info(name) {
      const { dtype, shape } = source.info(name)
      const isVector = /(?:\.bias|norm\d?\.weight)$/.test(name) && shape.length === 2 && shape[1] === 1
      return { dtype, shape: isVector ? shape.slice(0, 1) : shape }
    },
  }
}
