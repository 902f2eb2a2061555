/** Stable, machine-readable reasons. */
export type WavtokErrorCode = 'CHECKPOINT' | 'CONFIG' | 'AUDIO' | 'TOKENS' | 'DISPOSED' | 'ABORTED' | 'WORKER'

/** Base of everything this library throws on purpose. The message says what was found, what was expected, what to do. */
export class WavtokError extends Error {
  readonly code: WavtokErrorCode
  constructor(code: WavtokErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** A model file that cannot be read: wrong format, truncated, hostile, missing or mis-shaped tensors. */
export class CheckpointError extends WavtokError {
  constructor(message: string, options?: ErrorOptions) {
    super('CHECKPOINT', message, options)
  }
}

/** A model family or hyper-parameter this library does not know or cannot run. */
export class ConfigError extends WavtokError {
  constructor(message: string, options?: ErrorOptions) {
    super('CONFIG', message, options)
  }
}

/** Audio that cannot be read or encoded: not a WAV file, empty, NaN or infinite samples. */
export class AudioError extends WavtokError {
  constructor(message: string, options?: ErrorOptions) {
    super('AUDIO', message, options)
  }
}

/** Codes that do not belong to the model: out of range, wrong number of codebooks, ragged. */
export class TokenError extends WavtokError {
  constructor(message: string, options?: ErrorOptions) {
    super('TOKENS', message, options)
  }
}

/** A call on a tokenizer after `dispose()`. */
export class DisposedError extends WavtokError {
  constructor(what = 'tokenizer') {
    super('DISPOSED', `this ${what} was disposed; load a new one`)
  }
}

/** The call was aborted through its AbortSignal. `name` is 'AbortError', as with DOMException. */
export class AbortError extends WavtokError {
  constructor(reason?: unknown) {
    super('ABORTED', 'the operation was aborted', { cause: reason })
    this.name = 'AbortError'
  }
}

/** A worker that could not be started, crashed or was ended from outside; what it was asked for is lost. */
export class WorkerError extends WavtokError {
  constructor(message: string, options?: ErrorOptions) {
    super('WORKER', message, options)
  }
}

/** Throws AbortError if the signal fired. */
export function throwIfAborted(signal?: AbortSignal): void {
  if (signal?.aborted) throw new AbortError(signal.reason)
}
