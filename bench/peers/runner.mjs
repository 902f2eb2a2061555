// The part that ort.mjs and wavtok.mjs share: command line, timing, memory, one JSON line.
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

const MIB = 2 ** 20

/**
 * Loads an engine, runs it once (cold), then `--runs` times, and prints one JSON line.
 * With `--on-request` it runs once per line of standard input instead, so that two processes can take turns.
 *
 * @param {string} name of the engine in the output
 * @param {(options: {model: 'wavtokenizer' | 'mini', task: 'encode' | 'decode', dtype: 'f32' | 'q8',
 *   seconds: number, threads: number}) => Promise<{
 *   version: string, run: () => Promise<unknown>, evidence: (result: unknown) => object }>} load
 *   `evidence` turns a result into something small that must agree between engines; it is not timed
 */
export async function runEngine(name, load) {
  try {
    await measureEngine(name, load)
  } catch (error) {
    // Node's own report of an uncaught error quotes the source line: a whole bundle
    process.stderr.write(`${error.stack}\n`)
    process.exitCode = 1
  }
}

async function measureEngine(name, load) {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: 'wavtokenizer' },
      task: { type: 'string', default: 'encode' },
      dtype: { type: 'string', default: 'f32' },
      seconds: { type: 'string', default: '10' },
      threads: { type: 'string', default: '1' },
      runs: { type: 'string', default: '5' },
      'on-request': { type: 'boolean', default: false },
    },
  })
  if (values.task !== 'encode' && values.task !== 'decode') {
    throw new Error(`--task is "${values.task}"; expected encode or decode`)
  }
  const [seconds, threads, runs] = ['seconds', 'threads', 'runs'].map(key => positive(key, values[key]))
  const memories = trackWasmMemory()

  const { model, task, dtype } = values
  const engine = await load({ model, task, dtype, seconds, threads })
  const first = await timed(engine.run)
  const coldStartMs = performance.now()
  const { user, system } = process.cpuUsage()

  const measured = []
  const measure = async () => {
    const { ms, cpuMs } = await timed(engine.run)
    measured.push({ ms, cpuMs })
    return { ms, cpuMs }
  }
  if (values['on-request']) {
    print({ ready: true })
    for await (const _ of createInterface({ input: process.stdin })) print(await measure())
  } else {
    while (measured.length < runs) await measure()
  }

  const heapBytes = [...memories].reduce((sum, memory) => sum + memory.buffer.byteLength, 0)
  print({
    engine: name,
    version: engine.version,
    node: process.version,
    task,
    dtype,
    seconds,
    threads,
    runs: measured.map(run => run.ms),
    cpuMs: measured.map(run => run.cpuMs),
    firstRunMs: first.ms,
    coldStartMs: round(coldStartMs),
    coldStartCpuMs: round((user + system) / 1000),
    peakRssMB: round(process.resourceUsage().maxRSS / 1024),
    heapMB: round(heapBytes / MIB),
    evidence: engine.evidence(first.result),
  })
}

async function timed(run) {
  const cpu = process.cpuUsage()
  const start = performance.now()
  const result = await run()
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  return { ms: round(ms), cpuMs: round((user + system) / 1000), result }
}

/** Collects every WebAssembly.Memory that an engine imports or exports from now on. */
function trackWasmMemory() {
  const memories = new Set()
  const { Memory, Instance, instantiate } = WebAssembly
  const note = instance => {
    for (const value of Object.values(instance.exports)) if (value instanceof Memory) memories.add(value)
    return instance
  }
  WebAssembly.Memory = new Proxy(Memory, {
    construct(target, args) {
      const memory = new target(...args)
      memories.add(memory)
      return memory
    },
  })
  WebAssembly.Instance = new Proxy(Instance, { construct: (target, args) => note(new target(...args)) })
  WebAssembly.instantiate = async (...args) => {
    const result = await instantiate(...args)
    note(result instanceof Instance ? result : result.instance)
    return result
  }
  return memories
}

function positive(name, text) {
  const value = Number(text)
  if (!(value > 0 || (name === 'runs' && value === 0)))
    throw new Error(`--${name} is "${text}"; expected a number above 0`)
  return value
}

function round(value) {
  return Math.round(value * 10) / 10
}

function print(object) {
  process.stdout.write(`${JSON.stringify(object)}\n`)
}
