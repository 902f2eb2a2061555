// What the benchmarks leave in bench/results/, as far as the report reads it.
import { readdirSync, readFileSync } from 'node:fs'

const FOLDER = new URL('results/', import.meta.url)

/** Of `npm run bench`. Real-time factor: seconds of compute per second of audio. */
export interface RunResult {
  date: string
  machine: string
  node: string
  build: string
  seconds: number
  variant: string
  peakGflops: number
  peakIntegerGops?: number
  /** Reading so many bytes again and again. */
  readGBs?: { '512 KiB': number; '4 MiB': number }
  matmul: { shape: string; gflops: number }[]
  encode: Reading
  decode: Reading
  decodeQ8?: Reading
  lengths?: { task: string; seconds: number; realTimeFactor: number; bytes: number }[]
  /** Wall clock. */
  threads?: { threads: number; encode: number; decode: number }[]
  memory: { weights: number; encode: number; decode: number }
  coreMs: number
  coldStart: { bootMs: number; importMs: number; loadMs: number; encodeMs: number; firstTokenMs: number }
}

interface Reading {
  stages: Share[]
  kernels: Share[]
}

export interface Share {
  name: string
  realTimeFactor: number
  gflops: number
}

/** One comparison of `npm run bench:peers`. The first engine is wavtok. */
export interface Comparison {
  name: string
  date: string
  cpu: string
  load: number
  node: string
  seconds: number
  threads: number
  engines: {
    engine: string
    version: string
    minMs: number
    minCpuMs: number
    heapMB: number
    peakRssMB: number
  }[]
  ratios: { minimaWall: number; minimaCpu: number; medianPerRound: number }
  cold?: { ratio: number; ms: number[]; cpuMs: number[] }
}

/** Of `bench/peers/sizes.mjs`, bytes. */
export interface SizeResult {
  date: string
  packages: {
    name: string
    installed: number
    files: { name: string; raw: number; gzip: number; brotli: number }[]
  }[]
}

const read = (name: string) => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))
const named = (pattern: RegExp) =>
  readdirSync(FOLDER)
    .filter(name => pattern.test(name))
    .sort()

export function runResults(): RunResult[] {
  return named(/^run-\d+\.json$/).map(read)
}

export function sizeResult(): SizeResult | undefined {
  const last = named(/^sizes-.*\.json$/).at(-1)
  return last && read(last)
}

/** One run of `npm run bench:peers`, as its report.mjs writes it. */
interface PeersReport {
  date: string
  machine: { cpu: string; loadAverage: number[] }
  options: { seconds: number; threads: number }
  tasks: Record<string, Task>
}

interface Task {
  engines: (Comparison['engines'][number] & { node: string })[]
  ratios: Comparison['ratios']
  coldStart?: { ratio: number; starts: Record<string, { spawnToExitMs: number; cpuMs: number }[]> }
}

/** The newest measurement of every comparison on every Node version. */
export function comparisons(): Comparison[] {
  const newest = new Map<string, Comparison>()
  for (const report of named(/^peers-.*\.json$/).flatMap(name => read(name) as PeersReport[]))
    for (const [name, task] of Object.entries(report.tasks)) {
      const { engines, ratios } = task
      const { seconds, threads } = report.options
      const [{ node }] = engines
      newest.set(`${name} ${node}`, {
        ...{ name, date: report.date, cpu: report.machine.cpu, load: report.machine.loadAverage[0] },
        ...{ node, seconds, threads, engines, ratios, cold: coldStart(task) },
      })
    }
  return [...newest.values()]
}

function coldStart({ engines, coldStart }: Task): Comparison['cold'] {
  if (!coldStart) return undefined
  const starts = engines.map(({ engine }) => coldStart.starts[engine])
  return {
    ratio: coldStart.ratio,
    ms: starts.map(runs => Math.min(...runs.map(run => run.spawnToExitMs))),
    cpuMs: starts.map(runs => Math.min(...runs.map(run => run.cpuMs))),
  }
}
