// wavtok and onnxruntime-web side by side: the same weights, inputs and cores, taking turns.
import { parseArgs } from 'node:util'
import { coresToPin, ENGINES, startEngine, takeTurns } from './engines.mjs'
import { compareEvidence, compareRuns, environment, printReport, saveReport } from './report.mjs'

const USAGE = `npm run bench:peers -- [options]
  --seconds N     length of the clip (10)
  --rounds N      turns of each engine, at least 5 (7)
  --threads N     threads of each engine (1)
  --only NAME     encode, decode, "decode q8" or "default model" (all)
  --node PATH     Node binary that runs the engines (this one)
`
const COLD_SECONDS = 1

// Ratios come from turns, and from whole processes where `cold` is set. q8 is held against the peer's fastest int8 graph.
const COMPARISONS = {
  encode: { model: 'wavtokenizer', task: 'encode', dtype: 'f32', turns: true, cold: true },
  decode: { model: 'wavtokenizer', task: 'decode', dtype: 'f32', turns: true, cold: true },
  'decode q8': { model: 'wavtokenizer', task: 'decode', dtype: 'q8', turns: true, cold: false },
  'default model': { model: 'mini', task: 'encode', dtype: 'f32', turns: true, cold: true },
}

const options = readOptions()
const machine = { node: options.node, cores: coresToPin(options.threads) }
try {
  const { node: _, ...told } = options // a path of this machine; the engines tell their version
  const report = { ...environment(machine.cores), options: told, tasks: {} }
  for (const name of options.comparisons) {
    process.stderr.write(`${name}: ${options.rounds} rounds of ${options.seconds} s\n`)
    const { cold } = COMPARISONS[name]
    report.tasks[name] = {
      ...(await compare(COMPARISONS[name])),
      coldStart: cold ? await coldStarts(COMPARISONS[name]) : undefined,
    }
  }
  printReport(report)
  process.stderr.write(`written to ${saveReport(report)}\n`)
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}

async function compare(comparison) {
  const told = engineOptions(comparison, options.seconds)
  const results = await takeTurns(ENGINES, machine, options.rounds, () => told)
  return { agreement: compareEvidence(comparison, results), ...compareRuns(results, options.seconds) }
}

/** Whole processes from spawn to exit, in turns: load, compile, and the first second of audio. */
async function coldStarts(comparison) {
  const starts = Object.fromEntries(ENGINES.map(engine => [engine.name, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const engine of ENGINES) {
      const process = startEngine(engine, machine, { ...engineOptions(comparison, COLD_SECONDS), runs: 0 })
      process.finish()
      const { coldStartMs, coldStartCpuMs } = await process.next()
      const { ms } = await process.exited
      starts[engine.name].push({
        spawnToExitMs: Math.round(ms),
        firstResultMs: coldStartMs,
        cpuMs: coldStartCpuMs,
      })
    }
  }
  const [ours, peer] = ENGINES.map(({ name }) => Math.min(...starts[name].map(start => start.spawnToExitMs)))
  return { seconds: COLD_SECONDS, ratio: Number((peer / ours).toFixed(3)), starts }
}

function engineOptions({ model, task, dtype }, seconds) {
  return { model, task, dtype, seconds, threads: options.threads }
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      rounds: { type: 'string', default: '7' },
      threads: { type: 'string', default: '1' },
      only: { type: 'string' },
      node: { type: 'string', default: process.execPath },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(USAGE)
    process.exit(0)
  }
  const [seconds, rounds, threads] = [values.seconds, values.rounds, values.threads].map(Number)
  const comparisons = values.only ? [values.only] : Object.keys(COMPARISONS)
  const known = comparisons.every(name => Object.hasOwn(COMPARISONS, name))
  const valid = seconds > 0 && rounds >= 5 && threads >= 1 && known
  if (!valid) {
    process.stderr.write(USAGE)
    process.exit(2)
  }
  return { seconds, rounds, threads, comparisons, node: values.node }
}
