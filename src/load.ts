import { canHash, defaultWeights } from '#platform'
import { instantiateKernels, type KernelInput } from '../bindings/load.js'
import { Heap, Region } from '../bindings/memory.js'
import { type CacheOptions, checkSha256, openNewest, openRemote } from './cache.js'
import { type BytesInput, byteSource } from './checkpoints/bytes.js'
import { openCheckpoint } from './checkpoints/open.js'
import { type ByteSource, elementCount, inMemory, type TensorSource } from './checkpoints/source.js'
import { CheckpointError, ConfigError, throwIfAborted } from './errors.js'
import { halfWidener } from './halves.js'
import { loadModel, type ModelOptions } from './models/registry.js'
import type { RunOptions } from './schedule.js'
import { AudioTokenizer } from './tokenizer.js'

/** The model in weights/ that `loadTokenizer()` takes when told nothing else. */
export const DEFAULT_MODEL = 'mini-24k-75.safetensors'

/** How to load a model. */
export interface LoadOptions extends RunOptions, ModelOptions, CacheOptions {
  /** Results identical bit for bit on every engine: the baseline build of the core. */
  deterministic?: boolean
  /**
   * Threads that compute each product together (default 1): the same results bit for bit, sooner. Needs shared memory: Node, Deno,
   * Bun, and pages that are cross-origin isolated; elsewhere, and with `module`, one computes, as `info.threads` tells.
   * `dispose()` ends them.
   */
  threads?: number
  /** A compiled core, or its bytes, instead of the bundled one. */
  module?: KernelInput
}

const CONFIGURATION = /\.ya?ml$|(?:^|[\\/])config\.json$/i
const MOST_THREADS = 64
const REMOTE = /^https?:/i

/**
 * Loads a tokenizer.
 *
 * @param source the default model, or: a path, URL, bytes, Blob or File, Response or stream of a checkpoint (safetensors, GGUF, or a
 *   PyTorch .ckpt / .pt / .pth / .bin); or a list of those that together make one model, with an optional configuration (.yaml, config.json).
 *   Paths and Blobs are read by ranges: what is not needed (discriminators, optimizer state) is never touched.
 *   Files from http(s) URLs are kept in a cache and found there without the network; see `cache` and `sha256`.
 *   The default model is held to the SHA-256 in the .json beside it.
 * @throws CheckpointError for files that cannot be read or lack tensors, ConfigError for unknown families and contradictory
 *   configurations, AbortError
 */
export async function loadTokenizer(
  source?: BytesInput | readonly BytesInput[],
  options: LoadOptions = {},
): Promise<AudioTokenizer> {
  throwIfAborted(options.signal)
  const files = source === undefined ? [await openDefault(options)] : await openAll([source].flat(), options)
  try {
    const { heap, build } = await openCore(options)
    const weights = new Region(heap)
    try {
      const checkpoint = await openCheckpoint(files.filter(isCheckpoint), halfWidener(heap))
      const config = options.config ?? (await readConfiguration(files))
      const model = await loadModel(weights, observed(checkpoint, options), { ...options, config })
      return new AudioTokenizer(weights, model, build)
    } catch (error) {
      heap.team?.close()
      throw error
    }
  } finally {
    await Promise.all(files.map(file => file.close()))
  }
}

/** The core and its memory, with as many threads as were asked for and this runtime allows. */
async function openCore({ deterministic = false, module, threads = 1 }: LoadOptions) {
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS)
    throw new ConfigError(`threads is ${threads}; expected a whole number from 1 to ${MOST_THREADS}`)
  if (threads > 1 && module === undefined) {
    const { startThreads } = await import('./threads.js')
    const core = await startThreads(threads, deterministic)
    if (core) return core
  }
  const { kernels, build } = await instantiateKernels(deterministic, module)
  return { heap: new Heap(kernels), build }
}

/** Opens all or, where one cannot be opened, none. */
export async function openAll(inputs: readonly BytesInput[], options: LoadOptions): Promise<ByteSource[]> {
  const hashes = [options.sha256].flat()
  const opening = await Promise.allSettled(inputs.map((input, i) => openOne(input, hashes[i], options)))
  const failed = opening.find(result => result.status === 'rejected')
  const files = opening.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  if (!failed) return files
  await Promise.all(files.map(file => file.close()))
  throw failed.reason
}

async function openOne(
  input: BytesInput,
  sha256: string | undefined,
  options: LoadOptions,
): Promise<ByteSource> {
  if ((typeof input === 'string' || input instanceof URL) && REMOTE.test(String(input)))
    return openRemote(input, sha256, options)
  const opened = await byteSource(input, options)
  if (sha256 === undefined) return opened
  const file = await inMemory(opened)
  try {
    await checkSha256(file, file.name ?? 'the file', sha256)
  } catch (error) {
    await file.close()
    throw error
  }
  return file
}

/** The default model, held to the description beside it. The exporter writes both. */
async function openDefault(options: LoadOptions): Promise<ByteSource> {
  const described = await describedSha256(options)
  return openOne(defaultWeights(DEFAULT_MODEL), canHash() ? described : undefined, options)
}

/** The description is small and replaced whenever the weights are; undefined where only the weights are served. */
async function describedSha256({ signal, cache }: LoadOptions): Promise<string | undefined> {
  const address = defaultWeights(DEFAULT_MODEL.replace(/safetensors$/, 'json'))
  let description: ByteSource
  try {
    description = await (REMOTE.test(address.href)
      ? openNewest(address, { signal, cache })
      : byteSource(address, { signal }))
  } catch (error) {
    if (error instanceof CheckpointError) return undefined
    throw error
  }
  const bytes = await description.read(0, description.size)
  await description.close()
  return parseDescription(bytes)
}

function parseDescription(bytes: Uint8Array): string {
  let sha256: unknown
  try {
    sha256 = JSON.parse(new TextDecoder().decode(bytes)).sha256
  } catch {}
  if (typeof sha256 === 'string') return sha256
  throw new CheckpointError('the description beside the default model is not JSON with its `sha256`')
}

export function isCheckpoint(file: ByteSource): boolean {
  return !CONFIGURATION.test(file.name ?? '')
}

export async function readConfiguration(files: readonly ByteSource[]): Promise<string | undefined> {
  const configurations = files.filter(file => !isCheckpoint(file))
  if (configurations.length > 1)
    throw new ConfigError(
      `${configurations.length} configurations (.yaml, config.json) were given; expected at most one`,
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
