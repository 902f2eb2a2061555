// Helper threads for one tokenizer: workers of the same script as createWorkerTokenizer's, which compute their share of each product.
import { openFile, startWorker } from '#platform'
import { SCRATCH_BYTES } from '../bindings/kernels.js'
import { instantiateShared, type KernelBuild } from '../bindings/load.js'
import { Heap } from '../bindings/memory.js'
import { MAILBOX_BYTES, Team } from '../bindings/team.js'
import { type Link, linkTo } from './worker/link.js'

const PATIENCE_MS = 10_000

/** What a helper is told. */
export interface HelperOrders {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  mailbox: number
  scratch: number
  /** From 1 on; the first thread is 0. */
  thread: number
}

/** A core with `threads` threads; undefined where this runtime cannot share memory between threads. */
export async function startThreads(
  threads: number,
  deterministic: boolean,
): Promise<{ heap: Heap; build: KernelBuild } | undefined> {
  const core = await instantiateShared(deterministic, readBeside)
  if (!core) return undefined
  const { module, memory, kernels, build } = core
  const heap = new Heap(kernels)
  const zeroed = (bytes: number) => {
    const at = heap.alloc(bytes)
    heap.bytes(at, bytes).fill(0)
    return at
  }
  const mailbox = zeroed(MAILBOX_BYTES)
  const orders = Array.from({ length: threads - 1 }, (_, i) => {
    return { module, memory, mailbox, scratch: zeroed(SCRATCH_BYTES), thread: i + 1 }
  })
  const links: Link[] = []
  const end = () => {
    for (const link of links) link.terminate()
  }
  const team = new Team(memory, mailbox, threads, end)
  try {
    const open = (one: HelperOrders) => {
      const link = linkTo(startWorker())
      links.push(link)
      return started(link, one, reason => {
        team.lost ??= `a thread is gone: ${reason}`
      })
    }
    await Promise.all(orders.map(open))
  } catch {
    team.close()
    return undefined
  }
  heap.team = team
  return { heap, build }
}

/** The bytes of a file of this package: of a file system, or of the server that this module came from. */
async function readBeside(address: URL): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    if (address.protocol !== 'file:') {
      const response = await fetch(address)
      return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined
    }
    const file = await openFile(address)
    try {
      return (await file.read(0, file.size)) as Uint8Array<ArrayBuffer>
    } finally {
      await file.close()
    }
  } catch {
    return undefined
  }
}

/** Resolves when the helper waits for work. */
function started(link: Link, orders: HelperOrders, onLost: (reason: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the worker does not answer')), PATIENCE_MS)
    link.onFailure(reason => {
      clearTimeout(timer)
      onLost(reason)
      reject(new Error(reason))
    })
    link.onMessage(() => {
      clearTimeout(timer)
      link.hold(false)
      resolve()
    })
    link.post({ call: 'help', id: 0, body: orders })
  })
}
