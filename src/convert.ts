// Checkpoints to small files for inference: upstream's names, weight norm folded; safetensors or GGUF.
import type { BytesInput } from './checkpoints/bytes.js'
import { narrowF16 } from './checkpoints/dtypes.js'
import { openCheckpoint } from './checkpoints/open.js'
import { type MatrixDtype, quantizeRows, scaleName } from './checkpoints/reduced.js'
import { planSafetensors } from './checkpoints/safetensors.js'
import type { TensorSource } from './checkpoints/source.js'
import { type FilePlan, foldWeightNorm, type PlainWeights, weightShape } from './checkpoints/weights.js'
import { throwIfAborted } from './errors.js'
import { isCheckpoint, openAll, readConfiguration } from './load.js'
import { findFamily } from './models/registry.js'
import { type Contents, matrixDtypes, STORED, type StorageOptions } from './models/storage.js'
import type { RunOptions } from './schedule.js'

/** What the converted file holds. Loaded, it has these dtypes unless told otherwise. */
export interface ConvertOptions extends RunOptions, StorageOptions {
  /** Family, where it should not be recognised from the tensors' names. */
  model?: string
  /** Text of a published configuration file; it is kept in the new one. */
  config?: string
  /** Default: safetensors. GGUF has f32, f16 and, for q8, Q8_0. */
  format?: 'safetensors' | 'gguf'
}

/** A tensor of a new safetensors file. */
interface Entry {
  readonly dtype: MatrixDtype
  readonly shape: readonly number[]
  data(): Promise<ArrayBufferView>
}

const WEIGHT_NORM = /^(.+)\.(?:weight_[gv]|parametrizations\.weight\.original[01])$/

/**
 * Converts a checkpoint, tensor by tensor: the bytes of a file, in order. Matrices become f16 or, as q8, int8 with one f32 scale per
 * row in a second tensor `<name>.scale` (in GGUF: Q8_0, where rows divide into its blocks, else f16); everything else is f32.
 * A WavTokenizer's decoder alone becomes a GGUF file that llama.cpp runs.
 *
 * @param source what `loadTokenizer` takes
 * @throws CheckpointError, ConfigError, AbortError
 */
export async function* convertCheckpoint(
  source: BytesInput | readonly BytesInput[],
  options: ConvertOptions = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { signal, onProgress } = options
  const files = await openAll([source].flat(), { signal })
  try {
    const checkpoint = await openCheckpoint(files.filter(isCheckpoint))
    const config = options.config ?? (await readConfiguration(files))
    const { head, names, size, read } = await plan(checkpoint, { ...options, config })
    yield head
    let loaded = head.length
    for (const name of names) {
      throwIfAborted(signal)
      for (const { buffer, byteOffset, byteLength } of await read(name)) {
        yield new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
        loaded += byteLength
      }
      onProgress?.({ phase: 'weights', loaded, total: size })
    }
  } finally {
    await Promise.all(files.map(file => file.close()))
  }
}

async function plan(checkpoint: TensorSource, options: ConvertOptions): Promise<FilePlan> {
  const family = await findFamily(checkpoint, options.model)
  const { parts, dtype, encoderDtype, dtypeOf } = matrixDtypes(family.matrices, options, checkpoint.metadata)
  const tensors = plainWeights(family.contents(checkpoint, options, parts))
  const { config } = options
  const metadata = {
    ...checkpoint.metadata,
    format: 'pt',
    family: family.name,
    dtype,
    encoder_dtype: encoderDtype,
    ...(config === undefined ? {} : { config }),
  }
  if (options.format !== 'gguf') return safetensorsFile(tensors, metadata, dtypeOf)
  const { ggufFile } = await import('./convert_gguf.js')
  const layout = parts === 'decoder' ? family.llamaLayout?.(tensors) : undefined
  return ggufFile(tensors, metadata, dtypeOf, layout && { ...layout, dtype: STORED[dtype] })
}

/** The tensors of an inference file by name, weight norm folded when they are read. */
function plainWeights({ tensors, names }: Contents): Map<string, PlainWeights> {
  const plain = new Map<string, PlainWeights>()
  for (const name of names) {
    const prefix = name.match(WEIGHT_NORM)?.[1]
    if (prefix === undefined)
      plain.set(name, { shape: tensors.info(name).shape, read: () => tensors.read(name) })
    else
      plain.set(`${prefix}.weight`, {
        shape: weightShape(tensors, prefix)!,
        read: () => foldWeightNorm(tensors, prefix),
      })
  }
  return plain
}

function safetensorsFile(
  tensors: ReadonlyMap<string, PlainWeights>,
  metadata: Readonly<Record<string, string>>,
  dtypeOf: (name: string) => MatrixDtype,
): FilePlan {
  const entries = new Map<string, Entry>()
  for (const [name, tensor] of tensors) addTensor(entries, tensor, name, dtypeOf(name))
  const layout = planSafetensors(Object.fromEntries(entries), metadata)
  return { ...layout, read: async name => [await entries.get(name)!.data()] }
}

function addTensor(
  entries: Map<string, Entry>,
  { shape, read }: PlainWeights,
  name: string,
  dtype: MatrixDtype,
): void {
  if (dtype === 'F32') entries.set(name, { dtype, shape, data: read })
  if (dtype === 'F16') entries.set(name, { dtype, shape, data: async () => narrowF16(await read()) })
  if (dtype === 'F32' || dtype === 'F16') return
  const quantized = async () => quantizeRows(dtype, name, await read(), shape[0])
  entries.set(name, { dtype, shape, data: async () => (await quantized()).integers })
  // the scales lie before the integers in the file: they are computed in a pass of their own
  const scales = async () => (await quantized()).scales
  entries.set(scaleName(name), { dtype: 'F32', shape: [shape[0]], data: scales })
}
