// dist/browser.js: the core is fetched from beside the module. No code is loaded later, since bundlers build dist/worker.js, which
// imports that file, into a classic script.

export const hasRelaxedBuild = true

async function compile(relaxed: boolean): Promise<WebAssembly.Module> {
  // written out, as bundlers look for it
  const address = relaxed
    ? new URL('./kernels.relaxed.wasm', import.meta.url)
    : new URL('./kernels.wasm', import.meta.url)
  const response = await fetch(address)
  if (!response.ok) throw new Error(`the server answered ${response.status} for ${address}, wavtok's core`)
  // not compileStreaming, which wants the type application/wasm
  return WebAssembly.compile(await response.arrayBuffer())
}

const compiled = new Map<boolean, Promise<WebAssembly.Module>>()

/** The compiled core, once per build and page. */
export function kernelSource(relaxed: boolean): Promise<WebAssembly.Module> {
  let module = compiled.get(relaxed)
  if (!module) compiled.set(relaxed, (module = compile(relaxed)))
  return module
}
