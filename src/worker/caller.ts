import { AbortError, DisposedError, throwIfAborted, WorkerError } from '../errors.js'
import type { RunOptions } from '../schedule.js'
import type { Link } from './link.js'
import { type CallName, type Calls, type Reply, revivedError } from './protocol.js'

interface Pending {
  resolve(value: unknown): void
  reject(error: unknown): void
  onProgress: RunOptions['onProgress']
}

/** The near side of a worker: matches replies to calls. */
export class Caller {
  /** Size of the worker's WebAssembly memory at the last reply. */
  memoryBytes = 0
  readonly #link: Link
  readonly #pending = new Map<number, Pending>()
  #last = 0
  #end: (() => Error) | undefined

  constructor(link: Link) {
    this.#link = link
    link.onMessage(message => this.#receive(message as Reply))
    link.onFailure(reason => {
      this.#finish(() => new WorkerError(`the worker failed: ${reason}; create another one`))
    })
  }

  throwIfEnded(): void {
    if (this.#end) throw this.#end()
  }

  /** Rejects at once with AbortError when the signal fires; the worker is told to stop. */
  async call<Name extends CallName>(
    name: Name,
    body: Calls[Name][0],
    { signal, onProgress }: RunOptions,
    moved: readonly ArrayBuffer[] = [],
  ): Promise<Calls[Name][1]> {
    this.throwIfEnded()
    throwIfAborted(signal)
    const id = ++this.#last
    const abort = () => {
      this.#link.post({ id, call: 'abort' })
      this.#settle(id)?.reject(new AbortError(signal?.reason))
    }
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject, onProgress })
        this.#link.hold(true)
        signal?.addEventListener('abort', abort)
        try {
          this.#link.post({ id, call: name, body }, moved)
        } catch (cause) {
          reject(new WorkerError(`this cannot be sent to a worker: ${(cause as Error).message}`, { cause }))
        }
      })
    } finally {
      this.#settle(id)
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Ends the worker; what is pending rejects with DisposedError. */
  end(): void {
    this.#finish(() => new DisposedError())
  }

  #receive(reply: Reply): void {
    if (reply.kind === 'progress') {
      this.#pending.get(reply.id)?.onProgress?.(reply.progress)
      return
    }
    if (reply.kind === 'value') this.memoryBytes = reply.memoryBytes
    const call = this.#settle(reply.id)
    if (reply.kind === 'value') call?.resolve(reply.value)
    else call?.reject(revivedError(reply.error))
  }

  /** The call that waits for this reply, which it does no longer. */
  #settle(id: number): Pending | undefined {
    const call = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#link.hold(false)
    return call
  }

  #finish(error: () => Error): void {
    if (this.#end) return
    this.#end = error
    this.#link.terminate()
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(error())
  }
}
