// Engines as child processes, pinned to the same cores and asked to run one at a time.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** wavtok first: ratios are peer / wavtok. */
export const ENGINES = [
  { name: 'wavtok', script: 'wavtok.mjs' },
  { name: 'onnxruntime-web', script: 'ort.mjs' },
]

/** The last `count` cores this process may use, where taskset exists; null elsewhere. */
export function coresToPin(count) {
  if (process.platform !== 'linux' || spawnSync('taskset', ['--version']).error) return null
  const list = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]
  const cores = list.split(',').flatMap(range => {
    const [first, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
  return cores.slice(-count).join(',')
}

/**
 * Starts an engine. `next()` resolves with its next JSON line; it rejects with what the process wrote to
 * standard error if it ended before that line.
 *
 * @param {{ name: string, script: string }} engine
 * @param {{ node: string, cores: string | null }} machine
 * @param {Record<string, string | number | true>} options for runner.mjs, by name
 */
export function startEngine(engine, machine, options) {
  const script = fileURLToPath(new URL(engine.script, import.meta.url))
  const command = [
    ...(machine.cores ? ['taskset', '-c', machine.cores] : []),
    machine.node,
    script,
    ...Object.entries(options).flatMap(([name, value]) =>
      value === true ? `--${name}` : [`--${name}`, String(value)],
    ),
  ]
  const started = performance.now()
  const child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => {}) // of a process that has ended: next() says so
  let errors = ''
  child.stderr.on('data', chunk => {
    errors += chunk
  })
  const exited = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? signal, ms: performance.now() - started }))
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()

  return {
    async next() {
      const { value, done } = await lines.next()
      if (!done) return JSON.parse(value)
      const { code } = await exited
      throw new Error(`${engine.name} ended with ${code}: ${errors.trim() || 'no message'}`)
    },
    request: () => child.stdin.write('\n'),
    finish: () => child.stdin.end(),
    stop: () => child.kill(),
    exited,
  }
}

/**
 * All engines are loaded and warm, then run in turns: A B A B ... If one ends with an error, the others are stopped.
 *
 * @param {{ name: string, script: string }[]} engines
 * @param {{ node: string, cores: string | null }} machine
 * @param {number} rounds
 * @param {(engine: object) => object} optionsOf what runner.mjs is told, by name
 * @returns {Promise<object[]>} what each engine printed at its end
 */
export async function takeTurns(engines, machine, rounds, optionsOf) {
  const running = []
  try {
    for (const engine of engines) {
      running.push(startEngine(engine, machine, { ...optionsOf(engine), 'on-request': true }))
      await running.at(-1).next()
    }
    for (let round = 0; round < rounds; round++)
      for (const engine of running) {
        engine.request()
        await engine.next()
      }
    const results = []
    for (const engine of running) {
      engine.finish()
      results.push(await engine.next())
      await engine.exited
    }
    return results
  } finally {
    for (const engine of running) engine.stop()
  }
}
