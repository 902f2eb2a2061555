import { createRequire } from 'node:module'
import { basename, dirname, resolve } from 'node:path'
import { build } from 'esbuild'

/**
 * Bundles an entry as deployment tools do. `.wasm` imports (and `data`, a pattern of further files) stay imports of a name of their
 * own, or become what `inline(name)` returns: JavaScript source. `assets` maps the names to the files.
 */
export async function bundle(entry, { conditions, data = /\.safetensors$/, inline, ...options }) {
  const assets = new Map()
  const binary = new RegExp(`\\.wasm(\\?module)?$|${data.source}`)
  const keepBinaries = {
    name: 'keep-binaries',
    setup(builder) {
      builder.onResolve({ filter: binary }, async ({ path, resolveDir }) => {
        const bare = path.replace(/\?module$/, '')
        const file = bare.startsWith('.')
          ? resolve(resolveDir, bare)
          : createRequire(`${resolveDir}/`).resolve(bare)
        assets.set(basename(file), file)
        return inline
          ? { path: basename(file), namespace: 'binary' }
          : { path: `./${basename(file)}`, external: true }
      })
      builder.onLoad({ filter: /./, namespace: 'binary' }, ({ path }) => ({ contents: inline(path) }))
    },
  }
  const { outputFiles } = await build({
    entryPoints: [entry],
    absWorkingDir: dirname(entry),
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
    conditions,
    plugins: [keepBinaries],
    ...options,
  })
  return { code: outputFiles[0].text, assets }
}
