// Default condition: the core travels as text in a JavaScript module, so that no bundler, server or file system has to know about
// it. Each build is a module of its own and only the one in use is loaded. Hexadecimal, because it keeps bytes whole and so
// compresses better than base64 (13.1 kB against 16.4 kB, gzip), and survives pages in any encoding.

export const hasRelaxedBuild = true

const TEXTS = {
  baseline: () => import('./generated/baseline.js'),
  relaxed: () => import('./generated/relaxed.js'),
}

async function compile(build: keyof typeof TEXTS): Promise<WebAssembly.Module> {
  const { HEX } = await TEXTS[build]()
  return WebAssembly.compile(bytesOf(HEX))
}

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  // native where there is a way: JavaScript that has just started takes 4 ms
  if (typeof Buffer !== 'undefined') return Buffer.from(hex, 'hex')
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = (digit(hex, 2 * i) << 4) | digit(hex, 2 * i + 1)
  return bytes
}

function digit(text: string, index: number): number {
  const code = text.charCodeAt(index)
  return code < 58 ? code - 48 : code - 87 // '0' is 48, 'a' is 97
}

const compiled = new Map<string, Promise<WebAssembly.Module>>()

/** The compiled core, once per build and process. */
export function kernelSource(relaxed: boolean): Promise<WebAssembly.Module> {
  const build = relaxed ? 'relaxed' : 'baseline'
  let module = compiled.get(build)
  if (!module) compiled.set(build, (module = compile(build)))
  return module
}

/** Where the build for threads lies: a file, since as text the two would be a tenth of the package. Written out, as bundlers look for it. */
export function sharedAddress(relaxed: boolean): URL {
  return relaxed
    ? new URL('./kernels.relaxed.shared.wasm', import.meta.url)
    : new URL('./kernels.shared.wasm', import.meta.url)
}
