import { TokenError } from '../../errors.js'
import { type CodeRows, framesOf } from '../layouts.js'
import { dot, type Features, frameCount, nearestCodes, row } from './features.js'

/**
 * Residual quantization in which codebooks see averages over time: codec-merging of VALL-E R (arXiv 2406.07855, section 3.2). What
 * averaging loses goes into the residual, so deeper codebooks make up for it. Frames left at the end are averaged alone.
 *
 * @param latent encoder output, [frames, dim]
 * @param codebooks entries of each codebook, [size, dim]
 * @param rates frames that share a code, per codebook; the paper's are 2, 1, 1, ...
 * @returns [codebook][frame], and the mean square of what no codebook explains
 */
export function encodeMerged(
  latent: Features,
  codebooks: readonly Features[],
  rates: readonly number[],
): { codes: number[][]; residualMse: number } {
  checkRates(rates, codebooks.length)
  const residual: Features = { values: latent.values.slice(), dim: latent.dim }
  const codes = codebooks.map((codebook, q) => {
    const found = nearestCodes(averaged(residual, rates[q]), codebook)
    const perFrame = Array.from({ length: frameCount(latent) }, (_, t) => found[Math.floor(t / rates[q])])
    perFrame.forEach((code, t) => {
      const entry = row(codebook, code)
      const vector = row(residual, t)
      for (let i = 0; i < vector.length; i++) vector[i] -= entry[i]
    })
    return perFrame
  })
  const { values } = residual
  return { codes, residualMse: values.length > 0 ? dot(values, values) / values.length : 0 }
}

/** Means of `rate` frames each; of those that are left at the end. */
function averaged(features: Features, rate: number): Features {
  const { dim } = features
  const frames = frameCount(features)
  const means = new Float32Array(Math.ceil(frames / rate) * dim)
  for (let start = 0; start < frames; start += rate) {
    const end = Math.min(start + rate, frames)
    for (let i = 0; i < dim; i++) {
      let sum = 0
      for (let t = start; t < end; t++) sum += features.values[t * dim + i]
      means[(start / rate) * dim + i] = sum / (end - start)
    }
  }
  return { values: means, dim }
}

/**
 * Codec-merging for codes whose latent is gone: the sum of their codebook vectors stands for it, and all codebooks are coded again. An
 * approximation.
 */
export function mergeCodes(
  codes: CodeRows,
  codebooks: readonly Features[],
  rates: readonly number[],
): { codes: number[][]; residualMse: number } {
  if (codes.length > codebooks.length)
    throw new TokenError(`${codes.length} codebooks of codes, but vectors of ${codebooks.length}`)
  const { dim } = codebooks[0]
  const latent: Features = { values: new Float32Array(framesOf(codes) * dim), dim }
  codes.forEach((list, q) => {
    for (let t = 0; t < list.length; t++) {
      const entry = row(codebooks[q], list[t])
      const vector = row(latent, t)
      for (let i = 0; i < dim; i++) vector[i] += entry[i]
    }
  })
  return encodeMerged(latent, codebooks.slice(0, codes.length), rates)
}

/** Merged codes once each: row q has ceil(frames / rates[q]) codes. */
export function packMerged(codes: CodeRows, rates: readonly number[]): number[][] {
  checkRates(rates, codes.length)
  return codes.map((list, q) => Array.from(list).filter((_, t) => t % rates[q] === 0))
}

/** Inverse of {@link packMerged}: each code repeated, cut to `frames`. */
export function unpackMerged(packed: CodeRows, rates: readonly number[], frames: number): number[][] {
  checkRates(rates, packed.length)
  return packed.map((list, q) => {
    if (list.length === Math.ceil(frames / rates[q]))
      return Array.from({ length: frames }, (_, t) => list[Math.floor(t / rates[q])])
    throw new TokenError(
      `codebook ${q} has ${list.length} merged codes, expected ${Math.ceil(frames / rates[q])} for ${frames} frames at rate ${rates[q]}`,
    )
  })
}

function checkRates(rates: readonly number[], codebooks: number): void {
  if (rates.length === codebooks && rates.every(rate => Number.isInteger(rate) && rate >= 1)) return
  throw new TokenError(
    `merge rates are [${rates.join(', ')}], expected ${codebooks} whole numbers from 1, one per codebook`,
  )
}
