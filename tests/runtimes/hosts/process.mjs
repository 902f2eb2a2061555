import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fixture, here } from '../support/workspace.mjs'

const run = promisify(execFile)
const modules = join(here, 'node_modules')
const { platform, arch } = process
const exe = platform === 'win32' ? '.exe' : ''

// The packages' own launchers rely on install scripts, which are off: the binaries are taken from where npm put them.
const binaries = {
  node: process.execPath,
  node24: join(modules, `node-${platform}-${arch}/bin/node${exe}`),
  deno: join(modules, `@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}/deno${exe}`),
  bun: join(modules, `@oven/bun-${platform}-${arch === 'arm64' ? 'aarch64' : arch}/bin/bun${exe}`),
}
// Deno's permissions are those of a program that reads its model and audio, and writes files.
const flags = {
  deno: ['run', '--quiet', '--allow-read', '--allow-write', '--no-lock', '--node-modules-dir=manual'],
}

/** Runs a script in `runtime` ('node', 'node24', 'deno' or 'bun') with `cwd` as working folder; gives what it printed. */
export async function runScript(runtime, script, args, cwd) {
  const binary = binaries[runtime]
  if (!existsSync(binary))
    throw new Error(`${binary} is missing: no ${runtime} for ${platform} ${arch} on npm`)
  const command = [...(flags[runtime] ?? []), script, ...args]
  const { stdout } = await run(binaries[runtime], command, { cwd, timeout: 120_000, maxBuffer: 1 << 26 })
  return stdout
}

function host(name, runtime) {
  return {
    name,
    missing: () => (existsSync(binaries[runtime]) ? undefined : `npm has no ${name} for ${platform} ${arch}`),
    async run({ app }, deterministic) {
      const { stdout } = await run(binaries[runtime], ['--version'])
      const version = stdout.match(/\d+\.\d+\.\d+/)[0]
      const build = deterministic ? 'deterministic' : 'relaxed'
      return {
        version,
        ...JSON.parse(await runScript(runtime, 'hosts/process-main.mjs', [fixture, build], app)),
      }
    },
  }
}

export const hosts = [
  host('Node', 'node'),
  host('Node 24', 'node24'),
  host('Deno', 'deno'),
  host('Bun', 'bun'),
]
