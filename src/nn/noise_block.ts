import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { type PackedWeights, product } from './linear.js'
import { blockRows, type Layer, pointwise, type RowSink, windowed } from './rows.js'

// Sums of this many uniform values are near enough to normal ones.
const UNIFORM = 4
// Rows after which the noise of one stream would be that of the next: 46 minutes at 24 kHz.
const STREAM_BITS = 26
// Odd, so that no two seeds are one.
const SEED_STEP = 0x632be5ab

/** x + n * linear(x), with one value of white noise n a row (SNAC, section 3.2): the same for every cut and on every runtime. */
export class NoiseBlock implements Layer {
  private readonly linear: PackedWeights
  private readonly start: number

  /** `block`: which of a decoder's (0 to 15), each of which has noise of its own. */
  constructor(linear: PackedWeights, block: number, seed: number) {
    this.linear = linear
    this.start = Math.imul(block * UNIFORM, 1 << STREAM_BITS) + Math.imul(seed, SEED_STEP)
  }

  open(region: Region, sink: RowSink): RowSink {
    const { inputs: channels } = this.linear
    const block = blockRows(channels)
    const hidden = region.alloc(block * channels)
    const [noise, part] = [region.alloc(block), region.alloc(block)]
    let position = 0
    return windowed(
      region,
      pointwise(channels),
      block,
      sink,
      (out, input, rows) => {
        this.write(region, noise, part, position, rows)
        position += rows
        product(region, hidden, input, this.linear, rows)
        const length = rows * channels
        region.heap.f32(out, length).set(region.heap.f32(input, length))
        region.kernels.addScaledRowsF32(out, hidden, noise, rows, channels)
      },
      state => {
        position = state.number(position)
      },
    )
  }

  private write({ heap, kernels }: Region, noise: Pointer, part: Pointer, first: number, rows: number) {
    heap.f32(noise, rows).fill(0)
    for (let i = 0; i < UNIFORM; i++) {
      kernels.noiseF32(part, (this.start + Math.imul(i, 1 << STREAM_BITS) + first) | 0, rows)
      kernels.addF32(noise, part, rows)
    }
    kernels.affineF32(noise, noise, rows, 1 / Math.sqrt(UNIFORM), 0)
  }
}
