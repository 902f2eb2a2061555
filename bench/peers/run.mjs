// wavtok and onnxruntime-web side by side: the same weights, inputs and cores, taking turns.
import { parseArgs } from 'node:util'
import { coresToPin, ENGINES, startEngine } from './engines.mjs'
import { compareEvidence, compareRuns, environment, printReport, saveReport } from './report.mjs'

const USAGE = `npm run bench:peers -- [options]
  --seconds N     length of the clip (10)
  --rounds N      turns of each engine, at least 5 (7)
  --threads N     threads of each engine (1)
  --only TASK     encode or decode (both)
  --node PATH     Node binary that runs the engines (this one)
`
const COLD_SECONDS = 1

const options = readOptions()
const machine = { node: options.node, cores: coresToPin(options.threads) }
try {
  const report = { ...environment(machine.cores), options, tasks: {} }
  for (const task of options.tasks) {
    process.stderr.write(`${task}: ${options.rounds} rounds of ${options.seconds} s\n`)
    report.tasks[task] = { ...(await takeTurns(task)), coldStart: await coldStarts(task) }
  }
  printReport(report)
  process.stderr.write(`written to ${saveReport(report)}\n`)
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}

/** Both engines are loaded and warm, then run in turns: A B A B ... */
async function takeTurns(task) {
  const running = []
  for (const engine of ENGINES) {
    const process = startEngine(engine, machine, [...engineOptions(task, options.seconds), '--on-request'])
    running.push(process)
    await process.next()
  }
  for (let round = 0; round < options.rounds; round++) {
    for (const engine of running) {
      engine.request()
      await engine.next()
    }
  }
  const summaries = []
  for (const engine of running) {
    engine.finish()
    summaries.push(await engine.next())
    await engine.exited
  }
  const agreement = compareEvidence(task, summaries)
  return { agreement, ...compareRuns(summaries, options.seconds) }
}

/** Whole processes from spawn to exit, in turns: load, compile, and the first second of audio. */
async function coldStarts(task) {
  const starts = Object.fromEntries(ENGINES.map(engine => [engine.name, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const engine of ENGINES) {
      const process = startEngine(engine, machine, [...engineOptions(task, COLD_SECONDS), '--runs', '0'])
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
  return { seconds: COLD_SECONDS, starts }
}

function engineOptions(task, seconds) {
  return ['--task', task, '--seconds', String(seconds), '--threads', String(options.threads)]
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
  const tasks = values.only ? [values.only] : ['encode', 'decode']
  const valid =
    seconds > 0 && rounds >= 5 && threads >= 1 && tasks.every(task => ['encode', 'decode'].includes(task))
  if (!valid) {
    process.stderr.write(USAGE)
    process.exit(2)
  }
  return { seconds, rounds, threads, tasks, node: values.node }
}
