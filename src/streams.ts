// Chunks in, results out: iteration, back-pressure, abort and clean-up, the same for every kind of stream.
import { AbortError, throwIfAborted } from './errors.js'

/** Where a stream's chunks come from. Iterables are asked for one chunk at a time. */
export type StreamSource<T> = AsyncIterable<T> | ReadableStream<T> | Iterable<T>

/** One clip under way, pushed by hand. Calls must not overlap. */
export interface Session<Piece, Result> {
  /** Takes the next piece; resolves with what it completes. */
  push(piece: Piece): Promise<Result | undefined>
  /** The clip is complete: resolves with the rest. */
  end(): Promise<Result | undefined>
  /**
   * What the session knows of the clip so far, as bytes: a session of the same model and options that restores them goes on as this
   * one would have, bit for bit with the same build of the core.
   * @throws ConfigError where the decoder sees whole clips, or after `end()`
   */
  save(): Promise<Uint8Array<ArrayBuffer>>
  /**
   * Takes over what another session saved, before anything was pushed. The weights must be the same: only their family, sizes and
   * dtypes are compared.
   * @throws ConfigError for bytes that are damaged or of another model, kind of session or number of codebooks
   */
  restore(saved: Uint8Array): Promise<void>
  /** Gives the session's memory back; allowed at any time, and needed at last. */
  close(): Promise<void>
}

/** How chunks of a source go through a session. */
export interface StreamPlan<Chunk, Piece, Result> {
  /** Called when the first result is asked for. */
  open(signal: AbortSignal): Session<Piece, Result> | Promise<Session<Piece, Result>>
  /** Checks a chunk and cuts it into pieces, so that results come early and memory is bounded for chunks of any size. */
  cut(chunk: Chunk): Iterable<Piece>
}

/** Results of a stream. Nothing is read ahead: each `next()` reads as many chunks as the next result needs. */
export interface StreamResults<Result> extends AsyncIterableIterator<Result> {
  next(): Promise<IteratorResult<Result, undefined>>
  /** Ends the stream: cancels the source, gives the memory back. A pending `next()` resolves as done. */
  return(): Promise<IteratorResult<Result, undefined>>
}

/** Runs `source` through a session. The session is closed and the source cancelled on every way out. */
export function streamed<Chunk, Piece, Result>(
  plan: StreamPlan<Chunk, Piece, Result>,
  source: StreamSource<Chunk>,
  signal?: AbortSignal,
): StreamResults<Result> {
  const reader = readerOf(source)
  const stop = new AbortController()
  const forward = () => stop.abort(signal?.reason)
  if (signal?.aborted) forward()
  else signal?.addEventListener('abort', forward, { once: true })
  const results = resultsOf(plan, reader, stop.signal)
  const done = { done: true, value: undefined } as const
  let returned = false
  return {
    async next() {
      try {
        const result = await results.next()
        if (result.done) signal?.removeEventListener('abort', forward)
        return result
      } catch (error) {
        signal?.removeEventListener('abort', forward)
        if (returned) return done
        throw error
      }
    },
    async return() {
      returned = true
      stop.abort()
      signal?.removeEventListener('abort', forward)
      await results.return(undefined)
      await reader.cancel()
      return done
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

async function* resultsOf<Chunk, Piece, Result>(
  plan: StreamPlan<Chunk, Piece, Result>,
  reader: Reader<Chunk>,
  signal: AbortSignal,
): AsyncGenerator<Result, undefined> {
  let session: Session<Piece, Result> | undefined
  let failure: unknown
  try {
    throwIfAborted(signal)
    session = await plan.open(signal)
    for (let next = await reader.next(signal); !next.done; next = await reader.next(signal)) {
      for (const piece of plan.cut(next.value)) {
        const result = await session.push(piece)
        if (result !== undefined) yield result
        throwIfAborted(signal)
      }
    }
    const rest = await session.end()
    if (rest !== undefined) yield rest
  } catch (error) {
    failure = error
    throw error
  } finally {
    await session?.close()
    await reader.cancel(failure)
  }
}

/** The same as a pair of streams: chunks are written into one, results read from the other, which pulls. */
export function transformStream<Chunk, Result>(
  results: (source: ReadableStream<Chunk>) => StreamResults<Result>,
): TransformStream<Chunk, Result> {
  const input = new TransformStream<Chunk, Chunk>()
  const output = results(input.readable)
  const readable = new ReadableStream<Result>(
    {
      async pull(controller) {
        const next = await output.next()
        if (next.done) controller.close()
        else controller.enqueue(next.value)
      },
      async cancel() {
        await output.return()
      },
    },
    { highWaterMark: 0 },
  )
  return { writable: input.writable, readable }
}

interface Reader<T> {
  next(signal: AbortSignal): Promise<IteratorResult<T, unknown>>
  /** Tells the source that no more is wanted; waits for it unless it still owes a chunk. */
  cancel(reason?: unknown): Promise<void>
}

function readerOf<T>(source: StreamSource<T>): Reader<T> {
  if (source instanceof ReadableStream) {
    // not its async iterator, which Safari lacks
    const reader = source.getReader()
    return reading(
      () => reader.read() as Promise<IteratorResult<T>>,
      reason => reader.cancel(reason),
    )
  }
  const asynchronous = (source as AsyncIterable<T>)?.[Symbol.asyncIterator]?.()
  const iterator = asynchronous ?? (source as Iterable<T>)?.[Symbol.iterator]?.()
  if (!iterator)
    throw new TypeError(`a stream's source is an AsyncIterable, a ReadableStream or an Iterable of chunks`)
  return reading(
    async () => iterator.next(),
    async () => iterator.return?.(),
  )
}

function reading<T>(
  read: () => Promise<IteratorResult<T, unknown>>,
  stop: (reason: unknown) => Promise<unknown>,
): Reader<T> {
  let pending = false
  let finished = false
  return {
    async next(signal) {
      pending = true
      const result = await orAborted(
        read().finally(() => {
          pending = false
        }),
        signal,
      )
      if (result.done) finished = true
      return result
    },
    async cancel(reason) {
      if (finished) return
      finished = true
      const stopped = stop(reason).catch(() => {})
      if (!pending) await stopped
    },
  }
}

/** `promise`, or AbortError as soon as `signal` fires. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = () => reject(new AbortError(signal.reason))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    void promise.then(resolve, reject).then(() => signal.removeEventListener('abort', abort))
  })
}
