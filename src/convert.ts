// Checkpoints to small files of the project's own format: safetensors with upstream's names, weight norm folded, inference only.
import type { BytesInput } from './checkpoints/bytes.js'
import { narrowF16 } from './checkpoints/dtypes.js'
import { openCheckpoint } from './checkpoints/open.js'
import { type MatrixDtype, quantizeRows, scaleName } from './checkpoints/reduced.js'
import { planSafetensors } from './checkpoints/safetensors.js'
import type { PlainTensor, TensorSource } from './checkpoints/source.js'
import { foldWeightNorm, weightShape } from './checkpoints/weights.js'
import { throwIfAborted } from './errors.js'
import { isCheckpoint, openAll, readConfiguration } from './load.js'
import { findFamily } from './models/registry.js'
import { matrixDtypes, type StorageOptions } from './models/storage.js'
import type { RunOptions } from './schedule.js'

/** What the converted file holds. Loaded, it has these dtypes unless told otherwise. */
export interface ConvertOptions extends RunOptions, StorageOptions {
  /** Family, where it should not be recognised from the tensors' names. */
  model?: string
  /** Text of a published configuration file; it is kept in the new one. */
  config?: string
}

/** A tensor of the new file. */
interface Entry extends PlainTensor {
  data(): Promise<ArrayBufferView>
}

const WEIGHT_NORM = /^(.+)\.(?:weight_[gv]|parametrizations\.weight\.original[01])$/

/**
 * Converts a checkpoint, tensor by tensor: the bytes of a safetensors file, in order. Matrices become f16 or, as q8, int8 with one f32
 * scale per row in a second tensor `<name>.scale`; everything else is f32.
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
    const { entries, metadata } = await plan(checkpoint, { ...options, config })
    const { head, names, size } = planSafetensors(Object.fromEntries(entries), metadata)
    yield head
    let loaded = head.length
    for (const name of names) {
      throwIfAborted(signal)
      const { buffer, byteOffset, byteLength } = await entries.get(name)!.data()
      yield new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
      loaded += byteLength
      onProgress?.({ phase: 'weights', loaded, total: size })
    }
  } finally {
    await Promise.all(files.map(file => file.close()))
  }
}

/** Every tensor of the new file, and its metadata. */
async function plan(checkpoint: TensorSource, options: ConvertOptions) {
  const family = await findFamily(checkpoint, options.model)
  const { parts, dtype, encoderDtype, dtypeOf } = matrixDtypes(family.matrices, options, checkpoint.metadata)
  const { tensors, names } = family.contents(checkpoint, options, parts)
  const entries = new Map<string, Entry>()
  for (const name of names) {
    const prefix = name.match(WEIGHT_NORM)?.[1]
    if (prefix === undefined) addTensor(entries, tensors, name, dtypeOf(name))
    else addTensor(entries, folded(tensors, prefix), `${prefix}.weight`, dtypeOf(`${prefix}.weight`))
  }
  const { config } = options
  const metadata = {
    ...checkpoint.metadata,
    format: 'pt',
    family: family.name,
    dtype,
    encoder_dtype: encoderDtype,
    ...(config === undefined ? {} : { config }),
  }
  return { entries, metadata }
}

/** The folded weight of layer `prefix` as the only tensor. */
function folded(tensors: TensorSource, prefix: string): Pick<TensorSource, 'info' | 'read'> {
  return {
    info: () => ({ dtype: 'F32', shape: weightShape(tensors, prefix)! }),
    read: () => foldWeightNorm(tensors, prefix),
  }
}

function addTensor(
  entries: Map<string, Entry>,
  tensors: Pick<TensorSource, 'info' | 'read'>,
  name: string,
  dtype: MatrixDtype,
): void {
  const { shape } = tensors.info(name)
  const read = () => tensors.read(name)
  if (dtype === 'F32') entries.set(name, { dtype, shape, data: read })
  if (dtype === 'F16') entries.set(name, { dtype, shape, data: async () => narrowF16(await read()) })
  if (dtype === 'F32' || dtype === 'F16') return
  const quantized = async () => quantizeRows(dtype, name, await read(), shape[0])
  entries.set(name, { dtype, shape, data: async () => (await quantized()).integers })
  // the scales lie before the integers in the file: they are computed in a pass of their own
  const scales = async () => (await quantized()).scales
  entries.set(scaleName(name), { dtype: 'F32', shape: [shape[0]], data: scales })
}
