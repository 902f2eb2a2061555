import { CheckpointError } from '../errors.js'
import type { HalfWidener } from './dtypes.js'
import { openSafetensors } from './safetensors.js'
import type { ByteSource, TensorSource } from './source.js'
import { merged } from './views.js'
import { parseYaml } from './yaml.js'

const HEAD_BYTES = 256
const MAX_TEXT_BYTES = 1 << 24

export type CheckpointFormat = 'safetensors' | 'torch' | 'gguf'

/** What a list of files holds: tensors under one face, and the configuration files that came with them. */
export interface Checkpoint extends TensorSource {
  /** Formats of the weight files, in the order given. */
  readonly formats: readonly CheckpointFormat[]
  /** The JSON and YAML files among the input, parsed, in the order given. */
  readonly configs: readonly Readonly<Record<string, unknown>>[]
}

/** Beginnings of files that are no checkpoint, or none that can be read, and what to say. One character is one byte. */
const REFUSED: readonly [magic: string, reason: string][] = [
  [
    '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.',
    'this file is in the format of PyTorch before 1.6 (no zip file); load it with torch.load and save it again with torch.save(state_dict, path)',
  ],
  ['version https://git-lfs', 'this is a git-lfs pointer, not the weights; run `git lfs pull`'],
  ['\x1f\x8b\x08', 'this file is gzip-compressed; decompress it first'],
  ['PK\x05\x06', 'this zip file is empty'],
  ['\x89HDF', 'this is an HDF5 file; expected safetensors or a torch.save zip file'],
  ['\x93NUMPY', 'this is a NumPy array; expected safetensors or a torch.save zip file'],
  ['RIFF', 'this is an audio file (RIFF), not a checkpoint'],
]
const WEB_PAGE = /^\s*<(!doctype|html|\?xml|head|body)/i
const TEXT = /^(\xef\xbb\xbf|[\t\n\r -~]{8}|[\t\n\r -~]{1,7}$)/

type FileKind = CheckpointFormat | 'text'

type Opener = (file: ByteSource, widenHalves?: HalfWidener) => Promise<TensorSource>

/** The readers of other formats are loaded with the first file of theirs: the default model needs none of them. */
const OPENERS: Readonly<Record<CheckpointFormat, Opener>> = {
  safetensors: openSafetensors,
  torch: async file => (await import('./torch.js')).openTorch(file),
  gguf: async file => (await import('./gguf.js')).openGguf(file),
}

/**
 * Recognises each file by its bytes (safetensors, torch.save's zip, GGUF, JSON or YAML configuration, shard index) and opens them
 * as one checkpoint. `widenHalves`: a faster way than JavaScript's, used for safetensors. Takes the files over: they are closed with `close()`, or here if this fails.
 * @throws CheckpointError saying what the file is instead, or what is wrong with it.
 */
export async function openCheckpoint(
  input: ByteSource | readonly ByteSource[],
  widenHalves?: HalfWidener,
): Promise<Checkpoint> {
  const files: readonly ByteSource[] = 'read' in input ? [input] : input
  try {
    return await openFiles(files, widenHalves)
  } catch (error) {
    await Promise.allSettled(files.map(file => file.close()))
    throw error
  }
}

async function openFiles(files: readonly ByteSource[], widenHalves?: HalfWidener): Promise<Checkpoint> {
  const formats: CheckpointFormat[] = []
  const sources: TensorSource[] = []
  const configs: Record<string, unknown>[] = []
  for (const file of files) {
    const kind = await naming(file, () => recognise(file))
    if (kind === 'text') {
      configs.push(await naming(file, () => readConfig(file)))
      await file.close()
    } else {
      sources.push(await naming(file, () => OPENERS[kind](file, widenHalves)))
      formats.push(kind)
    }
  }
  if (sources.length === 0)
    throw new CheckpointError(
      `no weights among the ${files.length} files (${configs.length} JSON or YAML); pass a .safetensors, .gguf, .ckpt, .pt or .bin file`,
    )
  const tensors = merged(sources)
  for (const config of configs) checkShards(config.weight_map, tensors)
  return { ...tensors, formats, configs: configs.filter(config => !config.weight_map) }
}

/** Puts the file's name before the message of what goes wrong with it. */
async function naming<T>(file: ByteSource, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    if (!file.name || !(error instanceof CheckpointError)) throw error
    throw new CheckpointError(`${file.name}: ${error.message}`, { cause: error })
  }
}

async function recognise(file: ByteSource): Promise<FileKind> {
  if (file.size === 0) throw new CheckpointError('the file is empty')
  const bytes = await file.read(0, Math.min(file.size, HEAD_BYTES))
  const head = Array.from(bytes, byte => String.fromCharCode(byte)).join('')
  const length =
    bytes.length < 8 ? 0 : Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  if (head[8] === '{' && length <= file.size) return 'safetensors'
  if (head.startsWith('GGUF')) return 'gguf'
  for (const [magic, reason] of REFUSED) if (head.startsWith(magic)) throw new CheckpointError(reason)
  if (head.startsWith('PK\x03\x04')) return 'torch'
  if (bytes[0] === 0x80 && bytes[2] > 0)
    // a pickle; a truncated safetensors file may begin with 0x80 and has a 0 there
    throw new CheckpointError(
      'this is a bare Python pickle, no torch.save zip file; save the weights with torch.save(state_dict, path)',
    )
  if (WEB_PAGE.test(head))
    throw new CheckpointError(
      'this is a web page, not a checkpoint; the address may need a login or a /resolve/ link',
    )
  if (TEXT.test(head)) return 'text'
  if (head[8] === '{') return 'safetensors'
  const shown = Array.from(bytes.subarray(0, 8), byte => byte.toString(16).padStart(2, '0')).join(' ')
  throw new CheckpointError(
    `no known checkpoint format begins with bytes ${shown}; expected safetensors, GGUF or a torch.save zip file`,
  )
}

async function readConfig(file: ByteSource): Promise<Record<string, unknown>> {
  if (file.size > MAX_TEXT_BYTES)
    throw new CheckpointError(
      `a text file of ${file.size} bytes; configurations have at most ${MAX_TEXT_BYTES}`,
    )
  const text = new TextDecoder().decode(await file.read(0, file.size))
  const config = /^\s*[[{]/.test(text) ? parseJson(text) : parseYaml(text)
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new CheckpointError(`text that is no configuration: it begins '${text.slice(0, 40).trim()}'`)
  return config as Record<string, unknown>
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CheckpointError(`not valid JSON: ${(error as Error).message}`, { cause: error })
  }
}

/** A shard index maps every tensor to its file; all of them must be among the files given. */
function checkShards(weightMap: unknown, tensors: TensorSource): void {
  if (typeof weightMap !== 'object' || weightMap === null) return
  const absent = Object.entries(weightMap).filter(([name]) => !tensors.has(name))
  const shards = [...new Set(absent.map(([, shard]) => String(shard)))]
  if (shards.length > 0)
    throw new CheckpointError(
      `${absent.length} tensors of the index are in none of the files; pass also ${shards.slice(0, 5).join(', ')}`,
    )
}
