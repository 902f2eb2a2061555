// A project of its own in the temporary folder that has the packed tarball installed, as users have it: nothing is taken from the source tree.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** tests/runtimes, and the repository. */
export const here = join(dirname(fileURLToPath(import.meta.url)), '..')
export const root = join(here, '../..')
export const fixture = join(root, 'tests/fixtures/speech.wav')

const npm = (args, cwd) =>
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

/** Installs the runtimes of tests/runtimes/package.json where they are missing or another version is wanted. */
export function installRuntimes(say) {
  const wanted = readFileSync(join(here, 'package-lock.json'), 'utf8')
  const stamp = join(here, 'node_modules/.installed.json')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  say('installing Deno, Bun, Node 24, workerd, Chromium and the package checkers (280 MB, once)')
  // not `npm ci`, which fails where a registry lacks the binaries of other platforms
  npm(['install', '--no-save', '--loglevel', 'error'], here)
  writeFileSync(stamp, wanted)
}

/** Packs the package and installs the tarball into a new project, `app`; `close` removes it. */
export async function openWorkspace() {
  if (!existsSync(join(root, 'dist/index.js')))
    throw new Error('dist/index.js is missing: run "npm run build" first')
  const app = mkdtempSync(join(tmpdir(), 'wavtok-runtimes-'))
  // the build is there, so `prepare` has nothing to do
  const packing = ['pack', '--ignore-scripts', '--json', '--loglevel', 'error', '--pack-destination', app]
  const [packed] = JSON.parse(npm(packing, root))
  writeFileSync(join(app, 'packed.json'), JSON.stringify(packed))
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true, "type": "module" }\n')
  npm(['install', join(app, packed.filename), '--no-audit', '--no-fund', '--loglevel', 'error'], app)
  for (const name of ['smoke.mjs', 'hosts']) cpSync(join(here, name), join(app, name), { recursive: true })
  cpSync(join(root, 'examples'), join(app, 'examples'), { recursive: true })
  cpSync(fixture, join(app, 'speech.wav'))
  writeFileSync(join(app, 'blank.html'), '<!doctype html><link rel="icon" href="data:,">')
  return { ...(await attachWorkspace(app)), close: () => rmSync(app, { recursive: true, force: true }) }
}

/** What is in such a project: `library`, the unpacked package; `model`, its default weights; `packed`, what `npm pack` said. */
export async function attachWorkspace(app = process.env.WAVTOK_APP) {
  const library = join(app, 'node_modules/wavtok')
  const { DEFAULT_MODEL } = await import(pathToFileURL(join(library, 'dist/index.js')))
  const packed = JSON.parse(readFileSync(join(app, 'packed.json'), 'utf8'))
  return {
    app,
    library,
    model: join(library, 'weights', DEFAULT_MODEL),
    packed,
    tarball: join(app, packed.filename),
    wav: readFileSync(fixture),
  }
}
