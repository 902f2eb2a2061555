import { throwIfAborted } from './errors.js'

/** What `onProgress` receives: `loaded` of `total` (bytes for downloads and weights, a share of 1 for the rest). */
export interface Progress {
  phase: 'download' | 'weights' | 'encode' | 'decode'
  loaded: number
  total?: number
}

export interface RunOptions {
  /** Aborts the call with an AbortError. */
  signal?: AbortSignal
  onProgress?: (progress: Progress) => void
}

// The event loop gets a turn this often, so that timers, other requests and aborts are served while a clip is computed.
const SLICE_MS = 20

/** When the event loop got its last turn. */
export class Turns {
  #end = performance.now() + SLICE_MS

  get due(): boolean {
    return performance.now() >= this.#end
  }

  async take(): Promise<void> {
    await new Promise(resolve => setTimeout(resolve))
    this.#end = performance.now() + SLICE_MS
  }
}

/** Runs work that yields the share done, in slices; between them, progress is told and the signal looked at. */
export async function runSliced(
  work: Generator<number>,
  phase: Progress['phase'],
  { signal, onProgress }: RunOptions,
  turns = new Turns(),
): Promise<void> {
  try {
    for (const share of work) {
      throwIfAborted(signal)
      if (!turns.due) continue
      onProgress?.({ phase, loaded: share, total: 1 })
      await turns.take()
      throwIfAborted(signal)
    }
    onProgress?.({ phase, loaded: 1, total: 1 })
  } finally {
    work.return(0)
  }
}

/** Runs calls one after another, in the order in which they came; a failed call does not stop the next. */
export class Queue {
  private last: Promise<unknown> = Promise.resolve()

  run<T>(call: () => Promise<T>): Promise<T> {
    const result = this.last.then(call)
    this.last = result.catch(() => {})
    return result
  }
}
