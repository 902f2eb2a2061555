// Sizes of what is shipped, held to their bounds. `--json` prints one object.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const KIB = 1024

/** Files a module loads at once, itself included; with `later`, also those it loads when it needs them. */
function closure(file, later, seen = new Set()) {
  if (seen.has(file)) return seen
  seen.add(file)
  const imports = later
    ? /(?:from|import)\s*\(?["'](\.[^"']+\.js)["']/g
    : /(?:from|import)\s*["'](\.[^"']+\.js)["']/g
  for (const [, name] of readFileSync(file, 'utf8').matchAll(imports))
    closure(join(dirname(file), name), later, seen)
  return seen
}

const read = files => Buffer.concat(files.map(file => readFileSync(join(root, file))))
const loads = later =>
  [...closure(join(root, 'dist/index.js'), later)].map(file => file.slice(root.length + 1))
const library = loads(false)
// each build of the core is a chunk of its own; the larger is what a page loads at most
const core = readdirSync(join(root, 'dist/chunks'))
  .filter(name => /^(baseline|relaxed)-/.test(name))
  .map(name => `dist/chunks/${name}`)
  .reduce((a, b) => (statSync(join(root, a)).size >= statSync(join(root, b)).size ? a : b))
const measure = bytes => ({
  raw: bytes.length,
  gzip: gzipSync(bytes, { level: 9 }).length,
  brotli: brotliCompressSync(bytes).length,
})

const sizes = {
  'core wasm (baseline)': measure(read(['dist/kernels.wasm'])),
  'core wasm (relaxed SIMD)': measure(read(['dist/kernels.relaxed.wasm'])),
  'library JS without the core': measure(read([...library, 'dist/platform.node.js', 'dist/platform.web.js'])),
  'library JS + core as text': measure(
    read([...library, 'dist/platform.node.js', 'dist/kernels.bytes.js', core]),
  ),
  'with the reader of PyTorch files': measure(
    read([...loads(true), 'dist/platform.node.js', 'dist/kernels.bytes.js', core]),
  ),
  'browser.js (by URL) + core': measure(read(['dist/browser.js', 'dist/kernels.wasm'])),
}
for (const name of existsSync(join(root, 'weights')) ? readdirSync(join(root, 'weights')) : [])
  if (name.endsWith('.safetensors'))
    sizes[`weights/${name}`] = { raw: statSync(join(root, 'weights', name)).size }

const bounds = [
  ['core wasm (baseline)', 'raw', 64 * KIB],
  ['core wasm (baseline)', 'brotli', 24 * KIB],
  ['core wasm (relaxed SIMD)', 'raw', 64 * KIB],
  ['library JS + core as text', 'gzip', 60 * KIB],
]
const broken = bounds.filter(([what, kind, bound]) => sizes[what][kind] > bound)

if (process.argv.includes('--json')) console.log(JSON.stringify(sizes))
else {
  console.log(`${'bytes'.padEnd(38)}${'raw'.padStart(10)}${'gzip'.padStart(10)}${'brotli'.padStart(10)}`)
  for (const [what, { raw, gzip, brotli }] of Object.entries(sizes))
    console.log(
      `${what.padEnd(38)}${[raw, gzip, brotli].map(size => String(size ?? '-').padStart(10)).join('')}`,
    )
}
for (const [what, kind, bound] of broken)
  console.error(`${what}: ${sizes[what][kind]} bytes ${kind}, more than ${bound}`)
process.exitCode = broken.length ? 1 : 0
