// Decoding by windows, for decoders that see a whole clip: each window is decoded with some tokens of context on both sides, and
// neighbours are cross-faded where they meet. An approximation; docs/streaming.md has its distance from the whole-clip decode.
import { ConfigError } from './errors.js'

/** How a long clip is cut for a decoder that sees the whole clip. Ignored where the decoder streams exactly. */
export interface WindowOptions {
  /** Seconds of audio that each window adds (default 4). More is closer to the whole-clip decode, later and larger. */
  windowSeconds?: number
  /** Seconds of tokens decoded beside a window on either side and thrown away (default 1). */
  contextSeconds?: number
}

const WINDOW_SECONDS = 4
const CONTEXT_SECONDS = 1
const FADE_SECONDS = 0.02

/** A stretch of frames to decode, and which of its samples to keep. */
export interface Window {
  /** Frames [first, last) to decode. */
  readonly first: number
  readonly last: number
  /** Samples to drop in front: context that the window before has given. */
  readonly skip: number
  /** Samples to keep behind those; `fade` more follow where another window comes. */
  readonly keep: number
}

/** Cuts frames into windows as they arrive. A clip of at most one window and its context is decoded whole, which is exact. */
export class WindowPlan {
  readonly #window: number
  readonly #context: number
  readonly #hop: number
  /** Samples over which neighbours are mixed, centred on the frame where they meet. */
  readonly fade: number
  #next = 0

  constructor(options: WindowOptions, frameRate: number, hopLength: number) {
    const { windowSeconds = WINDOW_SECONDS, contextSeconds = CONTEXT_SECONDS } = options
    if (!(windowSeconds > 0 && Number.isFinite(windowSeconds)))
      throw new ConfigError(`windows have a positive length in seconds, got ${windowSeconds}`)
    if (!(contextSeconds >= 0 && Number.isFinite(contextSeconds)))
      throw new ConfigError(`contextSeconds is 0 or more, got ${contextSeconds}`)
    this.#window = Math.max(1, Math.round(windowSeconds * frameRate))
    this.#context = Math.round(contextSeconds * frameRate)
    this.#hop = hopLength
    const half = Math.min(
      this.#context * hopLength,
      (this.#window * hopLength) >> 1,
      (FADE_SECONDS * frameRate * hopLength) >> 1,
    )
    this.fade = 2 * half
  }

  /** First frame that is still needed. */
  get first(): number {
    return Math.max(0, this.#next - this.#context)
  }

  /** The next window, if `frames` have arrived in all and it can be decoded; `ended`: no more frames come. */
  take(frames: number, ended: boolean): Window | undefined {
    const end = this.#next + this.#window
    const isLast = frames <= end + this.#context // until more arrives
    if ((isLast && !ended) || frames === this.#next) return undefined
    const { first } = this
    const last = isLast ? frames : end + this.#context
    const half = this.fade / 2
    const skip = this.#next === 0 ? 0 : (this.#next - first) * this.#hop - half
    const stop = (isLast ? frames : end) * this.#hop - (isLast ? 0 : half)
    this.#next = isLast ? frames : end
    return { first, last, skip, keep: stop - first * this.#hop - skip }
  }
}

/** Joins the samples of windows, taken in order. */
export class CrossFade {
  readonly #fade: number
  #tail = new Float32Array(0)

  constructor(fade: number) {
    this.#fade = fade
  }

  /** Samples that are final now: `keep` of them. Both windows decode the same tokens, so their weights add to one, not their squares. */
  join(samples: Float32Array<ArrayBuffer>, { skip, keep }: Window): Float32Array<ArrayBuffer> {
    const result = samples.slice(skip, skip + keep)
    const tail = this.#tail
    for (let i = 0; i < tail.length; i++) {
      const t = (i + 0.5) / tail.length
      const weight = t * t * (3 - 2 * t)
      result[i] = tail[i] + weight * (result[i] - tail[i])
    }
    const end = skip + keep
    this.#tail = samples.slice(end, Math.min(end + this.#fade, samples.length))
    return result
  }
}
