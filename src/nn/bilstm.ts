import { Activation, type Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { type LstmLayer, type LstmWeights, packLstm, STEPS, stepper } from './lstm.js'
import { finish, type Layer, type RowSink } from './rows.js'
import type { StreamState } from './state.js'

/** The two directions of one layer. */
export interface BothWays<T> {
  readonly forward: T
  readonly backward: T
}

/**
 * Stacked LSTM that runs both ways (SpeechTokenizer modules/lstm.py, SLSTM): rows [n, H] in, [n, 2H] out, forward and backward states
 * side by side, the input added to each. No row is known before the clip ends, so that the clip is held: with two layers 16 H bytes
 * per row (its input, both directions of the first layer, and the second's backward states), with n layers 8 n H.
 */
export class BidirectionalSkipLstm implements Layer {
  private readonly hidden: number
  private readonly layers: readonly BothWays<LstmLayer>[]
  private readonly activation: Activation

  /** Input weights of the first layer see H channels, of all others 2H. */
  constructor(
    region: Region,
    hidden: number,
    layers: readonly BothWays<LstmWeights>[],
    activation: Activation = Activation.none,
  ) {
    this.hidden = hidden
    this.activation = activation
    this.layers = layers.map(({ forward, backward }) => ({
      forward: packLstm(region, forward),
      backward: packLstm(region, backward),
    }))
  }

  open(region: Region, sink: RowSink): RowSink {
    const input = new HeldRows(region, this.hidden)
    let room: Pointer = 0
    let capacity = 0
    return {
      channels: this.hidden,
      reserve(rows) {
        if (rows > capacity) {
          if (capacity) region.release(room)
          room = region.alloc(rows * input.channels)
          capacity = rows
        }
        return room
      },
      commit: rows => input.append(room, rows),
      drain() {},
      end: () => (input.length ? this.run(region, input, sink) : sink.end()),
      keep(state) {
        input.keep(state)
        sink.keep(state)
      },
    }
  }

  private *run(region: Region, input: HeldRows, sink: RowSink): Generator<number> {
    const { hidden, layers } = this
    const { length } = input
    const passes = new Passes(region, hidden, length)
    const last = layers.length - 1
    const share = 1 / (2 * layers.length)
    let done = 0
    const pass = function* (work: Generator<number>) {
      for (const part of work) yield (done + part) * share
      done++
    }
    let rows: readonly HeldRows[] = [input]
    for (const { forward, backward } of layers.slice(0, last)) {
      const both = [new HeldRows(region, hidden, length), new HeldRows(region, hidden, length)]
      yield* pass(passes.run(forward, rows, false, (block, states) => both[0].set(block, states, false)))
      yield* pass(passes.run(backward, rows, true, (block, states) => both[1].set(block, states, true)))
      rows = both
    }
    const behind = new HeldRows(region, hidden, length)
    const behindPass = passes.run(layers[last].backward, rows, true, (block, states) =>
      behind.set(block, states, true),
    )
    yield* pass(behindPass)
    const twice = region.alloc(STEPS * 2 * hidden)
    const lastPass = passes.run(layers[last].forward, rows, false, (block, states, count) => {
      const out = sink.reserve(count)
      copyRows(region, out, states, { rows: count, channels: hidden, pitch: 2 * hidden })
      behind.copyTo(out + hidden * 4, block, 2 * hidden)
      for (const half of [0, 1]) input.copyTo(twice + half * hidden * 4, block, 2 * hidden)
      region.kernels.addF32(out, twice, count * 2 * hidden)
      if (this.activation) region.kernels.activationF32(out, out, count * 2 * hidden, this.activation)
      sink.commit(count)
    })
    yield* pass(lastPass)
    yield* finish(sink)
  }
}

/** Runs single directions of single layers over a clip. */
class Passes {
  private readonly region: Region
  private readonly hidden: number
  private readonly length: number
  private readonly step: ReturnType<typeof stepper>
  private readonly window: Pointer // [STEPS][2 hidden]
  private readonly states: Pointer // [STEPS][hidden]

  constructor(region: Region, hidden: number, length: number) {
    this.region = region
    this.hidden = hidden
    this.length = length
    this.step = stepper(region, hidden)
    this.window = region.alloc(STEPS * 2 * hidden)
    this.states = region.alloc(STEPS * hidden)
  }

  /**
   * Hands `receive` the states of every block of rows, in the order of the steps: from last to first where `isReversed`. Yields the share
   * done after each.
   */
  *run(
    layer: LstmLayer,
    rows: readonly HeldRows[],
    isReversed: boolean,
    receive: (block: number, states: Pointer, count: number) => void,
  ): Generator<number> {
    const { region, hidden, length, window, states } = this
    const state = region.copy(new Float32Array(2 * hidden))
    const blocks = Math.ceil(length / STEPS)
    const pitch = rows.length * hidden
    for (let i = 0; i < blocks; i++) {
      const block = isReversed ? blocks - 1 - i : i
      for (const [index, part] of rows.entries())
        part.copyTo(window + index * hidden * 4, block, pitch, isReversed)
      const count = rows[0].rowsOf(block)
      this.step(layer, state, states, window, count)
      receive(block, states, count)
      yield (i + 1) / blocks
    }
    region.release(state)
  }
}

/** The rows of a clip in blocks of STEPS: a longer one costs no copying, and no memory but its own. */
class HeldRows {
  readonly channels: number
  length: number
  private readonly region: Region
  private readonly blocks: Pointer[] = []

  constructor(region: Region, channels: number, length = 0) {
    this.region = region
    this.channels = channels
    this.length = length
    for (let row = 0; row < length; row += STEPS) this.grow()
  }

  rowsOf(block: number): number {
    return Math.min(STEPS, this.length - block * STEPS)
  }

  append(from: Pointer, rows: number): void {
    const size = this.channels * 4
    for (let done = 0; done < rows; ) {
      const at = this.length % STEPS
      if (at === 0) this.grow()
      const count = Math.min(STEPS - at, rows - done)
      const target = this.blocks[this.blocks.length - 1] + at * size
      const { heap } = this.region
      heap.bytes(target, count * size).set(heap.bytes(from + done * size, count * size))
      this.length += count
      done += count
    }
  }

  /** Fills a block; `isReversed`: the first row given is its last. */
  set(block: number, from: Pointer, isReversed: boolean): void {
    const { region, channels } = this
    copyRows(region, this.blocks[block], from, { rows: this.rowsOf(block), channels, isReversed })
  }

  /** Copies a block to rows `pitch` elements apart; `isReversed`: its last row first. */
  copyTo(to: Pointer, block: number, pitch: number, isReversed = false): void {
    const { region, channels } = this
    copyRows(region, to, this.blocks[block], { rows: this.rowsOf(block), channels, pitch, isReversed })
  }

  keep(state: StreamState): void {
    this.length = state.count(this.length)
    while (this.blocks.length * STEPS < this.length) this.grow()
    for (const [block, at] of this.blocks.entries()) state.memory(at, this.rowsOf(block) * this.channels)
  }

  private grow(): void {
    this.blocks.push(this.region.alloc(STEPS * this.channels))
  }
}

interface Copied {
  rows: number
  channels: number
  /** Elements between the starts of two rows of the copy (default: channels). */
  pitch?: number
  isReversed?: boolean
}

function copyRows(region: Region, to: Pointer, from: Pointer, copied: Copied): void {
  const { rows, channels, pitch = channels, isReversed = false } = copied
  const bytes = new Uint8Array(region.kernels.memory.buffer)
  for (let row = 0; row < rows; row++) {
    const source = from + (isReversed ? rows - 1 - row : row) * channels * 4
    bytes.copyWithin(to + row * pitch * 4, source, source + channels * 4)
  }
}
