// What WavTokenizer's tensors are called, by which it is recognised before its code is loaded.
import type { TensorSource } from '../checkpoints/source.js'
import { renamed } from '../checkpoints/views.js'

export const ENCODER = 'feature_extractor.encodec.encoder.model'
export const CODEBOOK = 'feature_extractor.encodec.quantizer.vq.layers.0._codebook.embed'
/** What a file of several codebooks has, and WavTokenizer's do not. */
export const SECOND_CODEBOOK = CODEBOOK.replace('0', '1')

// Upstream's names are kept; the transformers port and OuteTTS' decoder file are mapped onto them.
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/^(?:encoder_model\.)?encoder\.layers\.(\d+)\.lstm\.(.+)$/, `${ENCODER}.$1.lstm.$2`],
  [/^(?:encoder_model\.)?encoder\.layers\.(.+)\.conv\.(?!conv\.)(.+)$/, `${ENCODER}.$1.conv.conv.$2`],
  [/^(?:encoder_model\.)?quantizer\.codebook\.(.+)$/, CODEBOOK.replace(/embed$/, '$1')],
  [/^head\.linear\.(.+)$/, 'head.out.$1'],
  [/^codebook_weights$/, CODEBOOK],
]
const WHOLE = SPELLINGS.slice(0, -1) // OuteTTS' two files both carry the codebook; the encoder's name for it is the usual one

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
  return renamed(source, source.has(CODEBOOK) ? WHOLE : SPELLINGS)
}
