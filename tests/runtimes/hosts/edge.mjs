import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { EdgeRuntime } from 'edge-runtime'
import { timedSmoke } from '../smoke.mjs'
import { bundle } from '../support/bundle.mjs'
import { stepsByRequest } from './workerd.mjs'

const { version } = createRequire(import.meta.url)('edge-runtime/package.json')
const globalName = file => `wasm_${file.replace(/\W/g, '_')}`

const NO_COMPILER = `for (const name of ['compile', 'compileStreaming', 'instantiateStreaming'])
  WebAssembly[name] = () => { throw new Error('Wasm code generation disallowed by embedder') }
`

// As Next.js does: `x.wasm?module` becomes a global that holds the compiled module, and compiling anything at run time is refused.
async function start(entry) {
  const inline = file => `export default ${globalName(file)}`
  const { code, assets } = await bundle(entry, {
    conditions: ['edge-light', 'worker'],
    inline,
    format: 'iife',
  })
  const modules = {}
  for (const [name, file] of assets)
    if (name.endsWith('.wasm')) modules[globalName(name)] = await WebAssembly.compile(readFileSync(file))
  const extend = context => Object.assign(context, modules)
  return new EdgeRuntime({ initialCode: NO_COMPILER + code, extend })
}

export const hosts = [
  {
    name: 'edge-runtime',
    async run(workspace, deterministic) {
      const runtime = await start(join(workspace.app, 'hosts/edge-main.mjs'))
      const step = stepsByRequest((...request) => runtime.dispatchFetch(...request), workspace, deterministic)
      return { version, ...(await timedSmoke(step)) }
    },
  },
]
