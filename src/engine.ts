import { type Heap, Region } from '../bindings/memory.js'
import { DisposedError, throwIfAborted } from './errors.js'
import type { Model } from './models/model.js'
import { type Progress, Queue, type RunOptions, runSliced, type Turns } from './schedule.js'

/** A model in its core. One step runs at a time, in the order of asking; after `dispose()` none does. */
export class Engine {
  readonly model: Model
  readonly #queue = new Queue()
  #weights: Region | undefined

  constructor(weights: Region, model: Model) {
    this.#weights = weights
    this.model = model
  }

  /** The core's memory; throws DisposedError. */
  get heap(): Heap {
    if (!this.#weights) throw new DisposedError()
    return this.#weights.heap
  }

  /** Runs `step` alone. Rejects with AbortError or DisposedError where its turn comes too late. */
  exclusive<T>(signal: AbortSignal | undefined, step: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      throwIfAborted(signal)
      void this.heap
      const result = await step()
      void this.heap
      return result
    })
  }

  /** Runs one whole call alone, with a region of its own that is freed whatever happens. */
  call<T>(signal: AbortSignal | undefined, step: (region: Region) => Promise<T>): Promise<T> {
    return this.exclusive(signal, async () => {
      const region = new Region(this.heap)
      try {
        return await step(region)
      } finally {
        region.free()
      }
    })
  }

  /** Works off `work` in slices; between two of them the event loop gets a turn, and abort and disposal are looked at. */
  slice(
    work: Generator<number>,
    phase: Progress['phase'],
    options: RunOptions,
    turns?: Turns,
  ): Promise<void> {
    return runSliced(this.#whileAlive(work), phase, options, turns)
  }

  *#whileAlive(work: Generator<number>): Generator<number> {
    for (const share of work) {
      void this.heap
      yield share
    }
  }

  /** Frees `region` when no step is running any more. */
  free(region: Region): Promise<void> {
    return this.#queue.run(async () => region.free())
  }

  dispose(): void {
    const weights = this.#weights
    this.#weights = undefined
    if (weights) void this.free(weights).then(() => weights.heap.team?.close())
  }
}
