// The page: `node scripts/site.mjs [--out DIR]` makes a folder (default docs/site) that any static server can
// publish; page and library are bundled from source, the model and the example are copied beside them.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import terser from '@rollup/plugin-terser'
import { rollup } from 'rollup'
import { resolveForPages, stripTypes } from '../rollup.config.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const at = (...path) => join(root, ...path)

/**
 * Writes the site into `out`, which is emptied first.
 *
 * @returns sizes of the scripts in bytes: [name, raw, gzip][]
 */
export async function buildSite(out = at('docs/site')) {
  if (!existsSync(at('bindings/generated/baseline.ts')))
    throw new Error('the core is not built yet; run npm run build first')
  const weights = existsSync(at('weights')) ? readdirSync(at('weights')) : []
  if (!weights.some(name => name.endsWith('.safetensors')))
    throw new Error('weights/ has no .safetensors file; the page needs the default model')
  rmSync(out, { recursive: true, force: true })
  mkdirSync(join(out, 'weights'), { recursive: true })
  const bundle = await rollup({
    input: {
      page: at('examples/browser/page.ts'),
      'recorder-worklet': at('examples/browser/recorder-worklet.ts'),
      worker: at('src/worker/main.ts'),
    },
    plugins: [resolveForPages, stripTypes, terser({ module: true })],
  })
  // Everything in one folder: the library finds its worker beside it and the model in ../weights/.
  const { output } = await bundle.write({
    dir: join(out, 'js'),
    format: 'es',
    chunkFileNames: '[name]-[hash].js',
  })
  await bundle.close()
  for (const name of ['index.html', 'style.css']) cpSync(at('examples/browser', name), join(out, name))
  for (const name of weights.filter(name => /\.(safetensors|json)$/.test(name)))
    cpSync(at('weights', name), join(out, 'weights', name))
  cpSync(at('tests/fixtures/speech.wav'), join(out, 'example.wav'))
  return output.map(({ fileName, code }) => [fileName, Buffer.byteLength(code), gzipSync(code).length])
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { out: { type: 'string' } } })
  const out = values.out ?? at('docs/site')
  for (const [name, raw, gzip] of await buildSite(out))
    console.log(`${name.padEnd(32)} ${String(raw).padStart(8)} bytes, ${String(gzip).padStart(7)} gzip`)
  console.log(`the page is in ${out}; to look at it: python3 -m http.server --directory ${out}`)
}
