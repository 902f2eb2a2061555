// How layers are joined: rows of [n, channels] f32 are pushed from one stage into the next, each stage keeping only the rows its
// window still needs. One mechanism serves whole clips (memory independent of length) and live streams (exact for any chunking).
import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import type { StreamState } from './state.js'

/** A place where rows go. Write `rows` rows at `reserve(rows)`, then `commit(rows)`; `end()` once. */
export interface RowSink {
  /** Elements per row (f32, or i32 for codes). */
  readonly channels: number
  /** Address with room for `rows` rows, valid until `commit`. */
  reserve(rows: number): Pointer
  commit(rows: number): void
  /** Compute all that can be computed from what has arrived, and pass it on. */
  drain(): void
  /** The input is complete: pad on the right, compute the rest, pass it on. A stage that has kept the clip leaves its work to the caller. */
  end(): Rest
  /** Saves or restores what is kept between rows, once drained, and passes `state` on. */
  keep(state: StreamState): void
}

/** Work that is left when a clip has ended, if there is any; yields the share done. `finish` does it. */
export type Rest = Generator<number> | undefined

/** Ends a graph and does what is left; yields the share done. */
export function* finish(stage: RowSink): Generator<number> {
  const rest = stage.end()
  if (rest) yield* rest
}

/** A part of a graph: opens as a stage that pushes its output into `sink`. */
export interface Layer {
  open(region: Region, sink: RowSink): RowSink
}

/** Sees every row that leaves a named stage: (name, pointer, rows, channels). For tests and profiles. */
export type Probe = (name: string, rows: Pointer, count: number, channels: number) => void

/** Joins named layers, first to last, in front of `sink`. */
export function pipeline(
  region: Region,
  layers: readonly (readonly [name: string, layer: Layer])[],
  sink: RowSink,
  probe?: Probe,
): RowSink {
  return layers.reduceRight(
    (next, [name, layer]) => layer.open(region, probe ? tapped(name, next, probe) : next),
    sink,
  )
}

function tapped(name: string, sink: RowSink, probe: Probe): RowSink {
  let rowsAt: Pointer = 0
  return {
    channels: sink.channels,
    reserve: rows => (rowsAt = sink.reserve(rows)),
    commit(rows) {
      probe(name, rowsAt, rows, sink.channels)
      sink.commit(rows)
    },
    drain: () => sink.drain(),
    end: () => sink.end(),
    keep: state => sink.keep(state),
  }
}

/** A queue of rows in linear memory: written at the back, read and dropped at the front. */
export class RowQueue {
  readonly channels: number
  /** Rows held. */
  length = 0
  private readonly region: Region
  private memory: Pointer = 0
  private capacity = 0
  private first = 0

  constructor(region: Region, channels: number) {
    this.region = region
    this.channels = channels
  }

  /** Address of row `row`, counted from the front. */
  at(row: number): Pointer {
    return this.memory + (this.first + row) * this.channels * 4
  }

  /** Address with room for `rows` rows behind the last. */
  reserve(rows: number): Pointer {
    if (this.first + this.length + rows > this.capacity) this.makeRoom(rows)
    return this.at(this.length)
  }

  drop(rows: number): void {
    this.first += rows
    this.length -= rows
  }

  /** Copies row `from` to row `to` (both counted from the front). */
  copyRow(to: number, from: number): void {
    const size = this.channels * 4
    const target = this.region.heap.bytes(this.at(to), size)
    target.set(this.region.heap.bytes(this.at(from), size))
  }

  zero(row: number, rows: number): void {
    this.region.heap.f32(this.at(row), rows * this.channels).fill(0)
  }

  /** The rows held. */
  keep(state: StreamState): void {
    const length = state.count(this.length)
    if (state.restores) {
      this.drop(this.length)
      this.reserve(length)
      this.length = length
    }
    state.memory(this.at(0), length * this.channels)
  }

  private makeRoom(rows: number): void {
    const needed = this.length + rows
    const held = this.length * this.channels * 4
    if (needed * 2 <= this.capacity) {
      const all = this.region.heap.bytes(this.memory, this.capacity * this.channels * 4)
      const from = this.first * this.channels * 4
      all.copyWithin(0, from, from + held)
    } else {
      const old = this.at(0)
      const memory = this.region.alloc(needed * 2 * this.channels)
      if (held) this.region.heap.bytes(memory, held).set(this.region.heap.bytes(old, held))
      if (this.capacity) this.region.release(this.memory)
      this.memory = memory
      this.capacity = needed * 2
    }
    this.first = 0
  }
}

/** Rows added around the input of a windowed layer. */
export interface Padding {
  left: number
  right: number
  mode: 'zero' | 'reflect' | 'replicate'
}

/** The window of a layer: output row t reads padded input rows [t * stride, t * stride + span). */
export interface Window {
  channels: number
  span: number
  stride: number
  padding: Padding
}

/**
 * Input side of a windowed layer. Pads as EnCodec's SConv1d does: `left` rows in front, `right` plus what completes the last
 * stride behind, in one reflection; inputs too short to reflect are first extended by zeros, which are dropped again.
 */
class WindowQueue {
  private readonly queue: RowQueue
  private readonly window: Window
  private readonly history: number
  private arrived = 0
  private opened: boolean
  private position = 0

  constructor(region: Region, window: Window) {
    this.window = window
    this.queue = new RowQueue(region, window.channels)
    const { left, right, mode } = window.padding
    this.history = mode === 'reflect' ? right + window.stride : 0
    this.opened = left === 0
    if (left > 0) {
      this.queue.reserve(left)
      this.queue.length = left
      if (mode === 'zero') {
        this.queue.zero(0, left)
        this.opened = true
      }
    }
  }

  reserve(rows: number): Pointer {
    return this.queue.reserve(rows)
  }

  commit(rows: number): void {
    this.queue.length += rows
    this.arrived += rows
    if (this.opened) return
    const { left, mode } = this.window.padding
    if (mode === 'replicate' && rows > 0) this.replicateLeft()
    else if (mode === 'reflect' && this.arrived > left) this.reflectLeft()
  }

  /** Output rows that can be computed now. */
  get ready(): number {
    const rows = this.queue.length - this.position
    if (!this.opened || rows < this.window.span) return 0
    return Math.floor((rows - this.window.span) / this.window.stride) + 1
  }

  /** Address of the first row of the next window. */
  get pointer(): Pointer {
    return this.queue.at(this.position)
  }

  advance(windows: number): void {
    this.position += windows * this.window.stride
    const surplus = this.position - this.history
    if (surplus > 0) {
      this.queue.drop(surplus)
      this.position -= surplus
    }
  }

  /** Pads on the right; no more input after this. */
  end(): void {
    if (this.arrived === 0) return
    const { stride, padding } = this.window
    const added = padding.right + Math.ceil(this.arrived / stride) * stride - this.arrived
    if (added === 0 && this.opened) return
    const real = this.queue.length
    this.queue.reserve(added + padding.left + 1)
    if (padding.mode === 'zero') this.queue.zero(real, added)
    else if (padding.mode === 'reflect') this.reflectRight(real, added)
    else for (let row = real; row < real + added; row++) this.queue.copyRow(row, real - 1)
    this.queue.length = real + added
  }

  keep(state: StreamState): void {
    this.arrived = state.number(this.arrived)
    this.opened = state.number(Number(this.opened)) === 1
    this.position = state.count(this.position)
    this.queue.keep(state)
    this.position = Math.min(this.position, this.queue.length)
  }

  private replicateLeft(): void {
    const { left } = this.window.padding
    for (let row = 0; row < left; row++) this.queue.copyRow(row, left)
    this.opened = true
  }

  private reflectLeft(): void {
    const { left } = this.window.padding
    for (let row = 1; row <= left; row++) this.queue.copyRow(left - row, left + row)
    this.opened = true
  }

  private reflectRight(real: number, added: number): void {
    const zeros = Math.max(0, Math.max(this.window.padding.left, added) - this.arrived + 1)
    const extended = real + zeros
    if (zeros) this.queue.zero(real, zeros)
    if (!this.opened) this.reflectLeft()
    for (let row = extended; row < real + added; row++) this.queue.copyRow(row, 2 * (extended - 1) - row)
  }
}

/**
 * A stage that computes `rows` output rows from windows of its input: `compute(output, input, rows)`, called with at most `block`
 * rows, as soon as `block` are ready. Only the block size, never the result, depends on how the input was cut. `keep` hands over what
 * `compute` keeps between calls.
 */
export function windowed(
  region: Region,
  window: Window,
  block: number,
  sink: RowSink,
  compute: (output: Pointer, input: Pointer, rows: number) => void,
  keep?: (state: StreamState) => void,
): RowSink {
  const input = new WindowQueue(region, window)
  const emit = (least: number) => {
    for (let ready = input.ready; ready >= least; ready = input.ready) {
      const rows = Math.min(ready, block)
      const output = sink.reserve(rows)
      compute(output, input.pointer, rows)
      input.advance(rows)
      sink.commit(rows)
    }
  }
  return {
    channels: window.channels,
    reserve: rows => input.reserve(rows),
    commit(rows) {
      input.commit(rows)
      emit(block)
    },
    drain() {
      emit(1)
      sink.drain()
    },
    end() {
      input.end()
      emit(1)
      return sink.end()
    },
    keep(state) {
      input.keep(state)
      keep?.(state)
      sink.keep(state)
    },
  }
}

/** Window of a layer that works row by row. */
export function pointwise(channels: number): Window {
  return { channels, span: 1, stride: 1, padding: { left: 0, right: 0, mode: 'zero' } }
}

/** Rows per block so that about `kibibytes` of `channels`-wide rows are in work at a time. */
export function blockRows(channels: number, kibibytes = 256): number {
  return Math.max(16, Math.floor((kibibytes * 256) / channels))
}
