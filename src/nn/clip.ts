// The few steps that must see a whole clip read and write it here.
import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { blockRows, type Layer, type RowSink } from './rows.js'

/** All rows of one clip: [rows, channels] f32. */
export class Clip {
  readonly rows: number
  readonly channels: number
  readonly pointer: Pointer
  private readonly region: Region

  constructor(region: Region, rows: number, channels: number) {
    this.region = region
    this.rows = rows
    this.channels = channels
    this.pointer = region.alloc(rows * channels)
  }

  at(row: number): Pointer {
    return this.pointer + row * this.channels * 4
  }

  /** A sink that fills the clip from its first row on. */
  writer(): RowSink {
    let row = 0
    return sink(
      this.channels,
      () => this.at(row),
      rows => {
        row += rows
      },
    )
  }

  /** A sink whose rows are added to the clip, from its first row on. */
  adder(region: Region, block: number): RowSink {
    let capacity = block
    let scratch = region.alloc(capacity * this.channels)
    let row = 0
    return sink(
      this.channels,
      rows => {
        if (rows > capacity) {
          region.release(scratch)
          capacity = rows
          scratch = region.alloc(capacity * this.channels)
        }
        return scratch
      },
      rows => {
        this.region.kernels.addF32(this.at(row), scratch, rows * this.channels)
        row += rows
      },
    )
  }

  /** Pushes all rows into `stage` and ends it; yields after each block, with the share done. */
  *pushInto(stage: RowSink): Generator<number> {
    const { heap } = this.region
    const block = blockRows(this.channels)
    for (let row = 0; row < this.rows; row += block) {
      const count = Math.min(block, this.rows - row)
      const bytes = count * this.channels * 4
      const target = stage.reserve(count)
      heap.bytes(target, bytes).set(heap.bytes(this.at(row), bytes))
      stage.commit(count)
      yield (row + count) / this.rows
    }
    stage.end()
  }

  /** Replaces the clip by what a layer of stride 1 makes of it: no row is overwritten before the layer has it. */
  *apply(region: Region, layer: Layer): Generator<number> {
    const local = region.child()
    yield* this.pushInto(layer.open(local, this.writer()))
    local.free()
  }

  free(): void {
    this.region.release(this.pointer)
  }
}

/** A last stage: rows arrive at `reserve(rows)` and are handed to `commit(rows)`. */
export function sink(
  channels: number,
  reserve: (rows: number) => Pointer,
  commit: (rows: number) => void,
): RowSink {
  return { channels, reserve, commit, drain() {}, end: () => undefined, keep() {} }
}

/** A last stage that shows what arrives to `receive(pointer, rows)`; the rows are gone when it returns. */
export function receiver(
  region: Region,
  channels: number,
  receive: (rows: Pointer, count: number) => void,
): RowSink {
  let room: Pointer = 0
  let capacity = 0
  return sink(
    channels,
    rows => {
      if (rows > capacity) {
        if (room) region.release(room)
        room = region.alloc(rows * channels)
        capacity = rows
      }
      return room
    },
    rows => receive(room, rows),
  )
}
