// Default condition: the core travels as base64 in a JavaScript module, so that no bundler, server or file system has to know about
// it. Each build is a module of its own and only the one in use is loaded.

export const hasRelaxedBuild = true

async function compile(relaxed: boolean): Promise<WebAssembly.Module> {
  const { BASE64 } = await (relaxed ? import('./generated/relaxed.js') : import('./generated/baseline.js'))
  const text = atob(BASE64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i) // Uint8Array.from(text, f) is 27x slower
  return WebAssembly.compile(bytes)
}

const compiled = new Map<boolean, Promise<WebAssembly.Module>>()

/** The compiled core, once per build and process. */
export function kernelSource(relaxed: boolean): Promise<WebAssembly.Module> {
  let module = compiled.get(relaxed)
  if (!module) compiled.set(relaxed, (module = compile(relaxed)))
  return module
}
