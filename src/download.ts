// One file over HTTP, into a draft: goes on where it broke off if the server can, and never leaves half a file behind.
import type { Bytes, Draft, Folder } from '#platform'
import { CheckpointError, throwIfAborted } from './errors.js'
import type { RunOptions } from './schedule.js'

/** Where drafts are. `place` is shown in messages. */
export type Downloads = Pick<Folder, 'place' | 'resume' | 'begin'>

const ATTEMPTS = 3
const PAUSE_MS = 100

/** The connection failed, as opposed to what came over it. */
class Interrupted extends Error {}

/** Downloads `url` into a draft, lets `check` see it, publishes it, and opens it. */
export async function download(
  url: string,
  downloads: Downloads,
  check: (file: Bytes) => Promise<void>,
  options: RunOptions,
): Promise<Bytes> {
  let draft = await downloads.resume(url).catch(() => undefined)
  try {
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(options.signal)
      const had = draft?.size ?? 0
      try {
        draft = await receive(url, downloads, draft, next => (draft = next), options)
        break
      } catch (error) {
        throwIfAborted(options.signal)
        if (!(error instanceof Interrupted)) throw error
        if ((draft?.size ?? 0) > had) attempt = 1 // it is getting on
        if (attempt >= ATTEMPTS) throw failed(url, draft?.size ?? 0, downloads.place, error)
        await new Promise(resolve => setTimeout(resolve, PAUSE_MS * attempt))
      }
    }
  } catch (error) {
    await draft?.suspend().catch(() => {})
    throw error
  }
  return published(draft, check)
}

async function published(draft: Draft, check: (file: Bytes) => Promise<void>): Promise<Bytes> {
  const file = await draft.open()
  try {
    await check(file)
  } catch (error) {
    await file.close()
    await draft.discard()
    throw error
  }
  await draft.publish()
  return file
}

function failed(url: string, size: number, place: string, cause: Error): CheckpointError {
  return size > 0
    ? new CheckpointError(
        `the download of ${url} broke off after ${size} bytes: ${cause.message}; try again`,
        { cause },
      )
    : new CheckpointError(
        `cannot download ${url}: ${cause.message}; it is not in ${place} yet, so the network is needed this once`,
        { cause },
      )
}

/** One request, with what has arrived before it if the server still has the same file. */
async function receive(
  url: string,
  downloads: Downloads,
  earlier: Draft | undefined,
  use: (draft: Draft) => void,
  { signal, onProgress }: RunOptions,
): Promise<Draft> {
  const canResume = earlier?.etag && earlier.size > 0
  // no If-Range, which needs a preflight across origins: the answer's ETag tells the same
  const headers: Record<string, string> = canResume ? { range: `bytes=${earlier.size}-` } : {}
  const response = await fetch(url, { signal, headers }).catch(cause => {
    throw new Interrupted(messageOf(cause), { cause })
  })
  const goesOn = response.status === 206 && continues(response, earlier)
  if (!goesOn && (!response.ok || response.status === 206)) {
    await response.body?.cancel()
    if (earlier && (response.status === 206 || response.status === 416)) {
      await earlier.discard()
      return receive(url, downloads, undefined, use, { signal, onProgress })
    }
    throw new CheckpointError(`the server answered ${response.status} ${response.statusText} for ${url}`)
  }
  if (earlier && !goesOn) await earlier.discard()
  const draft = goesOn ? (earlier as Draft) : await downloads.begin(url, strongEtag(response))
  use(draft)
  const length = response.headers.has('content-encoding')
    ? Number.NaN
    : Number(response.headers.get('content-length') || Number.NaN)
  const total = length >= 0 ? draft.size + length : undefined
  await copy(response, draft, loaded => {
    throwIfAborted(signal)
    onProgress?.({ phase: 'download', loaded, total })
  })
  if (total !== undefined && draft.size < total)
    throw new Interrupted(`${draft.size} of ${total} bytes arrived`)
  return draft
}

async function copy(response: Response, draft: Draft, tell: (loaded: number) => void): Promise<void> {
  const reader = response.body?.getReader()
  for (;;) {
    const next = await reader?.read().catch(cause => {
      throw new Interrupted(messageOf(cause), { cause })
    })
    if (!next || next.done) return
    await draft.append(next.value).catch(cause => {
      throw new CheckpointError(
        `cannot store the download: ${messageOf(cause)}; make room or set cache: false`,
        { cause },
      )
    })
    tell(draft.size)
  }
}

/** Does a partial answer begin where the draft ends, in the same file? */
function continues(response: Response, earlier: Draft | undefined): boolean {
  const start = response.headers.get('content-range')?.match(/^bytes (\d+)-/)?.[1]
  const etag = strongEtag(response)
  return earlier !== undefined && Number(start) === earlier.size && etag === earlier.etag
}

function strongEtag(response: Response): string | undefined {
  const etag = response.headers.get('etag')
  return etag && !etag.startsWith('W/') && !response.headers.has('content-encoding') ? etag : undefined
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
