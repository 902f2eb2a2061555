// Node, Deno and Bun: the web's answers plus a file system and threads. Bundled on its own, so plain Errors; callers wrap them.
import { homedir } from 'node:os'
import { join } from 'node:path'
import { folderAt } from './platform.folder.js'

export { openFile } from './platform.file.js'
export { defaultWeights, sha256 } from './platform.web.js'

/** Asking for crypto.subtle, which nothing here needs, takes 3 ms. */
export function canHash(): boolean {
  return true
}

const HASHED_AT_ONCE = 1 << 22

// loaded by what needs them, since they take 3 and 2 ms
const crypto = () => process.getBuiltinModule('node:crypto')
const threads = () => process.getBuiltinModule('node:worker_threads')

export async function sha256OfFile(file: {
  size: number
  read(offset: number, length: number): Promise<Uint8Array>
}): Promise<string> {
  const hash = crypto().createHash('sha256')
  for (let at = 0; at < file.size; at += HASHED_AT_ONCE)
    hash.update(await file.read(at, Math.min(HASHED_AT_ONCE, file.size - at)))
  return hash.digest('hex')
}

/** Deno has the Cache API, which needs no permission. */
export function modelFolder() {
  if (typeof caches !== 'undefined') return undefined
  const place = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'wavtok')
  return folderAt(place, fileNameOf)
}

function fileNameOf(url: string): string {
  const last = new URL(url).pathname.split('/').at(-1) ?? ''
  const readable = last.replace(/[^\w.-]/g, '_')
  return `${crypto().createHash('sha256').update(url).digest('hex').slice(0, 24)}-${readable.slice(-64)}`
}

/**
 * Bun takes the web's Worker; Deno's cannot be told not to keep the process alive. What node was told about its own script (`-e`,
 * --input-type) is not for the worker's.
 */
export function startWorker(url: string | URL = new URL('./worker.node.js', import.meta.url)) {
  const isThread = typeof Worker === 'undefined' || 'Deno' in globalThis
  return isThread ? new (threads().Worker)(url, { execArgv: [] }) : new Worker(url, { type: 'module' })
}

export function workerPort(): unknown {
  return threads().parentPort ?? globalThis
}
