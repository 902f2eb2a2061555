// Condition `edge-light`: modules are asked for with `?module`.

import relaxedBuild from './kernels.relaxed.wasm?module'
import baseline from './kernels.wasm?module'

/** The core as the runtime compiled it. */
export function kernelSource(relaxed: boolean): Promise<WebAssembly.Module> {
  return Promise.resolve(relaxed ? relaxedBuild : baseline)
}
