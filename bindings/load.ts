import * as loader from '@assemblyscript/loader'
import { hasRelaxedBuild, kernelSource } from '#kernels'
import type { Kernels } from './kernels.js'

/** What `instantiateKernels` accepts in place of the bundled core. */
export type KernelInput = WebAssembly.Module | BufferSource | Response | Promise<Response>

// (module (func (param v128 v128 v128) (result v128) local.get 0..2 f32x4.relaxed_madd)): 41 bytes that validate only with relaxed SIMD.
const RELAXED_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32,
  1, 32, 2, 253, 133, 2, 11,
])

/** True where the engine accepts relaxed SIMD (V8 >= 11.4 without flags: Node 22+, recent browsers, Deno, Bun, workerd). */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(RELAXED_PROBE)
}

/** Which build of the core runs: `custom` for one handed over by the caller. */
export type KernelBuild = 'baseline' | 'relaxed' | 'custom'

/**
 * Instantiates the kernels: a given module, bytes or response, else the bundled core for this runtime.
 * `deterministic` picks the baseline build, whose results are the same bit for bit on every engine.
 */
export async function instantiateKernels(
  deterministic: boolean,
  input?: KernelInput,
): Promise<{ kernels: Kernels; build: KernelBuild }> {
  const relaxed = !deterministic && hasRelaxedBuild && hasRelaxedSimd()
  const core = input ?? (await kernelSource(relaxed))
  // its `instantiate` asks whether `Response` exists, at which Node loads its fetch: 20 ms of a cold start
  const { instance } =
    core instanceof WebAssembly.Module ? loader.instantiateSync(core) : await loader.instantiate(core)
  return {
    kernels: instance.exports as unknown as Kernels, // the loader's own `exports` wrap every call
    build: input ? 'custom' : relaxed ? 'relaxed' : 'baseline',
  }
}
