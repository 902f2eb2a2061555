// Mimi at its published size: real-time factor of CPU time on one thread, memory, and what one frame of a stream costs.
//   node --import tsx bench/mimi.ts [--seconds 10] [--rounds 3] [--json]
import os from 'node:os'
import { parseArgs } from 'node:util'
import { instantiateKernels } from '../bindings/load.js'
import { Heap, Region } from '../bindings/memory.js'
import type { Model } from '../src/models/model.js'
import { loadModel } from '../src/models/registry.js'
import { receiver } from '../src/nn/clip.js'
import { decode, encode } from '../tests/support/model.js'
import { randomArray } from '../tests/support/random.js'
import { syntheticMimi } from './synthetic.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
})
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)]
const samples = randomArray(24_000 * seconds, 1, 0.3)
const MIB = 2 ** 20

/** The least CPU time of `rounds` runs, seconds. */
function best(run: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const start = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(start)
    least = Math.min(least, (user + system) / 1e6)
  }
  return least
}

/** CPU time of a frame of 80 ms in a stream, milliseconds; the first second, which warms up, left out. */
function frameCosts(region: Region, model: Model, codebooks: number) {
  const local = region.child()
  const { heap } = region
  let codes: Int32Array = new Int32Array()
  const encoder = model.encoder(
    local,
    receiver(local, codebooks, at => {
      codes = heap.i32(at, codebooks).slice()
    }),
  )
  const decoder = model.decoder!(
    local,
    receiver(local, 1, () => {}),
    undefined,
    codebooks,
  )
  const frames: Float32Array[] = []
  for (let at = 0; at + 1920 <= samples.length; at += 1920) frames.push(samples.subarray(at, at + 1920))
  const encodeFrame = (frame: Float32Array) => {
    heap.f32(encoder.reserve(1920), 1920).set(frame)
    encoder.commit(1920)
    encoder.drain()
  }
  const decodeFrame = () => {
    heap.i32(decoder.reserve(1), codebooks).set(codes)
    decoder.commit(1)
    decoder.drain()
  }
  const perFrame = (work: (frame: Float32Array) => void) => {
    frames.slice(0, 12).forEach(work)
    const start = process.cpuUsage()
    frames.slice(12).forEach(work)
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1000 / (frames.length - 12)
  }
  const costs = { encodeFrameMs: perFrame(encodeFrame), decodeFrameMs: perFrame(decodeFrame) }
  local.free()
  return costs
}

const rows = []
for (const dtype of ['f32', 'f16', 'q8'] as const) {
  const { kernels, build } = await instantiateKernels(false)
  const heap = new Heap(kernels)
  const region = new Region(heap)
  const model = await loadModel(region, syntheticMimi(), { dtype, encoderDtype: dtype })
  const weightsMiB = heap.used / MIB
  for (const codebooks of [8, 32]) {
    heap.peak = heap.used
    let codes: number[] = []
    const encodeCpu = best(() => {
      codes = encode(region, model, samples, undefined, () => 6000, false, codebooks)
    })
    const decodeCpu = best(() => void decode(region, model, codes, undefined, codebooks))
    const beyondMiB = (heap.peak - heap.used) / MIB
    rows.push({
      dtype,
      build,
      codebooks,
      encode: encodeCpu / seconds,
      decode: decodeCpu / seconds,
      weightsMiB,
      beyondMiB,
      ...frameCosts(region, model, codebooks),
    })
  }
}

if (values.json)
  console.log(JSON.stringify({ machine: os.cpus()[0].model, node: process.version, seconds, rows }))
else {
  console.log(
    `${os.cpus()[0].model}, Node ${process.version}, one thread, ${seconds} s, load ${os.loadavg()[0].toFixed(1)}`,
  )
  console.log(
    'dtype  codebooks  encode  decode (of real time)  weights + rest, MiB  80 ms of a stream: encode, decode, ms',
  )
  for (const row of rows)
    console.log(
      `${row.dtype.padEnd(7)}${String(row.codebooks).padEnd(11)}${row.encode.toFixed(3).padEnd(8)}${row.decode.toFixed(3).padEnd(23)}` +
        `${row.weightsMiB.toFixed(0)} + ${row.beyondMiB.toFixed(0)}`.padEnd(21) +
        `${row.encodeFrameMs.toFixed(1)}, ${row.decodeFrameMs.toFixed(1)}`,
    )
}
