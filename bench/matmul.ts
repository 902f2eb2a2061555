import { type Heap, Region } from '../bindings/memory.js'
import { packLinear, product } from '../src/nn/linear.js'
import { randomArray } from '../tests/support/random.js'

/** Rows, K and columns of the products that WavTokenizer spends its time in; a pitch below K: overlapping rows. */
const SHAPES: readonly (readonly [what: string, rows: number, k: number, columns: number, pitch?: number])[] =
  [
    ['ConvNeXt, expand', 750, 768, 2304],
    ['ConvNeXt, project', 750, 2304, 768],
    ['pos_net conv k3', 750, 2304, 768, 768],
    ['last encoder conv k7', 750, 3584, 512, 512],
    ['first encoder conv k7', 24_000, 7, 32, 1],
    ['residual block, 32 channels k3', 24_000, 96, 16, 32],
    ['strided conv 64 -> 128 k8 s4', 6000, 512, 128, 256],
    ['one row (streaming)', 1, 768, 2304],
  ]

/** GFLOP/s of each shape, CPU time, best of some rounds. */
export function matmulShapes(heap: Heap): { shape: string; gflops: number }[] {
  return SHAPES.map(([what, rows, k, columns, pitch = k]) => {
    const region = new Region(heap)
    const input = region.copy(randomArray(rows * pitch + k, 1))
    const packed = packLinear(region, randomArray(columns * k, 2), undefined, columns, k)
    const out = region.alloc(rows * columns)
    const flop = 2 * rows * k * columns
    const repeats = Math.max(1, Math.round(2e8 / flop))
    const run = () => {
      for (let i = 0; i < repeats; i++) product(region, out, input, packed, rows, { inputPitch: pitch })
    }
    run()
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < 7; round++) {
      const start = process.cpuUsage()
      run()
      best = Math.min(best, process.cpuUsage(start).user / repeats)
    }
    region.free()
    return { shape: `${what}: ${rows} x ${k} x ${columns}`, gflops: flop / best / 1000 }
  })
}
