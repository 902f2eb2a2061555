// Builds everything with local tools: AssemblyScript core -> bytes module -> bundles -> types.
// `node scripts/build.mjs kernels` rebuilds the core alone; `... prepare` does nothing where dist/ is newer than the sources,
// because npm runs it again for the first `npx wavtok` in a clone.
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const at = (...path) => join(root, ...path)
const run = (name, ...args) =>
  execFileSync(at('node_modules/.bin', name), args, { cwd: root, stdio: 'inherit' })
const hex = file => readFileSync(at('build', file)).toString('hex')

/** When the newest file at or below a path was changed, ms; 0 where there is none. */
function newest(path) {
  if (!existsSync(path)) return 0
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(0, ...readdirSync(path).map(name => (name === 'generated' ? 0 : newest(join(path, name)))))
}

const SOURCES = [
  'assembly',
  'bindings',
  'src',
  'scripts',
  'package-lock.json',
  'asconfig.json',
  'rollup.config.mjs',
  'tsconfig.json',
  'tsconfig.build.json',
]
const LAST_WRITTEN = 'dist/types/src/index.d.ts'

if (
  process.argv[2] === 'prepare' &&
  newest(at(LAST_WRITTEN)) > Math.max(...SOURCES.map(path => newest(at(path))))
)
  process.exit()

const kernelsOnly = process.argv[2] === 'kernels'
if (!kernelsOnly) rmSync(at('dist'), { recursive: true, force: true })

const BUILDS = {
  baseline: 'kernels.wasm',
  relaxed: 'kernels.relaxed.wasm',
  'baseline-shared': 'kernels.shared.wasm',
  'relaxed-shared': 'kernels.relaxed.shared.wasm',
}
for (const target of Object.keys(BUILDS)) run('asc', '--config', 'asconfig.json', '--target', target)
mkdirSync(at('bindings/generated'), { recursive: true })
for (const [build, file] of Object.entries(BUILDS).filter(([build]) => !build.endsWith('-shared')))
  writeFileSync(at(`bindings/generated/${build}.ts`), `export const HEX: string = '${hex(file)}'\n`)

run('rollup', '-c', 'rollup.config.mjs', '--silent', ...(kernelsOnly ? ['--configKernelsOnly'] : []))
for (const file of Object.values(BUILDS)) cpSync(at('build', file), at('dist', file))
const WRITTEN = {
  'kernels.wasm.d.ts': 'declare const module: WebAssembly.Module\nexport default module\n',
  'worker.js': "import { serveWorker } from './browser.js'\nserveWorker()\n",
  'worker.d.ts': 'export {}\n',
}
for (const [file, text] of Object.entries(WRITTEN)) writeFileSync(at('dist', file), text)

/** Removes the declarations that no public subpath leads to. */
function pruneTypes() {
  const { exports } = JSON.parse(readFileSync(at('package.json'), 'utf8'))
  const kept = new Set()
  const keep = file => {
    if (kept.has(file)) return
    kept.add(file)
    for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()['"](\.[^'"]+)\.js['"]/g))
      keep(join(dirname(file), `${name}.d.ts`))
  }
  for (const { types } of Object.values(exports)) if (types) keep(at(types))
  for (const entry of readdirSync(at('dist/types'), { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (entry.isFile() && !kept.has(file)) rmSync(file)
  }
}

if (kernelsOnly) process.exit()
run('tsc', '-p', 'tsconfig.build.json')
pruneTypes()
