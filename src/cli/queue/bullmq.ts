// BullMQ on Redis, which is installed where it is wanted.
import { UsageError } from '../environment.js'

type Library = typeof import('bullmq')

/** What a worker is told: absolute paths, so that workers may run anywhere that sees the files. */
export interface QueuedFile {
  readonly input: string
  readonly output: string
  readonly format: 'wtok' | 'json' | 'npy' | 'txt'
  readonly codebooks?: number
  /** Made again where the output exists. */
  readonly force?: boolean
}

/** @throws UsageError where the library is not installed */
export async function loadBullmq(): Promise<Library> {
  try {
    return await import('bullmq')
  } catch (cause) {
    throw new UsageError('wavtok queue needs a library: npm install bullmq', { cause })
  }
}

/** Where Redis is: redis://[[user]:password@]host[:port][/database], rediss:// with TLS. @throws UsageError */
export function connectionOf(address: string | undefined) {
  const text = address ?? 'redis://127.0.0.1:6379'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^rediss?:$/.test(url.protocol))
    throw new UsageError(`--redis is '${text}', expected an address such as redis://127.0.0.1:6379`)
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    ...(url.username && { username: decodeURIComponent(url.username) }),
    ...(url.password && { password: decodeURIComponent(url.password) }),
    ...(url.pathname.length > 1 && { db: Number(url.pathname.slice(1)) }),
    ...(url.protocol === 'rediss:' && { tls: {} }),
    maxRetriesPerRequest: null, // as BullMQ asks of workers: they wait for Redis to come back
  }
}
