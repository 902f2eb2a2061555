// The ABI of assembly/index.ts, one line per export. Pointers are byte addresses (`Pointer`), sizes count elements.

/** Byte address in the core's linear memory. */
export type Pointer = number

/** Activation codes of activation.ts. */
export const Activation = { none: 0, elu: 1, gelu: 2, silu: 3, tanh: 4 } as const
export type Activation = (typeof Activation)[keyof typeof Activation]

/** Static memory that kernels write to (assembly/scratch.ts). */
export const SCRATCH_BYTES = 144

// biome-ignore format: one line per export
export interface Kernels {
  readonly memory: WebAssembly.Memory
  readonly heapBase: WebAssembly.Global
  /** Address of `SCRATCH_BYTES` that this instance alone writes to. */
  readonly scratch: WebAssembly.Global
  packWeights(packed: Pointer, source: Pointer, n: number, taps: number, channels: number, strideN: number, strideTap: number, strideChannel: number): void
  matmulF32(out: Pointer, outPitch: number, a: Pointer, aPitch: number, w: Pointer, bias: Pointer, residual: Pointer, rows: number, k: number, columns: number, activation: Activation): void
  packWeightsF16(packed: Pointer, factors: Pointer, source: Pointer, n: number, taps: number, channels: number, strideN: number, strideTap: number, strideChannel: number): void
  matmulF16(out: Pointer, outPitch: number, a: Pointer, aPitch: number, w: Pointer, factors: Pointer, bias: Pointer, residual: Pointer, rows: number, k: number, columns: number, activation: Activation, panel: Pointer): void
  packWeightsInteger(packed: Pointer, scales: Pointer, source: Pointer, n: number, taps: number, channels: number, strideN: number, strideTap: number, strideChannel: number, limit: number, size: 1 | 2): number
  quantizeRowsI16(out: Pointer, rowScales: Pointer, a: Pointer, aPitch: number, rows: number, k: number, limit: number): void
  matmulInteger(out: Pointer, outPitch: number, a: Pointer, rowScales: Pointer, w: Pointer, scales: Pointer, bias: Pointer, residual: Pointer, rows: number, k: number, columns: number, activation: Activation, panel: Pointer): void
  addF32(out: Pointer, x: Pointer, length: number): void
  addScaledRowsF32(out: Pointer, x: Pointer, scales: Pointer, rows: number, channels: number): void
  affineF32(out: Pointer, x: Pointer, length: number, scale: number, shift: number): void
  scaleRowsF32(x: Pointer, factors: Pointer, rows: number, length: number): void
  widenF16(out: Pointer, halves: Pointer, length: number): void
  activationF32(out: Pointer, x: Pointer, length: number, activation: Activation): void
  expF32(out: Pointer, x: Pointer, length: number): void
  sinF32(out: Pointer, x: Pointer, length: number): void
  cosF32(out: Pointer, x: Pointer, length: number): void
  snakeF32(out: Pointer, x: Pointer, alpha: Pointer, inverse: Pointer, rows: number, channels: number): void
  layerNormF32(out: Pointer, x: Pointer, scale: Pointer, shift: Pointer, rows: number, channels: number, eps: number): void
  groupNormMeasure(factors: Pointer, x: Pointer, scale: Pointer, shift: Pointer, rows: number, channels: number, groups: number, eps: number): void
  groupNormApply(out: Pointer, x: Pointer, factors: Pointer, rows: number, channels: number, activation: Activation): void
  depthwiseF32(out: Pointer, x: Pointer, w: Pointer, bias: Pointer, rows: number, channels: number, taps: number, dilation: number): void
  winogradInputF32(out: Pointer, x: Pointer, tiles: number, channels: number): void
  winogradOutputF32(out: Pointer, x: Pointer, bias: Pointer, tiles: number, rows: number, channels: number): void
  overlapAddRowsF32(out: Pointer, x: Pointer, rows: number, taps: number, channels: number, stride: number): void
  lstmF32(out: Pointer, gates: Pointer, w: Pointer, h: Pointer, c: Pointer, scratch: Pointer, steps: number, hidden: number): void
  softmaxRowsF32(x: Pointer, pitch: number, rows: number, columns: number, scale: number): void
  rotateHeadsF32(x: Pointer, pitch: number, cosines: Pointer, sines: Pointer, rows: number, heads: number, half: number): void
  windowAttentionF32(out: Pointer, q: Pointer, keys: Pointer, values: Pointer, pitch: number, scores: Pointer, rows: number, held: number, window: number, heads: number, dim: number, scale: number): void
  argmaxRowsF32(indices: Pointer, scores: Pointer, pitch: number, rows: number, columns: number): void
  addColumnsF32(out: Pointer, panels: Pointer, indices: Pointer, pitch: number, rows: number, dim: number, sign: 1 | -1): void
  halfNormsF32(out: Pointer, codebook: Pointer, rows: number, dim: number): void
  gatherRowsF32(out: Pointer, table: Pointer, indices: Pointer, rows: number, dim: number): void
  accumulateRowsF64(sums: Pointer, counts: Pointer, indices: Pointer, x: Pointer, rows: number, dim: number): void
  squaredDistancesF32(out: Pointer, x: Pointer, table: Pointer, indices: Pointer, rows: number, dim: number): void
  normalizeRowsF32(out: Pointer, x: Pointer, rows: number, dim: number): void
  hannWindow(out: Pointer, size: number, length: number, scale: number): void
  fftPlanBytes(n: number): number
  fftPlan(plan: Pointer, n: number): void
  stftF32(out: Pointer, samples: Pointer, window: Pointer, rows: number, hop: number, plan: Pointer, magnitude: boolean): void
  bandedF32(out: Pointer, x: Pointer, matrix: Pointer, rows: number, inputs: number, outputs: number): void
  logF32(out: Pointer, x: Pointer, length: number, floor: number): void
  polarF32(spectra: Pointer, rows: number, bins: number, limit: number): void
  irfftF32(frames: Pointer, spectra: Pointer, window: Pointer, rows: number, plan: Pointer): void
  inverseEnvelopeF32(out: Pointer, window: Pointer, nFft: number, hop: number, first: number, last: number): void
  multiplyF32(out: Pointer, a: Pointer, b: Pointer, length: number): void
  harmonicsF32(out: Pointer, phase: Pointer, from: number, to: number, first: number, count: number, hop: number, sampleRate: number, limit: number): void
  noiseF32(out: Pointer, start: number, count: number): void
  mixSpectraF32(harmonics: Pointer, magnitudes: Pointer, noise: Pointer, shares: Pointer, rows: number, bins: number): void
  shapeSpectraF32(spectra: Pointer, logGains: Pointer, rows: number, bins: number): void
}
