// Sizes of wavtok and of its peers, as installed and as a page loads them: node bench/peers/sizes.mjs (installs the peers into a
// temporary folder, 600 MB).
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ORT = 'onnxruntime-web@1.30.0'
const TRANSFORMERS = '@huggingface/transformers@4.3.1'
const ORT_DIST = 'node_modules/onnxruntime-web/dist/'

const PEERS = [
  {
    name: ORT,
    files: [
      `${ORT_DIST}ort.wasm.min.mjs`,
      `${ORT_DIST}ort-wasm-simd-threaded.mjs`,
      `${ORT_DIST}ort-wasm-simd-threaded.wasm`,
    ],
  },
  {
    name: TRANSFORMERS,
    files: [
      'node_modules/@huggingface/transformers/dist/transformers.web.min.js',
      `${ORT_DIST}ort-wasm-simd-threaded.asyncify.wasm`,
    ],
  },
]

const packages = [wavtok(), ...PEERS.map(peer)]
const date = new Date().toISOString()
const results = new URL('../results/', import.meta.url)
mkdirSync(results, { recursive: true })
const target = new URL(`sizes-${date.slice(0, 10)}.json`, results)
writeFileSync(target, `${JSON.stringify({ date, packages }, null, 1)}\n`)
for (const { name, installed, files } of packages)
  console.log(name, `${(installed / 1e6).toFixed(1)} MB installed`, JSON.stringify(files))

/** The packed package (weights included) and what scripts/size.mjs finds that a page loads. */
function wavtok() {
  const pack = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  // its exit status says whether bounds hold, which is no matter here
  const size = spawnSync(process.execPath, ['scripts/size.mjs', '--json'], { cwd: ROOT, encoding: 'utf8' })
  const sizes = JSON.parse(size.stdout)
  const page = 'library JS + core as text'
  return {
    name: 'wavtok',
    installed: JSON.parse(pack)[0].unpackedSize,
    files: [{ name: page, ...sizes[page] }],
  }
}

function peer({ name, files }) {
  const folder = mkdtempSync(join(tmpdir(), 'wavtok-sizes-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{"private":true}')
    execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', name], {
      cwd: folder,
      stdio: 'pipe',
    })
    return {
      name,
      installed: bytesIn(join(folder, 'node_modules')),
      files: files.map(file => compressed(folder, file)),
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function bytesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

function compressed(folder, file) {
  const bytes = readFileSync(join(folder, file))
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } } // 11 takes minutes on 20 MB and gains a hundredth
  return {
    name: file.split('/').at(-1),
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, quality).length,
  }
}
