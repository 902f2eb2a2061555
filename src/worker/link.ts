// One face for the Worker of the web, the Worker of node:worker_threads, and the ends that they have inside.

/** What is used of a worker or of a worker's port. */
export interface Link {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void
  onMessage(listener: (message: unknown) => void): void
  /** The worker failed to start, threw outside a call, or is gone. */
  onFailure(listener: (reason: string) => void): void
  /** Whether a pending answer should keep the process alive. */
  hold(isHeld: boolean): void
  terminate(): void
}

interface NodeLike {
  on(event: string, listener: (value: never) => void): unknown
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void
  ref?(): void
  unref?(): void
  terminate?(): unknown
}

interface WebLike {
  addEventListener(event: string, listener: (event: never) => void): void
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void
  ref?(): void
  unref?(): void
  terminate?(): void
}

/** @throws TypeError for anything that is no worker */
export function linkTo(end: unknown): Link {
  const target = end as NodeLike & WebLike
  if (typeof target?.postMessage !== 'function')
    throw new TypeError('expected a Worker, of the web or of node:worker_threads')
  const base = {
    post: (message: unknown, transfer: readonly ArrayBuffer[] = []) => target.postMessage(message, transfer),
    hold: (isHeld: boolean) => (isHeld ? target.ref?.() : target.unref?.()),
    terminate: () => void target.terminate?.(),
  }
  return typeof target.addEventListener === 'function'
    ? { ...base, ...webEvents(target) }
    : { ...base, ...nodeEvents(target) }
}

function webEvents(target: WebLike): Pick<Link, 'onMessage' | 'onFailure'> {
  return {
    onMessage: listener => target.addEventListener('message', (event: MessageEvent) => listener(event.data)),
    onFailure(listener) {
      target.addEventListener('error', (event: ErrorEvent) => {
        event.preventDefault?.()
        listener(event.message || 'its script could not be loaded; workerUrl or createWorker say where it is')
      })
      target.addEventListener('messageerror', () => listener('a message could not be read'))
      target.addEventListener('close', () => listener('it ended')) // Bun
    },
  }
}

function nodeEvents(target: NodeLike): Pick<Link, 'onMessage' | 'onFailure'> {
  return {
    onMessage: listener => target.on('message', listener),
    onFailure(listener) {
      target.on('error', (error: Error) => listener(error?.message ?? String(error)))
      target.on('messageerror', () => listener('a message could not be read'))
      target.on('exit', (code: number) => listener(`it exited with code ${code}`))
    },
  }
}
