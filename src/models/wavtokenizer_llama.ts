// WavTokenizer's decoder as llama.cpp's converter writes it (class WavTokenizerDec): names, shapes and keys; the inverse of what
// wavtokenizer_names.ts reads.
import type { GgufKey, GgufLayout } from '../checkpoints/gguf-writer.js'
import type { PlainWeights } from '../checkpoints/weights.js'
import { CODEBOOK } from './wavtokenizer_names.js'

const ARCHITECTURE = 'wavtokenizer-dec'
/** What the tool's host code assumes: it never reads it, but must find it. */
const CONTEXT_LENGTH = 8192
const GROUPS = 32
const EPS = 1e-6

type Tensors = ReadonlyMap<string, PlainWeights>

// biome-ignore format: a table
const NAMES: readonly (readonly [from: RegExp, to: string])[] = [
  [/^backbone\.embed\./, 'conv1d.'],
  [/^backbone\.pos_net\.5\./, 'posnet.5.attn_norm.'],
  [/^backbone\.pos_net\.(\d+)\.(norm|q|k|v)\./, 'posnet.$1.attn_$2.'],
  [/^backbone\.pos_net\.(\d+)\.proj_out\./, 'posnet.$1.attn_output.'],
  [/^backbone\.pos_net\./, 'posnet.'],
  [/^backbone\.norm\./, 'token_embd_norm.'],
  [/^backbone\.convnext\.(\d+)\.gamma$/, 'convnext.$1.gamma.weight'],
  [/^backbone\.convnext\.(\d+)\.(dw|pw)conv/, 'convnext.$1.$2'],
  [/^backbone\.convnext\./, 'convnext.'],
  [/^backbone\.final_layer_norm\./, 'output_norm.'],
  [/^head\.out\./, 'output.'],
]

/** Tables of scales and shifts, one row for each bandwidth, of which llama.cpp knows the first. */
const TABLE = /\.norm\.(scale|shift)\.weight$/
/** What is added to rows of channels, as columns. */
const COLUMN =
  /^(?:conv1d|posnet\.\d+\.(?:conv\d|attn_(?:q|k|v|output))|convnext\.\d+\.dw)\.bias$|^posnet\.\d+\.(?:norm\d|attn_norm)\./

/** @internal `tensors`: a decoder's, under upstream's names. */
export function llamaLayout(tensors: Tensors): GgufLayout {
  const renamed = new Map<string, PlainWeights>()
  for (const [original, tensor] of tensors) {
    const [name, part] = original === CODEBOOK ? ['token_embd.weight', tensor] : firstRow(original, tensor)
    const found = NAMES.find(([from]) => from.test(name))
    const to = found ? name.replace(...found) : name
    renamed.set(to, COLUMN.test(to) ? { ...part, shape: [...part.shape, 1] } : part)
  }
  return {
    architecture: ARCHITECTURE,
    keys: keysOf(renamed),
    tensors: renamed,
    isExact: (name, shape) => !name.endsWith('.weight') || shape.length === 1 || name.includes('norm'),
  }
}

function firstRow(name: string, tensor: PlainWeights): [string, PlainWeights] {
  const kind = TABLE.exec(name)?.[1]
  if (!kind) return [name, tensor]
  const [, channels] = tensor.shape
  const row = { shape: [channels], read: async () => (await tensor.read()).slice(0, channels) }
  return [name.replace(TABLE, `.norm.${kind === 'scale' ? 'weight' : 'bias'}`), row]
}

function keysOf(tensors: Tensors): GgufKey[] {
  const shape = (name: string) => tensors.get(name)!.shape
  const [entries, features] = shape('token_embd.weight')
  const [outputs, channels] = shape('output.weight')
  const blocks = [...tensors.keys()].filter(name => name.endsWith('.gamma.weight')).length
  const u32 = (name: string, value: number): GgufKey => [`${ARCHITECTURE}.${name}`, 'u32', value]
  return [
    u32('vocab_size', entries),
    u32('features_length', features),
    u32('embedding_length', outputs),
    u32('feed_forward_length', shape('convnext.0.pw1.weight')[0]),
    u32('block_count', blocks),
    u32('context_length', CONTEXT_LENGTH),
    u32('attention.head_count', 1),
    [`${ARCHITECTURE}.attention.layer_norm_epsilon`, 'f32', EPS],
    [`${ARCHITECTURE}.attention.group_norm_epsilon`, 'f32', EPS],
    u32('attention.group_norm_groups', GROUPS),
    [`${ARCHITECTURE}.attention.causal`, 'bool', false],
    u32('posnet.embedding_length', channels),
    u32('posnet.block_count', 6),
    u32('convnext.embedding_length', channels),
    u32('convnext.block_count', blocks),
    ['tokenizer.ggml.model', 'text', 'none'],
  ]
}
