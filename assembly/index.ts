// The export list is the ABI: bindings/kernels.ts types each line once.
// Pointers are byte addresses, sizes are counts of elements (f32 unless the name says otherwise).

export const heapBase: usize = __heap_base

export { packWeights } from './pack'
export { matmulF32 } from './matmul'
export { activateRow as activationF32, cosF32, expF32, sinF32 } from './activation'
export { hannWindow } from './tables'
export { fftPlan, fftPlanBytes } from './fft'
export { stftF32 } from './stft'
export { inverseEnvelopeF32, irfftF32, multiplyF32, overlapAddF32 } from './istft'
