// The ABI of assembly/index.ts, one line per export. Pointers are byte addresses (`Pointer`), sizes count elements.

/** Byte address in the core's linear memory. */
export type Pointer = number

/** Activation codes of activation.ts. */
export const Activation = { none: 0, elu: 1, gelu: 2, silu: 3 } as const
export type Activation = (typeof Activation)[keyof typeof Activation]

// biome-ignore format: one line per export
export interface Kernels {
  readonly memory: WebAssembly.Memory
  readonly heapBase: WebAssembly.Global
  packWeights(packed: Pointer, source: Pointer, n: number, taps: number, channels: number, strideN: number, strideTap: number, strideChannel: number): void
  matmulF32(out: Pointer, outPitch: number, a: Pointer, aPitch: number, w: Pointer, bias: Pointer, residual: Pointer, rows: number, k: number, columns: number, activation: Activation): void
  activationF32(x: Pointer, length: number, activation: Activation): void
  expF32(out: Pointer, x: Pointer, length: number): void
  sinF32(out: Pointer, x: Pointer, length: number): void
  cosF32(out: Pointer, x: Pointer, length: number): void
  hannWindow(out: Pointer, size: number, length: number, scale: number): void
  fftPlanBytes(n: number): number
  fftPlan(plan: Pointer, n: number): void
  stftF32(out: Pointer, samples: Pointer, window: Pointer, rows: number, hop: number, plan: Pointer, magnitude: boolean): void
  irfftF32(frames: Pointer, spectra: Pointer, window: Pointer, rows: number, plan: Pointer): void
  overlapAddF32(samples: Pointer, frames: Pointer, rows: number, nFft: number, hop: number): void
  inverseEnvelopeF32(out: Pointer, window: Pointer, nFft: number, hop: number, first: number, last: number): void
  multiplyF32(out: Pointer, a: Pointer, b: Pointer, length: number): void
}
