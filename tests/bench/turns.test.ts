// Engines that take turns (bench/peers/engines.mjs): one that ends with an error ends the comparison, and the others with it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const ENGINES = new URL('../../bench/peers/engines.mjs', import.meta.url).href
const MOST_MS = 20_000
const READY = "console.log(JSON.stringify({ ready: true })); process.stdin.once('data', work)"
const WORKS = `${READY}
function work() { console.log(JSON.stringify({ ms: 1 })); process.stdin.once('data', work) }
process.stdin.on('end', () => console.log(JSON.stringify({ done: true })))`
const FAILS = `${READY}
function work() { process.stderr.write('no memory is left'); process.exit(3) }`

/** Runs a comparison of engines with these sources in a process of its own, as run.mjs does. */
function compare(...sources: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'turns-'))
  const engines = sources.map((source, i) => {
    const file = join(folder, `${i}.mjs`)
    writeFileSync(file, source)
    return { name: `engine ${i}`, script: pathToFileURL(file).href }
  })
  const program = `import { takeTurns } from ${JSON.stringify(ENGINES)}
    try { console.log(JSON.stringify(await takeTurns(${JSON.stringify(engines)}, { node: process.execPath, cores: null }, 2, () => ({})))) }
    catch (error) { console.error(error.message); process.exitCode = 1 }`
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: MOST_MS,
  })
  rmSync(folder, { recursive: true })
  return result
}

test('turns of engines that work', () => {
  const { status, stdout } = compare(WORKS, WORKS)
  assert.is(status, 0)
  assert.equal(JSON.parse(stdout), [{ done: true }, { done: true }])
})

for (const [where, sources] of [
  ['second', [WORKS, FAILS]],
  ['first', [FAILS, WORKS]],
] as const)
  test(`the ${where} engine fails in the middle of a turn: its message, exit code 1, and no process is left`, () => {
    const { status, stderr } = compare(...sources)
    assert.is(status, 1)
    assert.match(stderr, /engine [01] ended with 3: no memory is left/)
  })

test.run()
