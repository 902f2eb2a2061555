// Numbers out of runs: agreement of results, minima, medians, ratios; a table and a JSON file.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'

const LEAST_EQUAL_CODES = 0.99
const LEAST_SNR_DB = 60
const RESULTS = new URL('../results/', import.meta.url)

/** Throws when the engines did not compute the same thing in f32, for then their speeds must not be compared. */
export function compareEvidence({ task, dtype }, [ours, peer]) {
  if (task === 'encode') {
    const [a, b] = [ours.evidence.codes, peer.evidence.codes]
    const equal = a.filter((code, frame) => code === b[frame]).length
    const agreement = { frames: b.length, equalCodes: equal }
    if (a.length === b.length && equal >= LEAST_EQUAL_CODES * b.length) return agreement
    throw new Error(`${equal} of ${a.length} and ${b.length} codes are equal; expected at least 99 %`)
  }
  const [a, b] = [ours.evidence.hop, peer.evidence.hop]
  const signal = b.reduce((sum, value) => sum + value ** 2, 0)
  const noise = b.reduce((sum, value, n) => sum + (value - a[n]) ** 2, 0)
  const snr = 10 * Math.log10(signal / noise)
  if (snr >= LEAST_SNR_DB || dtype !== 'f32') return { samples: b.length, audioSnrDb: round(snr, 1) }
  throw new Error(`the decoded audio agrees to ${snr.toFixed(1)} dB; expected at least ${LEAST_SNR_DB}`)
}

export function compareRuns(summaries, seconds) {
  const [ours, peer] = summaries
  const perRound = ours.runs.map((ms, i) => round(peer.runs[i] / ms, 3))
  return {
    engines: summaries.map(({ evidence, ...summary }) => ({
      ...summary,
      minMs: Math.min(...summary.runs),
      medianMs: median(summary.runs),
      minCpuMs: Math.min(...summary.cpuMs),
      medianCpuMs: median(summary.cpuMs),
      realTimeFactor: round(Math.min(...summary.runs) / 1000 / seconds, 4),
    })),
    ratios: {
      minimaWall: round(Math.min(...peer.runs) / Math.min(...ours.runs), 3),
      minimaCpu: round(Math.min(...peer.cpuMs) / Math.min(...ours.cpuMs), 3),
      medianPerRound: median(perRound),
      perRound,
    },
  }
}

export function environment(cores) {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: os.cpus()[0]?.model.trim(),
      cores: os.availableParallelism(),
      memoryGiB: Math.round(os.totalmem() / 2 ** 30),
      system: `${os.type()} ${os.release()} ${os.arch()}`,
      pinnedTo: cores,
      loadAverage: os.loadavg().map(load => round(load, 2)),
    },
    models: JSON.parse(readFileSync(new URL('.cache/models.json', import.meta.url), 'utf8')),
  }
}

function commit() {
  const git = (...args) =>
    execFileSync('git', args, { cwd: new URL('.', import.meta.url), encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    return git('rev-parse', 'HEAD') + (git('status', '--porcelain') ? ' with changes' : '')
  } catch {
    return null
  }
}

/** Appends to the day's file, a list with one entry per run of the benchmark. */
export function saveReport(report) {
  mkdirSync(RESULTS, { recursive: true })
  const file = fileURLToPath(new URL(`peers-${report.date.slice(0, 10)}.json`, RESULTS))
  const earlier = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
  writeFileSync(`${file}.partial`, `${JSON.stringify([...earlier, report], null, 1)}\n`)
  renameSync(`${file}.partial`, file)
  return file
}

export function printReport({ machine, models, options, tasks }) {
  const parameters = (models.parameters / 1e6).toFixed(0)
  console.log(
    `${machine.cpu}, ${machine.cores} cores, load ${machine.loadAverage[0]}; ${options.threads} thread(s)`,
  )
  console.log(
    `WavTokenizer ${models.config}, ${parameters} M parameters, ${options.seconds} s clip; minima of ${options.rounds} rounds`,
  )
  for (const [task, { engines, ratios, agreement, coldStart }] of Object.entries(tasks)) {
    console.log(`\n${task} (${JSON.stringify(agreement)})`)
    console.table(
      Object.fromEntries(
        engines.map(engine => [`${engine.engine} ${engine.version}`, row(engine, coldStart)]),
      ),
    )
    const { minimaWall, minimaCpu, medianPerRound, perRound } = ratios
    console.log(
      `wavtok is ${minimaWall}x as fast (minima; CPU time ${minimaCpu}x; median of rounds ${medianPerRound}x)`,
    )
    console.log(`per round: ${perRound.join(' ')}`)
    if (coldStart) console.log(`and ${coldStart.ratio}x sooner from spawn to exit with 1 s (minima)`)
  }
}

function row(engine, coldStart) {
  const starts = coldStart?.starts[engine.engine]
  const least = key => starts && Math.min(...starts.map(start => start[key]))
  return {
    node: engine.node,
    RTF: engine.realTimeFactor,
    'wall ms': engine.minMs,
    'median ms': engine.medianMs,
    'CPU ms': engine.minCpuMs,
    'heap MB': engine.heapMB,
    'RSS MB': engine.peakRssMB,
    'cold ms': least('spawnToExitMs'),
    'cold CPU ms': least('cpuMs'),
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return round(sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, 3)
}

function round(value, digits) {
  return Number(value.toFixed(digits))
}
