// Metrics that need a model of their own (DNSMOS, UTMOS, a speaker encoder) or a licence (PESQ: the ITU's reference code may be neither
// altered nor translated) come from outside, as functions.
import type { Samples } from './signals.js'

/** Scores one clip without a reference: samples (mono) and their rate in Hz to a figure. */
export type ClipMetric = (samples: Samples, sampleRate: number) => number | Promise<number>

/** Scores a degraded clip against its reference, both at one rate in Hz. */
export type PairMetric = (
  reference: Samples,
  degraded: Samples,
  sampleRate: number,
) => number | Promise<number>

/** A metric with what a report needs to know of it. */
export interface NamedMetric {
  readonly name: string
  /** Such as 'dB' or 'MOS'. */
  readonly unit?: string
  readonly higherIsBetter: boolean
  /** Rate that `measure` must be given, Hz (default: any). */
  readonly sampleRate?: number
  readonly needs: 'clip' | 'pair'
  readonly measure: ClipMetric | PairMetric
}
