import { openFile } from '#platform'
import { AbortError, CheckpointError, throwIfAborted } from '../errors.js'
import type { ByteSource } from './source.js'

/** Where a file can come from: a path or URL, bytes in memory, a Blob or File, a download under way. */
export type BytesInput =
  | string
  | URL
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | Response
  | ReadableStream<Uint8Array>
  | ByteSource

export interface FetchOptions {
  signal?: AbortSignal
  /** Called for every piece of a download; `total` is missing where the server does not say. */
  onProgress?: (progress: { phase: 'download'; loaded: number; total?: number }) => void
}

const FIRST_CAPACITY = 1 << 20
const MAX_FIRST_CAPACITY = 1 << 29 // a lying content-length allocates no more than this

/**
 * Opens a file for random access. Paths and `file:` URLs are read by ranges through the platform, Blobs by slices;
 * other URLs, Responses and streams are downloaded into memory first.
 * @throws CheckpointError if it cannot be opened or the download fails, AbortError if `signal` fires.
 */
export async function byteSource(input: BytesInput, options: FetchOptions = {}): Promise<ByteSource> {
  throwIfAborted(options.signal)
  if (typeof input === 'string' || input instanceof URL) return fromAddress(input, options)
  if (input instanceof ArrayBuffer) return fromMemory(new Uint8Array(input))
  if (ArrayBuffer.isView(input))
    return fromMemory(new Uint8Array(input.buffer, input.byteOffset, input.byteLength))
  if (input instanceof Blob) return fromBlob(input)
  if (input instanceof Response) return fromResponse(input, options)
  if (input instanceof ReadableStream) return fromMemory(await collect(input, options))
  if (typeof input?.read === 'function' && typeof input.size === 'number') return input
  throw new CheckpointError(
    `expected a path, URL, ArrayBuffer, typed array, Blob, Response or ReadableStream, found ${typeof input}`,
  )
}

/** Holds a reader to ByteSource's contract: ranges checked, every failure a CheckpointError. */
function checked(file: ByteSource): ByteSource {
  const name = file.name ?? 'the file'
  return {
    size: file.size,
    name: file.name,
    async read(offset, length) {
      if (!(offset >= 0 && length >= 0 && offset + length <= file.size))
        throw new CheckpointError(
          `${name} has ${file.size} bytes; ${length} at offset ${offset} were asked for`,
        )
      try {
        return await file.read(offset, length)
      } catch (error) {
        throw new CheckpointError(`cannot read ${name}: ${messageOf(error)}`, { cause: error })
      }
    },
    close: () => file.close(),
  }
}

async function nothingToClose() {}

function fromMemory(bytes: Uint8Array, name?: string): ByteSource {
  const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length)
  return checked({ size: bytes.byteLength, name, read, close: nothingToClose })
}

function fromBlob(blob: Blob): ByteSource {
  const read = async (offset: number, length: number) =>
    new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer())
  const name = 'name' in blob ? String(blob.name) : undefined
  return checked({ size: blob.size, name, read, close: nothingToClose })
}

async function fromAddress(address: string | URL, options: FetchOptions): Promise<ByteSource> {
  const text = String(address)
  try {
    if (!/^(https?|data|blob):/i.test(text))
      return checked(await openFile(/^file:/i.test(text) ? new URL(text) : text))
    const response = await fetch(text, { signal: options.signal })
    return await fromResponse(response, options, text)
  } catch (error) {
    throwIfAborted(options.signal)
    if (error instanceof CheckpointError) throw error
    const shown = text.length > 200 ? `${text.slice(0, 200)}...` : text
    throw new CheckpointError(`cannot open ${shown}: ${messageOf(error)}`, { cause: error })
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}

async function fromResponse(
  response: Response,
  options: FetchOptions,
  name = response.url,
): Promise<ByteSource> {
  if (!response.ok)
    throw new CheckpointError(`the server answered ${response.status} ${response.statusText} for ${name}`)
  const encoded = response.headers.has('content-encoding')
  const stated = Number(response.headers.get('content-length') ?? Number.NaN)
  const total = !encoded && stated > 0 ? stated : undefined
  const bytes = response.body ? await collect(response.body, options, total) : new Uint8Array()
  if (total !== undefined && bytes.length < total)
    throw new CheckpointError(
      `the download of ${name} ended after ${bytes.length} of ${total} bytes; try again`,
    )
  return fromMemory(bytes, name)
}

async function collect(stream: ReadableStream<Uint8Array>, options: FetchOptions, total?: number) {
  const { signal, onProgress } = options
  const reader = stream.getReader()
  const cancel = () => void reader.cancel(signal?.reason).catch(() => {})
  signal?.addEventListener('abort', cancel, { once: true })
  let buffer = new Uint8Array(Math.min(total ?? FIRST_CAPACITY, MAX_FIRST_CAPACITY))
  let loaded = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      throwIfAborted(signal)
      if (done) return buffer.subarray(0, loaded)
      if (!(value instanceof Uint8Array))
        throw new CheckpointError(`the stream yields ${typeof value}s; a stream of Uint8Arrays is expected`)
      buffer = withRoomFor(buffer, loaded, value.byteLength)
      buffer.set(value, loaded)
      loaded += value.byteLength
      onProgress?.({ phase: 'download', loaded, total })
    }
  } catch (error) {
    if (signal?.aborted) throw new AbortError(signal.reason)
    if (error instanceof CheckpointError) throw error
    throw new CheckpointError(`the download broke off after ${loaded} bytes: ${messageOf(error)}`, {
      cause: error,
    })
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}

function withRoomFor(buffer: Uint8Array<ArrayBuffer>, used: number, more: number): Uint8Array<ArrayBuffer> {
  if (used + more <= buffer.length) return buffer
  const larger = new Uint8Array(Math.max(2 * buffer.length, used + more))
  larger.set(buffer.subarray(0, used))
  return larger
}
