// Default condition: the core travels as base64 inside this module, so that no bundler, server or file system has to know about it.
import { BASELINE, RELAXED } from './generated/base64.js'

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i) // Uint8Array.from(text, f) is 27x slower
  return bytes
}

const compiled: { [build: string]: Promise<WebAssembly.Module> } = {}

/** The compiled core, once per build and process. */
export function kernelSource(relaxed: boolean): Promise<WebAssembly.Module> {
  const build = relaxed ? RELAXED : BASELINE
  return (compiled[relaxed ? 'relaxed' : 'baseline'] ??= WebAssembly.compile(decode(build)))
}
