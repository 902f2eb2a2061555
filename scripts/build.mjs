// Builds everything with local tools: AssemblyScript core -> bytes module -> bundles -> types.
// `node scripts/build.mjs kernels` rebuilds the core alone.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const at = (...path) => join(root, ...path)
const run = (name, ...args) =>
  execFileSync(at('node_modules/.bin', name), args, { cwd: root, stdio: 'inherit' })
const base64 = file => readFileSync(at('build', file)).toString('base64')

const kernelsOnly = process.argv[2] === 'kernels'
if (!kernelsOnly) rmSync(at('dist'), { recursive: true, force: true })

for (const target of ['baseline', 'relaxed']) run('asc', '--config', 'asconfig.json', '--target', target)
mkdirSync(at('bindings/generated'), { recursive: true })
for (const [build, file] of Object.entries({ baseline: 'kernels.wasm', relaxed: 'kernels.relaxed.wasm' }))
  writeFileSync(at(`bindings/generated/${build}.ts`), `export const BASE64 = '${base64(file)}'\n`)

run('rollup', '-c', 'rollup.config.mjs', '--silent', ...(kernelsOnly ? ['--configKernelsOnly'] : []))
for (const file of ['kernels.wasm', 'kernels.relaxed.wasm']) cpSync(at('build', file), at('dist', file))
const types = 'declare const module: WebAssembly.Module\nexport default module\n'
writeFileSync(at('dist/kernels.wasm.d.ts'), types)

if (!kernelsOnly && existsSync(at('src/index.ts'))) run('tsc', '-p', 'tsconfig.build.json')
