// Models from the web, kept: found again without the network, checked, and stored only when complete.
import { modelFolder, sha256OfFile } from '#platform'
import { byteSource } from './checkpoints/bytes.js'
import { openCheckpoint } from './checkpoints/open.js'
import type { ByteSource } from './checkpoints/source.js'
import { type Downloads, download } from './download.js'
import { CheckpointError, throwIfAborted } from './errors.js'
import type { RunOptions } from './schedule.js'

type Bytes = Pick<ByteSource, 'size' | 'read' | 'close'>

/** A place for downloaded model files, keyed by their absolute URL without fragment. */
export interface ModelCache {
  /** The bytes stored for `url`; undefined where there are none. */
  match(url: string): Promise<Uint8Array | ArrayBuffer | Blob | Response | undefined>
  /** Stores complete, checked bytes. A rejection is ignored: the model loads without being kept. */
  put(url: string, bytes: Uint8Array<ArrayBuffer>): Promise<unknown>
}

export interface CacheOptions {
  /**
   * Where files from http(s) URLs are kept: by default the Cache API (`wavtok-models`) where there is one, else the directory
   * $XDG_CACHE_HOME/wavtok or ~/.cache/wavtok. `false`: nowhere. A file stays until its SHA-256 is asked for and differs.
   */
  cache?: ModelCache | false
  /** SHA-256 that the file must have, hexadecimal; for a list of files, one each (undefined: not checked). */
  sha256?: string | readonly (string | undefined)[]
}

export const CACHE_NAME = 'wavtok-models'
const CONFIGURATION = /\.(ya?ml|json)$/i

/** Where complete files are, and drafts of them. */
interface Store extends Downloads {
  /** Shown in messages. */
  readonly place: string
  find(url: string): Promise<Bytes | undefined>
  remove(url: string): Promise<void>
}

type RemoteOptions = RunOptions & Pick<CacheOptions, 'cache'>

/**
 * Opens a file from an http(s) URL: from the cache, else downloaded, checked and stored.
 *
 * @param sha256 what the file must hash to
 * @throws CheckpointError for a download that fails or breaks off, or a file that is damaged or another one; AbortError
 */
export async function openRemote(
  address: string | URL,
  sha256: string | undefined,
  options: RemoteOptions,
): Promise<ByteSource> {
  const { url, store, named } = locate(address, options)
  const check = (file: Bytes) => checkFile(named(file), url, sha256)
  const kept = await store.find(url).catch(() => undefined)
  if (kept) {
    try {
      await check(kept)
      throwIfAborted(options.signal)
      return named(kept)
    } catch (error) {
      await kept.close()
      if (!(error instanceof CheckpointError)) throw error
      await store.remove(url).catch(() => {}) // damaged, or replaced since
    }
  }
  return named(await download(url, store, check, options))
}

/** Opens a small file whose contents may change at its URL: downloaded, else what the cache has. Errors as `openRemote`. */
export async function openNewest(address: string | URL, options: RemoteOptions): Promise<ByteSource> {
  const { url, store, named } = locate(address, options)
  try {
    return named(await download(url, store, async () => {}, options))
  } catch (error) {
    throwIfAborted(options.signal)
    const kept = await store.find(url).catch(() => undefined)
    if (!kept) throw error
    return named(kept)
  }
}

function locate(address: string | URL, { cache }: RemoteOptions) {
  const { hash, href, pathname } = new URL(address)
  const named = (file: Bytes): ByteSource => ({
    size: file.size,
    name: pathname.slice(pathname.lastIndexOf('/') + 1),
    read: (offset, length) => file.read(offset, length),
    close: () => file.close(),
  })
  return { url: href.slice(0, href.length - hash.length), store: storeOf(cache), named }
}

/** Throws CheckpointError unless `file` hashes to `expected`. */
export async function checkSha256(file: Bytes, name: string, expected: string): Promise<void> {
  let found: string
  try {
    found = await sha256OfFile(file)
  } catch (cause) {
    throw new CheckpointError(`cannot check ${name}: ${(cause as Error).message}`, { cause })
  }
  if (found !== expected.toLowerCase())
    throw new CheckpointError(
      `${name} (${file.size} bytes) has SHA-256 ${found}, expected ${expected}; it is damaged or another file: get it again`,
    )
}

/** Is it the file that is asked for and, for weights, complete? Headers say where the last tensor ends. */
async function checkFile(file: ByteSource, url: string, sha256: string | undefined): Promise<void> {
  if (sha256) await checkSha256(file, url, sha256)
  if (CONFIGURATION.test(new URL(url).pathname)) return
  const checkpoint = await openCheckpoint({ ...file, close: async () => {} })
  await checkpoint.close()
}

function storeOf(cache: ModelCache | false | undefined): Store {
  if (cache === false) return memoryOnly('the cache, which is switched off,')
  if (cache) return keptBy(cache, 'the cache')
  const folder = modelFolder()
  if (folder)
    return {
      ...folder,
      begin: (url, etag) => folder.begin(url, etag).catch(() => new MemoryDraft(etag, async () => {})), // a read-only disk
    }
  if (typeof caches === 'undefined') return memoryOnly('a cache (this runtime has none)')
  return keptBy(webCache(), `the cache '${CACHE_NAME}'`)
}

function webCache(): ModelCache & { remove(url: string): Promise<unknown> } {
  const cache = () => caches.open(CACHE_NAME)
  return {
    match: async url => (await cache()).match(url),
    put: async (url, bytes) => {
      // edge caches keep only what says that it may be kept
      const headers = {
        'content-type': 'application/octet-stream',
        'cache-control': 'public, max-age=31536000',
      }
      await (await cache()).put(url, new Response(bytes, { headers }))
    },
    remove: async url => (await cache()).delete(url),
  }
}

function keptBy(cache: ModelCache & { remove?(url: string): Promise<unknown> }, place: string): Store {
  return {
    place,
    async find(url) {
      const found = await cache.match(url)
      if (found === undefined || found === null) return undefined
      return byteSource(found instanceof Response ? await found.blob() : found)
    },
    remove: async url => void (await cache.remove?.(url)),
    resume: async () => undefined,
    begin: async (url, etag) => new MemoryDraft(etag, bytes => cache.put(url, bytes)),
  }
}

function memoryOnly(place: string): Store {
  return {
    place,
    find: async () => undefined,
    remove: async () => {},
    resume: async () => undefined,
    begin: async (_url, etag) => new MemoryDraft(etag, async () => {}),
  }
}

const FIRST_CAPACITY = 1 << 20

/** A download held in memory until it is complete. */
export class MemoryDraft {
  readonly etag: string | undefined
  size = 0
  readonly #keep: (bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>
  #bytes = new Uint8Array(FIRST_CAPACITY)

  constructor(etag: string | undefined, keep: (bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>) {
    this.etag = etag
    this.#keep = keep
  }

  async append(bytes: Uint8Array): Promise<void> {
    const needed = this.size + bytes.length
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, needed))
      larger.set(this.#bytes.subarray(0, this.size))
      this.#bytes = larger
    }
    this.#bytes.set(bytes, this.size)
    this.size = needed
  }

  async open(): Promise<ByteSource> {
    return byteSource(this.#bytes.subarray(0, this.size))
  }

  async publish(): Promise<void> {
    await this.#keep(this.#bytes.subarray(0, this.size)).catch(() => {})
  }

  async suspend(): Promise<void> {}
  async discard(): Promise<void> {}
}
