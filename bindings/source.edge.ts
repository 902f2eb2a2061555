// Condition `edge-light`: modules are asked for with `?module`, and the host compiles all that are imported. Hosts on Node 20, such as
// development servers, cannot compile relaxed SIMD, so that build is left out.

import baseline from './kernels.wasm?module'

export const hasRelaxedBuild = false
export const sharedAddress = undefined // there are no threads

/**
 * The core as the host compiled it. Hosts may do so in a realm of their own (Next.js does); the prototype is set because the loader
 * tells modules from bytes by `instanceof`.
 */
export function kernelSource(): Promise<WebAssembly.Module> {
  return Promise.resolve(Object.setPrototypeOf(baseline, WebAssembly.Module.prototype))
}
