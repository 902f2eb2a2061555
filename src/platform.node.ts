// Node, Deno and Bun: the web's answers plus a file system and threads. Bundled on its own, so plain Errors; callers wrap them.
import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parentPort, Worker as Thread } from 'node:worker_threads'
import { folderAt } from './platform.folder.js'

export { openFile } from './platform.file.js'
export { defaultWeights, sha256 } from './platform.web.js'

const HASHED_AT_ONCE = 1 << 22

export async function sha256OfFile(file: {
  size: number
  read(offset: number, length: number): Promise<Uint8Array>
}): Promise<string> {
  const hash = createHash('sha256')
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
  return `${createHash('sha256').update(url).digest('hex').slice(0, 24)}-${readable.slice(-64)}`
}

/**
 * Bun takes the web's Worker; Deno's cannot be told not to keep the process alive. What node was told about its own script (`-e`,
 * --input-type) is not for the worker's.
 */
export function startWorker(url: string | URL = new URL('./worker.node.js', import.meta.url)) {
  const isThread = typeof Worker === 'undefined' || 'Deno' in globalThis
  return isThread ? new Thread(url, { execArgv: [] }) : new Worker(url, { type: 'module' })
}

export function workerPort(): unknown {
  return parentPort ?? globalThis
}
