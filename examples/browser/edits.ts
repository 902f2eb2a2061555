// What can be done with tokens by hand. Nothing here knows about the page.
import type { AudioTokens } from '../../src/index.js'

/** Frames [start, end). */
export interface Selection {
  readonly start: number
  readonly end: number
}

/** Without the selected frames. */
export function cut(tokens: AudioTokens, { start, end }: Selection): AudioTokens {
  return tokens.slice(0, start).concat(tokens.slice(end))
}

/** The selected frames twice in a row. */
export function repeat(tokens: AudioTokens, { start, end }: Selection): AudioTokens {
  return tokens.slice(0, end).concat(tokens.slice(start))
}

/** `segment` in place of the selected frames. */
export function replace(tokens: AudioTokens, { start, end }: Selection, segment: AudioTokens): AudioTokens {
  return tokens.slice(0, start).concat(segment, tokens.slice(end))
}

/** States that can be gone back to. */
export class History<T> {
  readonly #states: T[]
  #at = 0

  constructor(first: T) {
    this.#states = [first]
  }

  get current(): T {
    return this.#states[this.#at]
  }

  get canUndo(): boolean {
    return this.#at > 0
  }

  get canRedo(): boolean {
    return this.#at < this.#states.length - 1
  }

  /** Another form of the current state. */
  amend(state: T): void {
    this.#states[this.#at] = state
  }

  /** A new state; those that were undone are forgotten. */
  push(state: T): void {
    this.#states.splice(++this.#at, Number.POSITIVE_INFINITY, state)
  }

  undo(): T {
    if (this.canUndo) this.#at--
    return this.current
  }

  redo(): T {
    if (this.canRedo) this.#at++
    return this.current
  }
}
