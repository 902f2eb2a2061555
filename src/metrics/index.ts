/**
 * How good tokens and decoded audio are: pure functions in f64 that agree with the reference packages of each metric.
 *
 * @module
 */
export {
  cepstralDistortion,
  freqt,
  type MelCepstralDistortionOptions,
  type MelCepstrumOptions,
  melAlpha,
  melCepstra,
  melCepstralDistortion,
  spectrumToMelCepstrum,
} from './cepstrum.js'
export { type SiSdrOptions, sdr, siSdr, snr } from './distortion.js'
export { cosineSimilarity, equalErrorRate, frechetDistance } from './embeddings.js'
export { type F0Agreement, f0Agreement } from './f0.js'
export * from './fairness/index.js'
export type { ClipMetric, NamedMetric, PairMetric } from './hooks.js'
export { MEL_DISTANCES, type MelDistanceOptions, melDistance } from './mel.js'
export { NgramModel, type NgramOptions } from './ngram.js'
export { type PitchOptions, type PitchTrack, pitch } from './pitch.js'
export { estimatedOffset, type Samples } from './signals.js'
export { logSpectralDistance, multiResolutionStftDistance, multiScaleStftDistance } from './stft.js'
export { type StoiOptions, stoi } from './stoi.js'
export {
  characterErrorRate,
  type Edits,
  edits,
  errorRate,
  normalisedWords,
  wordErrorRate,
} from './text.js'
export {
  type CodebookUsage,
  type CodeClips,
  codeAgreement,
  codebookDependence,
  codebookUsage,
  type Dependence,
  type RunStatistics,
  runStatistics,
  type TokenRates,
  temporalDependence,
  tokenRates,
} from './tokens.js'
export { type UnitQuality, unitQuality } from './units.js'
