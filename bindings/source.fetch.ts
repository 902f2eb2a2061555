// dist/browser.js: the core is fetched from beside the module. No code is loaded later, since bundlers build dist/worker.js, which
// imports that file, into a classic script.

export const hasRelaxedBuild = true

// written out, as bundlers look for it
const ADDRESSES = {
  baseline: () => new URL('./kernels.wasm', import.meta.url),
  relaxed: () => new URL('./kernels.relaxed.wasm', import.meta.url),
}

async function compile(build: keyof typeof ADDRESSES): Promise<WebAssembly.Module> {
  const address = ADDRESSES[build]()
  const response = await fetch(address)
  if (!response.ok) throw new Error(`the server answered ${response.status} for ${address}, wavtok's core`)
  // not compileStreaming, which wants the type application/wasm
  return WebAssembly.compile(await response.arrayBuffer())
}

const compiled = new Map<string, Promise<WebAssembly.Module>>()

/** The compiled core, once per build and page. */
export function kernelSource(relaxed: boolean): Promise<WebAssembly.Module> {
  const build = relaxed ? 'relaxed' : 'baseline'
  let module = compiled.get(build)
  if (!module) compiled.set(build, (module = compile(build)))
  return module
}

/** Where the build for threads lies. */
export function sharedAddress(relaxed: boolean): URL {
  return relaxed
    ? new URL('./kernels.relaxed.shared.wasm', import.meta.url)
    : new URL('./kernels.shared.wasm', import.meta.url)
}
