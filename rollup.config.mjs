// One bundle per public subpath, shared code in chunks. TypeScript is only stripped here (types are checked by `npm run check`).
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import terser from '@rollup/plugin-terser'
import ts from 'typescript'

/** Resolves './x.js' to its TypeScript source and strips the types. */
export const stripTypes = {
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

/** What package.json's "imports" picks in a page, resolved at build time. */
export const resolveForPages = replacing({
  '#kernels': 'bindings/source.bytes.ts',
  '#platform': 'src/platform.web.ts',
})

/** The same for pages that no bundler builds. */
const resolveForUrls = replacing({
  '#kernels': 'bindings/source.fetch.ts',
  '#platform': 'src/platform.page.ts',
})

function replacing(sources) {
  return { name: 'replacing', resolveId: id => sources[id] && resolve(sources[id]) }
}

/** What the command line loads where it is installed. */
const OPTIONAL = ['audio-decode', 'bullmq', 'hyparquet-writer', 'onnxruntime-web']

const external = id =>
  id.startsWith('#') || id.startsWith('node:') || /\.wasm(\?module)?$/.test(id) || OPTIONAL.includes(id)
const bundle = (input, plugins = [], manualChunks = undefined) => ({
  input,
  external: plugins.length ? undefined : external,
  plugins: [
    ...plugins,
    stripTypes,
    terser({ module: true, ecma: 2020, compress: { passes: 3 }, keep_classnames: /Error$/ }),
  ],
  // what a page loads by URL is one file
  output: {
    dir: 'dist',
    format: 'es',
    inlineDynamicImports: plugins.length > 0,
    chunkFileNames: 'chunks/[name]-[hash].js',
    manualChunks,
  },
})

const entriesOf = (...names) => names.map(name => resolve(`src/${name}/index.ts`))
const PURE_ENTRIES = entriesOf('audio', 'codes', 'metrics')
const SMALL_ENTRIES = entriesOf('checkpoints', 'quantizers')

/** Modules that these load at once. */
function closure(ids, getModuleInfo, seen = new Set()) {
  for (const id of ids) {
    if (seen.has(id)) continue
    seen.add(id)
    closure(getModuleInfo(id)?.importedIds ?? [], getModuleInfo, seen)
  }
  return seen
}

/**
 * What index.js loads at once, in few files: those that smaller entries share, and its own. In 23, Node starts 12 ms later.
 * What `wavtok/audio` needs is apart: a page may load that by URL, where '#platform' means nothing.
 */
function fewChunks(id, { getModuleInfo }) {
  const isOf = entries => closure(entries, getModuleInfo).has(id)
  if (!isOf([resolve('src/index.ts')])) return undefined
  if (isOf(PURE_ENTRIES)) return 'pure'
  return isOf(SMALL_ENTRIES) ? 'shared' : 'library'
}

const kernels = ['bytes', 'workerd', 'edge'].map(kind =>
  bundle({ [`kernels.${kind}`]: `bindings/source.${kind}.ts` }),
)
const library = [
  bundle({ 'platform.node': 'src/platform.node.ts' }),
  bundle({ 'platform.web': 'src/platform.web.ts' }),
  bundle(
    {
      index: 'src/index.ts',
      audio: 'src/audio/index.ts',
      checkpoints: 'src/checkpoints/index.ts',
      codes: 'src/codes/index.ts',
      metrics: 'src/metrics/index.ts',
      quantizers: 'src/quantizers/index.ts',
      'cli/main': 'src/cli/main.ts',
      'cli/eval.thread': 'src/cli/eval/thread.ts',
      'worker.node': 'src/worker/main.ts',
    },
    [],
    fewChunks,
  ),
  bundle({ browser: 'src/browser.ts' }, [resolveForUrls]),
]

export default ({ configKernelsOnly }) =>
  configKernelsOnly || !existsSync('src/index.ts') ? kernels : [...kernels, ...library]
