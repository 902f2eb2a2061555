// npm run runtimes: packs the library, installs the tarball, runs one program in every runtime and holds tokens and samples to
// expected.json bit for bit; then the examples and the package itself (checks/).
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { printTable } from './support/table.mjs'
import { here, installRuntimes, openWorkspace, root } from './support/workspace.mjs'

const HELP = `npm run runtimes [-- OPTIONS]

  --only PATTERN   runtimes whose name matches (a regular expression), and no checks of examples and package
  --json           one JSON object per runtime and build instead of the table
  --update         writes expected.json from this Node, after new weights or kernels, and stops
  --ci             a runtime that does not exist for this machine is a failure (default where CI is set)
`
// The relaxed build rounds differently on purpose: codes at the border of two codebook entries may fall to the other one.
const MAX_OTHER_TOKENS = 0.02

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    json: { type: 'boolean' },
    update: { type: 'boolean' },
    ci: { type: 'boolean', default: Boolean(process.env.CI) },
    help: { type: 'boolean' },
  },
})
const say = text => console.error(`runtimes: ${text}`)
const expectedFile = join(here, 'expected.json')

async function allHosts() {
  const kinds = ['process', 'workerd', 'edge', 'chromium']
  const modules = await Promise.all(kinds.map(kind => import(`./hosts/${kind}.mjs`)))
  return modules.flatMap(({ hosts }) => hosts)
}

async function update(workspace, model, [node]) {
  const { encode, decode } = await node.run(workspace, true)
  const expected = { model, tokens: encode.hash, samples: decode.hash, codes: encode.codes.join(' ') }
  writeFileSync(expectedFile, `${JSON.stringify(expected, null, 2)}\n`)
  say(`${encode.codes.length} tokens and ${decode.samples} samples written to expected.json`)
}

/** What a result is worth: [passed, in words]. */
function judge(expected, { load, encode, decode }) {
  if (load.build !== 'relaxed') {
    const same = encode.hash === expected.tokens && decode.hash === expected.samples
    return [same, same ? 'identical' : 'NOT the expected bytes']
  }
  const codes = expected.codes.split(' ').map(Number)
  const others = codes.filter((code, i) => code !== encode.codes[i]).length
  const passed = encode.codes.length === codes.length && others <= MAX_OTHER_TOKENS * codes.length
  return [passed, `${others} of ${codes.length} tokens differ`]
}

async function smoke(workspace, expected, host, deterministic) {
  const missing = host.missing?.()
  if (missing) return { name: host.name, passed: !options.ci, skipped: !options.ci, verdict: missing }
  try {
    const result = await host.run(workspace, deterministic)
    const [passed, verdict] = judge(expected, result)
    return { name: host.name, passed, verdict, ...result }
  } catch (error) {
    return { name: host.name, passed: false, verdict: `FAILED: ${error.stack ?? error}` }
  }
}

async function smokeEverywhere(workspace, hosts) {
  const expected = JSON.parse(readFileSync(expectedFile, 'utf8'))
  const model = sha256(workspace.model)
  if (options.update) return update(workspace, model, hosts)
  if (model !== expected.model)
    throw new Error('the default weights are not those of expected.json: npm run runtimes -- --update')
  const chosen = hosts.filter(({ name }) => new RegExp(options.only ?? '', 'i').test(name))
  if (chosen.length === 0) throw new Error(`no runtime's name matches ${options.only}`)
  const results = []
  for (const deterministic of [true, false])
    for (const host of chosen) {
      const result = await smoke(workspace, expected, host, deterministic)
      results.push(result)
      if (options.json) console.log(JSON.stringify(result))
      else if (!result.load) say(`${result.name}: ${result.verdict}`)
    }
  if (!options.json) printTable(results)
  return results
}

/** Runs checks/ under uvu; gives [passed, failed]. */
function runChecks({ app }) {
  const uvu = join(root, 'node_modules/uvu/bin.js')
  const { stdout, status } = spawnSync(process.execPath, [uvu, join(here, 'checks'), '\\.check\\.mjs$'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, WAVTOK_APP: app, FORCE_COLOR: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.stdout.write(stdout)
  const count = name => Number(stdout.match(new RegExp(`${name}:\\s+(\\d+)`))?.[1] ?? 0)
  const passed = count('Passed')
  return [passed, Math.max(count('Total') - passed - count('Skipped'), status === 0 ? 0 : 1)]
}

const sha256 = file => createHash('sha256').update(readFileSync(file)).digest('hex')

async function main() {
  if (options.help) return console.log(HELP)
  installRuntimes(say)
  const workspace = await openWorkspace()
  try {
    const results = await smokeEverywhere(workspace, await allHosts())
    if (!results) return
    const failed = results.filter(({ passed }) => !passed).length
    const skipped = results.filter(result => result.skipped).length
    const [checksPassed, checksFailed] = options.only || options.json ? [0, 0] : runChecks(workspace)
    if (!options.json)
      console.log(
        `${results.length - failed - skipped + checksPassed} passed, ${failed + checksFailed} failed${skipped ? `, ${skipped} skipped` : ''}`,
      )
    process.exitCode = failed + checksFailed ? 1 : 0
  } finally {
    workspace.close()
  }
}

try {
  await main()
} catch (error) {
  say(error.message)
  process.exitCode = 1
}
