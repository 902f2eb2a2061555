// The export list is the ABI: bindings/kernels.ts types each line once.
// Pointers are byte addresses, sizes are counts of elements (f32 unless the name says otherwise).

export const heapBase: usize = __heap_base

export { activationF32, cosF32, expF32, sinF32, snakeF32 } from './activation'
export { rotateHeadsF32, softmaxRowsF32, windowAttentionF32 } from './attention'
export { bandedF32, logF32 } from './bands'
export { depthwiseF32, overlapAddRowsF32 } from './conv1d'
export { addF32, addScaledRowsF32, affineF32, scaleRowsF32 } from './elementwise'
export { harmonicsF32, mixSpectraF32, noiseF32, shapeSpectraF32 } from './excitation'
export { fftPlan, fftPlanBytes } from './fft'
export { widenF16 } from './halves'
export { inverseEnvelopeF32, irfftF32, multiplyF32, polarF32 } from './istft'
export { accumulateRowsF64, normalizeRowsF32, squaredDistancesF32 } from './kmeans'
export { lstmF32 } from './lstm'
export { matmulF32 } from './matmul'
export { matmulF16 } from './matmul_f16'
export { matmulInteger, quantizeRowsI16 } from './matmul_q8'
export { groupNormApply, groupNormMeasure, layerNormF32 } from './norm'
export { packWeights } from './pack'
export { packWeightsF16, packWeightsInteger } from './pack_reduced'
export { addColumnsF32, argmaxRowsF32, gatherRowsF32, halfNormsF32 } from './quantize'
export { scratch } from './scratch'
export { stftF32 } from './stft'
export { hannWindow } from './tables'
export { winogradInputF32, winogradOutputF32 } from './winograd'
