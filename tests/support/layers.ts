// Runs single layers: whole, and cut into chunks, which must not change a bit.
import type { Region } from '../../bindings/memory.js'
import { receiver } from '../../src/nn/clip.js'
import type { Layer } from '../../src/nn/rows.js'
import { identical } from './compare.js'
import { concat } from './model.js'
import { random } from './random.js'

/** Rows in and out of a layer, in elements. */
interface Channels {
  inputs: number
  outputs: number
}

/** What `layer` makes of rows pushed in chunks of the sizes that `chunks` gives. */
export function run(
  region: Region,
  layer: Layer,
  { inputs, outputs }: Channels,
  x: Float32Array,
  chunks = () => 1 << 20,
): Float32Array<ArrayBuffer> {
  const local = region.child()
  const { heap } = region
  const parts: Float32Array[] = []
  const sink = receiver(local, outputs, (at, rows) => parts.push(heap.f32(at, rows * outputs).slice()))
  const stage = layer.open(local, sink)
  for (let row = 0; row < x.length / inputs; ) {
    const count = Math.min(chunks(), x.length / inputs - row)
    heap.f32(stage.reserve(count), count * inputs).set(x.subarray(row * inputs, (row + count) * inputs))
    stage.commit(count)
    stage.drain()
    row += count
  }
  stage.end()
  local.free()
  return concat(parts)
}

/** The same, whole and cut; they must agree bit for bit. */
export function runBothWays(
  region: Region,
  layer: Layer,
  channels: Channels,
  x: Float32Array,
): Float32Array<ArrayBuffer> {
  const whole = run(region, layer, channels, x)
  const next = random(3)
  for (const most of [1, 4, 90])
    identical(
      run(region, layer, channels, x, () => 1 + Math.floor(((next() + 1) / 2) * most)),
      whole,
      `chunks of ${most}`,
    )
  return whole
}
