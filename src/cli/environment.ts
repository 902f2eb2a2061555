import type { AudioTokenizer, BytesInput, LoadOptions } from '../index.js'

/** Where text and bytes go. */
export interface Output {
  /** Resolves when the data was taken; rejects with PipeClosed when nobody reads any more. */
  write(data: string | Uint8Array): Promise<void>
  readonly isTerminal: boolean
  /** Width of the terminal in characters. */
  readonly columns: number
}

/** The part of a tokenizer that the verbs use. */
export type Tokenizer = Pick<AudioTokenizer, 'info' | 'encode' | 'decode' | 'dispose'> &
  Partial<Pick<AudioTokenizer, 'embed'>>

/** Everything outside the program that a verb touches except files; tests bring their own. */
export interface Environment {
  readonly version: string
  readonly stdin: AsyncIterable<Uint8Array>
  readonly stdout: Output
  readonly stderr: Output
  /** Fires on SIGINT and SIGTERM; its reason is the signal's name. */
  readonly signal: AbortSignal
  /** Milliseconds. */
  now(): number
  loadTokenizer(source: readonly BytesInput[] | undefined, options: LoadOptions): Promise<Tokenizer>
  /** The same in a thread of its own. */
  loadWorker(source: readonly BytesInput[] | undefined, options: LoadOptions): Promise<Tokenizer>
  /** The script of a thread that evaluates clips. */
  readonly evaluatorThread: URL
}

/** The command line makes no sense: one line, a pointer to the help, exit code 2. */
export class UsageError extends Error {}

/** The reader of stdout or stderr went away (`wavtok ... | head`): end quietly. */
export class PipeClosed extends Error {}
