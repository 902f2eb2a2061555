import { defaultWeights } from '#platform'
import { instantiateKernels, type KernelInput } from '../bindings/load.js'
import { Heap, Region } from '../bindings/memory.js'
import { type BytesInput, byteSource } from './checkpoints/bytes.js'
import { openCheckpoint } from './checkpoints/open.js'
import { type ByteSource, elementCount, type TensorSource } from './checkpoints/source.js'
import { ConfigError, throwIfAborted } from './errors.js'
import { loadModel, type ModelOptions } from './models/registry.js'
import type { RunOptions } from './schedule.js'
import { AudioTokenizer } from './tokenizer.js'

/** The model in weights/ that `loadTokenizer()` takes when told nothing else. */
export const DEFAULT_MODEL = 'mini-24k-75.safetensors'

/** How to load a model. */
export interface LoadOptions extends RunOptions, ModelOptions {
  /** Results identical bit for bit on every engine: the baseline build of the core. */
  deterministic?: boolean
  /** A compiled core, or its bytes, instead of the bundled one. */
  module?: KernelInput
}

const YAML = /\.ya?ml$/i

/**
 * Loads a tokenizer.
 *
 * @param source the default model, or: a path, URL, bytes, Blob or File, Response or stream of a checkpoint (safetensors, or a
 *   PyTorch .ckpt / .pt / .pth / .bin); or a list of those that together make one model, with an optional .yaml configuration.
 *   Paths and Blobs are read by ranges: what is not needed (discriminators, optimizer state) is never touched.
 * @throws CheckpointError for files that cannot be read or lack tensors, ConfigError for unknown families and contradictory
 *   configurations, AbortError
 */
export async function loadTokenizer(
  source: BytesInput | readonly BytesInput[] = defaultWeights(DEFAULT_MODEL),
  options: LoadOptions = {},
): Promise<AudioTokenizer> {
  const { deterministic = false } = options
  throwIfAborted(options.signal)
  const inputs = Array.isArray(source) ? (source as readonly BytesInput[]) : [source as BytesInput]
  const files = await openAll(inputs, options)
  try {
    const tensors = observed(await openCheckpoint(files.filter(isCheckpoint)), options)
    const config = options.config ?? (await readConfiguration(files))
    const { kernels, build } = await instantiateKernels(deterministic, options.module)
    const heap = new Heap(kernels)
    const model = await loadModel(new Region(heap), tensors, { ...options, config })
    return new AudioTokenizer(heap, model, build)
  } finally {
    await Promise.all(files.map(file => file.close()))
  }
}

/** Opens all or, where one cannot be opened, none. */
async function openAll(inputs: readonly BytesInput[], options: RunOptions): Promise<ByteSource[]> {
  const opening = await Promise.allSettled(inputs.map(input => byteSource(input, options)))
  const failed = opening.find(result => result.status === 'rejected')
  const files = opening.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  if (!failed) return files
  await Promise.all(files.map(file => file.close()))
  throw failed.reason
}

function isCheckpoint(file: ByteSource): boolean {
  return !YAML.test(file.name ?? '')
}

async function readConfiguration(files: readonly ByteSource[]): Promise<string | undefined> {
  const configurations = files.filter(file => !isCheckpoint(file))
  if (configurations.length > 1)
    throw new ConfigError(
      `${configurations.length} .yaml files were given; expected at most one configuration`,
    )
  const [file] = configurations
  return file && new TextDecoder().decode(await file.read(0, file.size))
}

/** The same tensors; reading them tells progress and looks at the signal. */
function observed(source: TensorSource, { signal, onProgress }: LoadOptions): TensorSource {
  const bytes = (name: string) => 4 * elementCount(source.info(name).shape)
  let loaded = 0
  const tell = (name: string) => {
    loaded += bytes(name)
    onProgress?.({ phase: 'weights', loaded })
    throwIfAborted(signal)
  }
  return {
    metadata: source.metadata,
    names: () => source.names(),
    has: name => source.has(name),
    info: name => source.info(name),
    close: () => source.close(),
    async read(name) {
      const values = await source.read(name)
      tell(name)
      return values
    },
    async readInto(name, target) {
      await source.readInto(name, target)
      tell(name)
    },
  }
}
