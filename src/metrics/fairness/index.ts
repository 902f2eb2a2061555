export type { FairnessEntry, ShiftedCodes } from './corpus.js'
export { type GroupSensitivity, type ShiftSensitivity, shiftSensitivity } from './counterfactual.js'
export { jensenShannon } from './divergence.js'
export {
  type LogisticModel,
  type LogisticOptions,
  logisticRegression,
  type SparseRow,
} from './logistic.js'
export type { GroupMean } from './means.js'
export type { Orientation } from './orientation.js'
export type { Probe } from './probe.js'
export { type FairnessOptions, type FairnessReport, fairnessReport, type GroupPair } from './report.js'
export type { Figure as FairnessFigure, Resampling } from './resampling.js'
export type { SameText } from './same_text.js'
export { editDistance, normalisedEditDistance, warpedCosineDistance, withoutRepeats } from './sequences.js'
