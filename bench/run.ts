// `npm run bench`: where the time goes, per stage, for WavTokenizer at its published size and for the default model.
// Options: --seconds 10, --rounds 3, --variant 75|40, --lengths (some minutes more), --json. Weights are seeded random numbers: speed does not depend on them.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { instantiateKernels } from '../bindings/load.js'
import { Heap, Region } from '../bindings/memory.js'
import type { Model } from '../src/models/model.js'
import { loadModel } from '../src/models/registry.js'
import { decode, encode } from '../tests/support/model.js'
import { randomArray } from '../tests/support/random.js'
import { lengthCosts } from './lengths.js'
import { matmulShapes } from './matmul.js'
import { Peak } from './peak.js'
import { type Cost, Profile } from './profile.js'
import { syntheticWavTokenizer } from './synthetic.js'
import { threadCosts } from './threads.js'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    variant: { type: 'string', default: '75' },
    lengths: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const seconds = Number(options.seconds)
const rounds = Number(options.rounds)
const ratios = options.variant === '40' ? [4, 5, 5, 6] : [2, 4, 5, 8]
const print = (line = '') => options.json || console.log(line)

const GROUPS: readonly (readonly [name: string, stages: RegExp])[] = [
  ['encoder convs', /^encoder\.model\.(?!14$)/],
  ['LSTM', /^encoder\.model\.14$/],
  ['VQ', /^codes$/],
  ['lookup, embed', /^(quantized|backbone\.embed)$/],
  ['pos_net', /^backbone\.pos_net/],
  ['ConvNeXt', /^backbone\.(norm|convnext|final)/],
  ['head', /^head/],
  ['inverse STFT', /^audio$/],
]

interface Group {
  name: string
  /** Seconds of compute per second of audio. */
  realTimeFactor: number
  gflops: number
}

function group(name: string, microseconds: number, flop: number): Group {
  return {
    name,
    realTimeFactor: microseconds / 1e6 / seconds,
    gflops: flop / Math.max(microseconds, 1) / 1000,
  }
}

function grouped(stages: ReadonlyMap<string, Cost>): Group[] {
  return GROUPS.map(([name, pattern]) => {
    let microseconds = 0
    let flop = 0
    for (const [stage, cost] of stages) {
      if (!pattern.test(stage)) continue
      microseconds += cost.microseconds
      flop += cost.flop
    }
    return group(name, microseconds, flop)
  }).filter(group => group.realTimeFactor > 0)
}

/** Kernels by their time, without the smallest, which add up to a hundredth. */
function byTime(calls: ReadonlyMap<string, Cost>): Group[] {
  const kernels = [...calls].map(([name, { microseconds, flop }]) => group(name, microseconds, flop))
  const least = 0.01 * total(kernels)
  return kernels
    .filter(({ realTimeFactor }) => realTimeFactor >= least)
    .sort((a, b) => b.realTimeFactor - a.realTimeFactor)
}

/** Time of stages, and of kernels, in one run. */
interface Reading {
  stages: Group[]
  kernels: Group[]
}

const total = (groups: readonly Group[]) => groups.reduce((sum, group) => sum + group.realTimeFactor, 0)

/** The best of several runs, by total time: one set of runs for stages, one for kernels. */
function best(run: () => void): Reading {
  const readings = (byKernel: boolean) => {
    profile.byKernel = byKernel
    run()
    return Array.from({ length: rounds }, () => {
      profile.reset()
      run()
      return byKernel ? byTime(profile.calls) : grouped(profile.stages)
    }).reduce((a, b) => (total(a) <= total(b) ? a : b))
  }
  return { stages: readings(false), kernels: readings(true) }
}

function table(title: string, groups: readonly Group[], peak: number): void {
  print(
    `\n${title}`.padEnd(28) +
      'real-time factor'.padStart(18) +
      'GFLOP/s'.padStart(10) +
      'of peak'.padStart(10),
  )
  for (const { name, realTimeFactor, gflops } of groups) {
    const share = gflops ? `${((100 * gflops) / peak).toFixed(0)} %` : ''
    print(
      name.padEnd(27) +
        realTimeFactor.toFixed(4).padStart(18) +
        (gflops ? gflops.toFixed(1) : '').padStart(10) +
        share.padStart(10),
    )
  }
  print('total'.padEnd(27) + total(groups).toFixed(4).padStart(18))
}

const peak = new Peak()
peak.measure()
const start = performance.now()
const { kernels } = await instantiateKernels(true)
const coreMs = performance.now() - start
const shapes = matmulShapes(new Heap(kernels))
peak.measure()

const { kernels: fresh, build } = await instantiateKernels(false)
const profile = new Profile(fresh)
const heap = new Heap(profile.kernels)
const region = new Region(heap)
const model: Model = await loadModel(region, syntheticWavTokenizer(ratios))
const weights = heap.used
const samples = randomArray(24_000 * seconds, 1, 0.3)
heap.peak = heap.used
let codes: number[] = []
const encoding = best(() => {
  codes = encode(region, model, samples, profile.probe, () => 6000)
})
const encodePeak = heap.peak - weights
heap.peak = heap.used
const decoding = best(() => decode(region, model, codes, profile.probe))
const decodePeak = heap.peak - weights
const q8 = await loadModel(new Region(heap), syntheticWavTokenizer(ratios), { dtype: 'q8', parts: 'decoder' })
const decodingQ8 = best(() => decode(region, q8, codes, profile.probe))
peak.measure()

print(
  `${os.cpus()[0].model}, Node ${process.version}, core build ${build}, one thread; peak ${peak.gflops.toFixed(1)} GFLOP/s (four-lane multiply, add)`,
)
print('\nmatrix product, rows x K x columns'.padEnd(46) + 'GFLOP/s'.padStart(10) + 'of peak'.padStart(10))
for (const { shape, gflops } of shapes)
  print(
    shape.padEnd(45) +
      gflops.toFixed(1).padStart(10) +
      `${((100 * gflops) / peak.gflops).toFixed(0)} %`.padStart(10),
  )
const readings = { encode: encoding, decode: decoding, 'decode q8': decodingQ8 }
for (const [task, { stages, kernels }] of Object.entries(readings)) {
  const limit = task === 'decode q8' ? peak.integerGops : peak.gflops
  table(`${task}, ${seconds} s at ${options.variant} tokens/s`, stages, limit)
  table(`${task} by kernel`, kernels, limit)
}
const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`
print(`\nmemory: weights ${mib(weights)}; beyond them, encode ${mib(encodePeak)}, decode ${mib(decodePeak)}`)
const lengths = options.lengths ? await lengthCosts(region, model) : undefined
for (const { task, seconds: length, realTimeFactor, bytes } of lengths ?? [])
  print(
    `${task} ${length} s: real-time factor ${realTimeFactor.toFixed(4)}, ${mib(bytes)} beyond the weights`,
  )
const threads = await threadCosts(syntheticWavTokenizer(ratios), 2 * rounds)
for (const { threads: count, encode, decode } of threads)
  print(
    `${count} thread${count > 1 ? 's' : ''}: encode ${encode.toFixed(4)}, decode ${decode.toFixed(4)} of real time (wall clock, same bits)`,
  )
const starts = Array.from({ length: 5 }, () =>
  JSON.parse(execFileSync(process.execPath, ['bench/cold-start.mjs'], { encoding: 'utf8' })),
)
const coldStart = starts.reduce((a, b) => (a.firstTokenMs <= b.firstTokenMs ? a : b))
print(
  `cold start, default model: core ready in ${coreMs.toFixed(1)} ms; first token of 1 s ${coldStart.firstTokenMs.toFixed(0)} ms after process start`,
)
// its exit status says whether bounds hold, which is no matter here
const size = spawnSync(process.execPath, ['scripts/size.mjs', '--json'], { encoding: 'utf8' })
const sizes = JSON.parse(size.stdout)
if (!options.json) spawnSync(process.execPath, ['scripts/size.mjs'], { stdio: 'inherit' })

const result = {
  date: new Date().toISOString(),
  machine: os.cpus()[0].model,
  node: process.version,
  build,
  seconds,
  variant: options.variant,
  peakGflops: peak.gflops,
  peakIntegerGops: peak.integerGops,
  readGBs: { '512 KiB': peak.smallGBs, '4 MiB': peak.largeGBs },
  matmul: shapes,
  encode: encoding,
  decode: decoding,
  decodeQ8: decodingQ8,
  lengths,
  threads,
  memory: { weights, encode: encodePeak, decode: decodePeak },
  coreMs,
  coldStart,
  sizes,
}
mkdirSync('bench/results', { recursive: true })
writeFileSync(`bench/results/run-${options.variant}.json`, `${JSON.stringify(result, null, 2)}\n`)
if (options.json) console.log(JSON.stringify(result))
