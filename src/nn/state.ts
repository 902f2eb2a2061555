// What a stream still knows of its past, as bytes: each stage hands over its numbers and rows, in the order of the graph.
import type { Pointer } from '../../bindings/kernels.js'
import type { Heap } from '../../bindings/memory.js'
import { ConfigError } from '../errors.js'

/** One pass over all stages, which either notes what they hold or gives it back to them; the stages do the same in both. */
export class StreamState {
  /** True where the stages get back what was saved. */
  readonly restores: boolean
  private readonly heap: Heap
  private readonly parts: Uint8Array<ArrayBuffer>[] = []
  private readonly saved: Uint8Array
  private at = 0

  /** `saved`: what `bytes()` gave; absent: to be saved. */
  constructor(heap: Heap, saved?: Uint8Array) {
    this.heap = heap
    this.restores = saved !== undefined
    this.saved = saved ?? new Uint8Array()
  }

  /** A number: `value`, or the one that was saved. */
  number(value: number): number {
    if (!this.restores) {
      this.parts.push(new Uint8Array(Float64Array.of(value).buffer))
      return value
    }
    return new Float64Array(this.take(8).buffer)[0]
  }

  /** Rows that follow, each of at least 4 bytes, `most` of them. */
  count(value: number, most = Number.POSITIVE_INFINITY): number {
    const count = this.number(value)
    if (
      this.restores &&
      !(Number.isInteger(count) && count >= 0 && count <= most && 4 * count <= this.saved.length - this.at)
    )
      throw damaged()
    return count
  }

  /** `length` elements of linear memory. */
  memory(pointer: Pointer, length: number): void {
    if (this.restores) this.heap.bytes(pointer, 4 * length).set(this.take(4 * length))
    else this.parts.push(this.heap.bytes(pointer, 4 * length).slice())
  }

  /** An array that lives elsewhere: `values`, or those that were saved. */
  array(values: Float32Array): Float32Array {
    const length = this.count(values.length)
    if (this.restores) return new Float32Array(this.take(4 * length).buffer)
    this.parts.push(new Uint8Array(values.slice().buffer))
    return values
  }

  /** All that was saved, once every stage was asked. */
  bytes(): Uint8Array<ArrayBuffer> {
    const result = new Uint8Array(this.parts.reduce((length, part) => length + part.length, 0))
    let at = 0
    for (const part of this.parts) {
      result.set(part, at)
      at += part.length
    }
    return result
  }

  /** Every stage has what it had: nothing may be left over. */
  finish(): void {
    if (this.restores && this.at !== this.saved.length) throw damaged()
  }

  private take(length: number): Uint8Array<ArrayBuffer> {
    const end = this.at + length
    if (end > this.saved.length) throw damaged()
    const bytes = this.saved.slice(this.at, end)
    this.at = end
    return bytes
  }
}

function damaged(): ConfigError {
  return new ConfigError(
    'the saved state of the stream does not fit this model; it is incomplete or of another version',
  )
}
