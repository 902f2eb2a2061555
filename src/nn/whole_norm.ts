// Layers of a graph that is opened for one clip, or one segment of it, and normalizes over all of its rows.
import { Activation } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { Clip, sink as lastStage } from './clip.js'
import type { GroupNorm } from './norm.js'
import { blockRows, type Layer, pipeline, RowQueue, type RowSink } from './rows.js'

/** Layers one behind the other, as one. */
export function chain(...layers: Layer[]): Layer {
  return {
    open: (region, sink) =>
      pipeline(
        region,
        layers.map(layer => ['', layer] as const),
        sink,
      ),
  }
}

/**
 * A group norm over all rows, which are held until the end, then an activation; `front` and `back` rows count in the norm and are
 * dropped. (EnCodec modules/conv.py: NormConv1d, and NormConvTranspose1d before it is trimmed)
 */
export class WholeNorm implements Layer {
  private readonly norm: GroupNorm
  private readonly activation: Activation
  private readonly trim: { front: number; back: number }

  constructor(norm: GroupNorm, activation: Activation = Activation.none, trim = { front: 0, back: 0 }) {
    this.norm = norm
    this.activation = activation
    this.trim = trim
  }

  open(region: Region, sink: RowSink): RowSink {
    const { channels } = this.norm
    const queue = new RowQueue(region, channels)
    const emit = () => {
      const { front, back } = this.trim
      const normalise = this.norm.measure(region, { pointer: queue.at(0), rows: queue.length })
      const block = blockRows(channels)
      for (let row = front; row < queue.length - back; row += block) {
        const count = Math.min(block, queue.length - back - row)
        normalise(sink.reserve(count), queue.at(row), count, this.activation)
        sink.commit(count)
      }
    }
    return held(channels, queue, sink, emit)
  }
}

/** Appends rows of zeros to the clip, so that a transposed convolution behind gives what its last row reaches. */
export function withZeros(rows: number): Layer {
  return {
    open: (region, sink) => ({
      ...sink,
      end() {
        region.heap.f32(sink.reserve(rows), rows * sink.channels).fill(0)
        sink.commit(rows)
        return sink.end()
      },
    }),
  }
}

/** ELU(shortcut(x) + main(ELU(x))), where both normalize over all rows. (EnCodec modules/seanet.py, SEANetResnetBlock) */
export class WholeResBlock implements Layer {
  private readonly channels: number
  private readonly main: Layer
  private readonly shortcut: Layer

  constructor(channels: number, main: Layer, shortcut: Layer) {
    this.channels = channels
    this.main = main
    this.shortcut = shortcut
  }

  open(region: Region, sink: RowSink): RowSink {
    const { channels } = this
    const queue = new RowQueue(region, channels)
    const { kernels } = region
    const emit = () => {
      const rows = queue.length
      const count = rows * channels
      const local = region.child()
      const sum = new Clip(local, rows, channels)
      through(local, this.shortcut, queue, sum.writer())
      kernels.activationF32(queue.at(0), queue.at(0), count, Activation.elu)
      through(local, this.main, queue, sum.adder(local, blockRows(channels)))
      kernels.activationF32(sink.reserve(rows), sum.pointer, count, Activation.elu)
      sink.commit(rows)
      local.free()
    }
    return held(channels, queue, sink, emit)
  }
}

/** A stage that holds all rows, and passes on what `emit` makes of them at the end. */
function held(channels: number, queue: RowQueue, sink: RowSink, emit: () => void): RowSink {
  return {
    channels,
    reserve: rows => queue.reserve(rows),
    commit(rows) {
      queue.length += rows
    },
    drain() {},
    end() {
      if (queue.length) emit()
      return sink.end()
    },
    keep(state) {
      queue.keep(state)
      sink.keep(state)
    },
  }
}

function through(region: Region, layer: Layer, queue: RowQueue, into: RowSink): void {
  const stage = layer.open(region, lastStage(into.channels, into.reserve, into.commit))
  const block = blockRows(queue.channels)
  for (let row = 0; row < queue.length; row += block) {
    const count = Math.min(block, queue.length - row)
    const [to, size] = [stage.reserve(count), count * queue.channels] // may move the memory: views come after it
    region.heap.f32(to, size).set(region.heap.f32(queue.at(row), size))
    stage.commit(count)
  }
  stage.end()
}
