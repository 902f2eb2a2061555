import { AudioError } from '../errors.js'
import { cosPi, sinPi } from './sine.js'

// torchaudio.transforms.Resample with its defaults: Hann-windowed sinc, 6 zero crossings, roll-off 0.99.
const ZERO_CROSSINGS = 6
const ROLLOFF = 0.99

/** Filter tables above this many taps (16 MiB) are refused: only unrelated rates far above audio's reach it. */
const MAX_TAPS = 1 << 22

/** Input samples that the one-shot resampler feeds at a time, so that its working memory does not grow with the clip. */
const SLICE = 1 << 16

/**
 * Polyphase table of one rate pair. Phase `r` of `up` phases uses `count` contiguous taps, starting `first[r]` samples from
 * the block's first input sample. torchaudio's rows hold `2 width + down` taps; all but these are zero.
 */
class Filter {
  readonly down: number
  readonly up: number
  readonly count: number
  readonly first: Int32Array // [up]
  readonly taps: Float32Array // [up, count]
  readonly #ready: Uint8Array // [up]
  readonly #base: number

  constructor(fromRate: number, toRate: number) {
    const divisor = greatestCommonDivisor(fromRate, toRate)
    this.down = fromRate / divisor
    this.up = toRate / divisor
    this.#base = Math.min(this.down, this.up) * ROLLOFF
    const halfWidth = (ZERO_CROSSINGS * this.down) / this.#base
    this.count = Math.ceil(2 * halfWidth) + 2
    if (this.up * this.count > MAX_TAPS) {
      throw new AudioError(
        `resampling ${fromRate} Hz to ${toRate} Hz needs ${this.up * this.count} filter taps (limit ${MAX_TAPS}), ` +
          'because the rates share no large divisor; resample in two steps through a rate that divides well, such as 48000 Hz',
      )
    }
    this.first = Int32Array.from({ length: this.up }, (_, r) =>
      Math.floor(-this.#phase(r) * this.down - halfWidth),
    )
    this.taps = new Float32Array(this.up * this.count)
    this.#ready = new Uint8Array(this.up)
  }

  /** torchaudio divides integers in its default dtype: the phase -r/n is rounded to f32 before the rest is done in f64. */
  #phase(r: number): number {
    return Math.fround(-r / this.up)
  }

  /** Offset of phase `r` in `taps`; a row is computed when it is first needed, so that short clips at odd rates start at once. */
  row(r: number): number {
    const offset = r * this.count
    if (this.#ready[r] === 1) return offset
    for (let k = 0; k < this.count; k++) {
      const t = (this.#phase(r) + (this.first[r] + k) / this.down) * this.#base
      this.taps[offset + k] = Math.abs(t) < ZERO_CROSSINGS ? windowedSinc(t) * (this.#base / this.down) : 0
    }
    this.#ready[r] = 1
    return offset
  }
}

function windowedSinc(t: number): number {
  const cosine = cosPi(t / (2 * ZERO_CROSSINGS))
  return t === 0 ? 1 : (sinPi(t) / (Math.PI * t)) * cosine * cosine
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b]
  return a
}

/**
 * Streaming sample-rate converter, equal to `torchaudio.transforms.Resample(fromRate, toRate)` with default settings
 * (taps rounded to f32, sums in f64). However the input is cut into chunks, the concatenated output is bit-identical.
 *
 * @throws AudioError when a rate is not a positive integer, or when the pair needs an unreasonably large filter.
 */
export class Resampler {
  readonly #filter: Filter | undefined
  #pending: Float32Array
  #pendingStart: number
  #received = 0
  #produced = 0
  #ended = false

  constructor(fromRate: number, toRate: number) {
    checkRate(fromRate)
    checkRate(toRate)
    this.#filter = fromRate === toRate ? undefined : new Filter(fromRate, toRate)
    const padding = this.#filter ? -this.#filter.first[0] : 0
    this.#pending = new Float32Array(padding)
    this.#pendingStart = -padding
  }

  /**
   * Takes the next samples and returns the output that they complete (maybe none).
   *
   * @param chunk mono samples at the input rate, any length; not kept
   * @returns mono samples at the output rate, a fresh array
   * @throws AudioError after `end()`
   */
  push(chunk: Float32Array): Float32Array<ArrayBuffer> {
    if (this.#ended) throw new AudioError('this resampler was ended; create a new one for the next clip')
    this.#received += chunk.length
    return this.#filter ? this.#filterChunk(this.#filter, chunk) : chunk.slice()
  }

  /** Ends the clip and returns the last samples: in all, ceil(received * toRate / fromRate) come out. */
  end(): Float32Array<ArrayBuffer> {
    if (this.#ended) throw new AudioError('this resampler was ended already')
    this.#ended = true
    return this.#filter
      ? this.#filterChunk(this.#filter, new Float32Array(this.#filter.count + this.#filter.down))
      : new Float32Array(0)
  }

  /** Saves or restores what it knows of the samples so far: `state` returns what it is given, or what was saved. */
  keep(state: { number(value: number): number; array(values: Float32Array): Float32Array }): void {
    this.#pending = state.array(this.#pending)
    this.#pendingStart = state.number(this.#pendingStart)
    this.#received = state.number(this.#received)
    this.#produced = state.number(this.#produced)
  }

  #filterChunk(filter: Filter, chunk: Float32Array): Float32Array<ArrayBuffer> {
    const { down, up, count, first, taps } = filter
    const input = concatenate(this.#pending, chunk)
    const total = Math.ceil((this.#received * up) / down)
    const output = new Float32Array(Math.max(0, total - this.#produced))
    let made = 0
    let phase = this.#produced % up
    let block = ((this.#produced - phase) / up) * down - this.#pendingStart
    while (made < output.length && block + first[phase] + count <= input.length) {
      output[made++] = dot(taps, filter.row(phase), input, block + first[phase], count)
      if (++phase === up) {
        phase = 0
        block += down
      }
    }
    this.#produced += made
    const consumed = Math.min(input.length, block + first[phase])
    this.#pending = input.slice(consumed)
    this.#pendingStart += consumed
    return output.subarray(0, made)
  }
}

/** Four partial sums, always the same four: the order does not depend on how the input was cut. */
function dot(a: Float32Array, aAt: number, b: Float32Array, bAt: number, count: number): number {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let k = 0
  for (; k + 4 <= count; k += 4) {
    s0 += a[aAt + k] * b[bAt + k]
    s1 += a[aAt + k + 1] * b[bAt + k + 1]
    s2 += a[aAt + k + 2] * b[bAt + k + 2]
    s3 += a[aAt + k + 3] * b[bAt + k + 3]
  }
  for (; k < count; k++) s0 += a[aAt + k] * b[bAt + k]
  return s0 + s1 + (s2 + s3)
}

function concatenate(head: Float32Array, tail: Float32Array): Float32Array<ArrayBuffer> {
  const joined = new Float32Array(head.length + tail.length)
  joined.set(head)
  joined.set(tail, head.length)
  return joined
}

function checkRate(rate: number): void {
  if (!Number.isInteger(rate) || rate < 1) {
    throw new AudioError(`sample rates are positive whole numbers of Hz, got ${rate}`)
  }
}

/**
 * Resamples a whole mono clip: ceil(samples.length * toRate / fromRate) samples. (torchaudio 2.11 rounds that quotient to f32 first,
 * so beyond 5 s it sometimes gives one sample less.)
 *
 * @returns `samples` itself when the rates are equal
 * @throws AudioError as {@link Resampler}
 */
export function resample(samples: Float32Array, fromRate: number, toRate: number): Float32Array {
  const resampler = new Resampler(fromRate, toRate)
  if (fromRate === toRate) return samples
  const output = new Float32Array(Math.ceil((samples.length * toRate) / fromRate))
  let at = 0
  const append = (part: Float32Array) => {
    output.set(part, at)
    at += part.length
  }
  for (let from = 0; from < samples.length; from += SLICE)
    append(resampler.push(samples.subarray(from, from + SLICE)))
  append(resampler.end())
  return output
}
