// One bundle per public subpath, shared code in chunks. TypeScript is only stripped here (types are checked by `npm run check`).
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import terser from '@rollup/plugin-terser'
import ts from 'typescript'

/** Resolves './x.js' to its TypeScript source and strips the types. */
const stripTypes = {
  name: 'strip-types',
  resolveId(id, importer) {
    if (id === '@assemblyscript/loader') return fileURLToPath(import.meta.resolve(id))
    if (!id.startsWith('.') || !importer) return null
    const source = resolve(dirname(importer), id.replace(/\.js$/, '.ts'))
    return existsSync(source) ? source : null
  },
  transform(code, id) {
    if (!id.endsWith('.ts')) return null
    const compilerOptions = {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    }
    return {
      code: ts.transpileModule(code, { compilerOptions, fileName: id }).outputText,
      map: { mappings: '' },
    }
  },
}

const external = id => id.startsWith('#') || id.startsWith('node:') || /\.wasm(\?module)?$/.test(id)
const bundle = (input, output = {}) => ({
  input,
  external,
  plugins: [stripTypes, terser({ module: true })],
  output: { dir: 'dist', format: 'es', chunkFileNames: 'chunks/[name]-[hash].js', ...output },
})

const kernels = ['bytes', 'workerd', 'edge'].map(kind =>
  bundle({ [`kernels.${kind}`]: `bindings/source.${kind}.ts` }),
)
const library = [
  bundle({ 'platform.node': 'src/platform.node.ts' }),
  bundle({ 'platform.web': 'src/platform.web.ts' }),
  bundle({
    index: 'src/index.ts',
    audio: 'src/audio/index.ts',
    checkpoints: 'src/checkpoints/index.ts',
    'cli/main': 'src/cli/main.ts',
  }),
]

export default ({ configKernelsOnly }) =>
  configKernelsOnly || !existsSync('src/index.ts') ? kernels : [...kernels, ...library]
