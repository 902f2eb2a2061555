// A server of files that misbehaves on demand.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Behaviour {
  /** Strong unless it begins with W/; undefined: none. */
  etag?: string
  /** Answers Range requests. */
  ranges: boolean
  /** Cuts the connection after so many bytes of each answer. */
  breakAfter?: number
  /** Sends no content-length and ends after `breakAfter` as if all were sent. */
  silentlyShort?: boolean
  /** Milliseconds between pieces of 16 KiB. */
  pause?: number
  status?: number
}

export interface FileServer {
  readonly url: string
  readonly files: Map<string, Uint8Array>
  readonly behaviour: Behaviour
  /** `path` or `path range` of every request. */
  readonly requests: string[]
  close(): Promise<void>
}

const PIECE = 16_384

/** Serves `files` on a port of its own on localhost. */
export async function serveFiles(files: Record<string, Uint8Array>): Promise<FileServer> {
  const behaviour: Behaviour = { etag: '"v1"', ranges: true }
  const stored = new Map(Object.entries(files))
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = request.url!.split('?')[0].slice(1)
    requests.push([path, request.headers.range].filter(Boolean).join(' '))
    const bytes = stored.get(path)
    if (behaviour.status || !bytes) response.writeHead(behaviour.status ?? 404).end('no')
    else void answer(request, response, bytes, { ...behaviour })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files: stored,
    behaviour,
    requests,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Uint8Array,
  { etag, ranges, breakAfter, silentlyShort, pause }: Behaviour,
): Promise<void> {
  const range = ranges ? request.headers.range?.match(/^bytes=(\d+)-$/) : undefined
  const start = range ? Number(range[1]) : 0
  if (start >= bytes.length) return void response.writeHead(416).end()
  const headers: Record<string, string> = {}
  if (etag) headers.etag = etag
  if (range) headers['content-range'] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`
  if (!silentlyShort) headers['content-length'] = String(bytes.length - start)
  response.writeHead(range ? 206 : 200, headers)
  const end = Math.min(bytes.length, breakAfter === undefined ? bytes.length : start + breakAfter)
  for (let at = start; at < end; at += PIECE) {
    await new Promise(resolve => response.write(bytes.subarray(at, Math.min(end, at + PIECE)), resolve))
    await new Promise(resolve => setTimeout(resolve, pause ?? 0))
  }
  if (end < bytes.length && !silentlyShort) response.destroy()
  else response.end()
}
