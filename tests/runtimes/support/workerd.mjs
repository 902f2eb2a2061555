import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { Miniflare } from 'miniflare'
import { compatibilityDate } from 'workerd'
import { WebSocket } from 'ws'
import { bundle } from './bundle.mjs'

export { compatibilityDate as newestDate }

/** Starts a module worker as Cloudflare's tools deploy it: the bundle, its `.wasm` files compiled ahead, `.safetensors` as data. */
export async function startWorker(entry, options) {
  const { code, assets } = await bundle(entry, { conditions: ['workerd', 'worker', 'browser'] })
  const binaries = Array.from(assets, ([path, file]) => ({
    type: path.endsWith('.wasm') ? 'CompiledWasm' : 'Data',
    path,
    contents: readFileSync(file),
  }))
  const worker = new Miniflare({
    modules: [{ type: 'ESModule', path: 'worker.js', contents: code }, ...binaries],
    ...options,
  })
  await worker.ready
  return worker
}

/**
 * The most memory, in bytes, that the worker's isolate has while `work` is going on, seen every 20 ms: `heap` for JavaScript objects,
 * `buffers` for ArrayBuffers and WebAssembly memories.
 */
export async function memoryOf(worker, work) {
  const [{ webSocketDebuggerUrl }] = await (await fetch(new URL('/json', await inspectorOf(worker)))).json()
  const socket = new WebSocket(webSocketDebuggerUrl)
  await once(socket, 'open')
  const peak = { heap: 0, buffers: 0 }
  let working = true
  const finished = work.catch(() => {}).then(() => (working = false))
  for (let id = 1; working; id++) {
    socket.send(JSON.stringify({ id, method: 'Runtime.getHeapUsage' }))
    const [message] = await once(socket, 'message')
    const { usedSize, backingStorageSize } = JSON.parse(message).result
    peak.heap = Math.max(peak.heap, usedSize)
    peak.buffers = Math.max(peak.buffers, backingStorageSize)
    await setTimeout(20)
  }
  await finished
  socket.close()
  return peak
}

async function inspectorOf(worker) {
  const url = await worker.getInspectorURL()
  url.protocol = 'http:'
  return url
}
