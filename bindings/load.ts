import * as loader from '@assemblyscript/loader'
import { hasRelaxedBuild, kernelSource, sharedAddress } from '#kernels'
import type { Kernels, Pointer } from './kernels.js'

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

/** A core whose memory other threads can join. */
export interface SharedCore {
  kernels: Kernels
  build: KernelBuild
  module: WebAssembly.Module
  memory: WebAssembly.Memory
}

// 4 GiB; address space, not memory.
const MOST_PAGES = 65_536
const FIRST_PAGES = 2 // asconfig.json, initialMemory

/**
 * As `instantiateKernels`, for several threads; undefined where memory cannot be shared, as in pages that are not cross-origin isolated.
 * `read` gives the bytes at an address, or undefined where nothing is there, as in a bundle that took the scripts alone.
 */
export async function instantiateShared(
  deterministic: boolean,
  read: (address: URL) => Promise<Uint8Array<ArrayBuffer> | undefined>,
): Promise<SharedCore | undefined> {
  if (!sharedAddress || typeof SharedArrayBuffer === 'undefined') return undefined
  const relaxed = !deterministic && hasRelaxedBuild && hasRelaxedSimd()
  try {
    const memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MOST_PAGES, shared: true })
    const bytes = await read(sharedAddress(relaxed))
    if (!bytes) return undefined
    const module = await WebAssembly.compile(bytes)
    return { kernels: joinCore(module, memory), build: relaxed ? 'relaxed' : 'baseline', module, memory }
  } catch (error) {
    if (error instanceof RangeError || error instanceof WebAssembly.CompileError) return undefined
    throw error
  }
}

/** One more instance on a shared memory. It needs a place of its own for what kernels write to static memory. */
export function joinCore(module: WebAssembly.Module, memory: WebAssembly.Memory, scratch?: Pointer): Kernels {
  const { exports } = loader.instantiateSync(module, { env: { memory } }).instance
  const kernels = { ...exports, memory } as unknown as Kernels
  if (scratch !== undefined) kernels.scratch.value = scratch
  return kernels
}
