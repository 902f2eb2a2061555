import { TokenError } from '../../errors.js'
import { type Features, frameCount, row } from './features.js'

/** Frames that fill whole windows; those left at the end are dropped, as PyTorch's pooling does. */
function windowsOf(features: Features, window: number): number {
  if (Number.isInteger(window) && window >= 1) return Math.floor(frameCount(features) / window)
  throw new TokenError(`the window is ${window} frames, expected a whole number from 1`)
}

/** Means of `window` frames each (Qwen2-Audio: 2). Frames left at the end are dropped. */
export function averagePool(features: Features, window: number): Features {
  return pooled(
    features,
    window,
    (sum, value) => sum + value,
    0,
    sum => sum / window,
  )
}

/** Largest values of `window` frames each. Frames left at the end are dropped. */
export function maxPool(features: Features, window: number): Features {
  return pooled(features, window, Math.max, Number.NEGATIVE_INFINITY, most => most)
}

function pooled(
  features: Features,
  window: number,
  combine: (soFar: number, value: number) => number,
  start: number,
  finish: (combined: number) => number,
): Features {
  const { dim, values } = features
  const result = new Float32Array(windowsOf(features, window) * dim)
  for (let token = 0; token < result.length / dim; token++)
    for (let i = 0; i < dim; i++) {
      let combined = start
      for (let k = 0; k < window; k++) combined = combine(combined, values[(token * window + k) * dim + i])
      result[token * dim + i] = finish(combined)
    }
  return { values: result, dim }
}

/** `window` frames side by side as one of window * dim (LLaMA-Omni: 5). Frames left at the end are dropped. */
export function stack(features: Features, window: number): Features {
  const dim = features.dim * window
  return { values: features.values.slice(0, windowsOf(features, window) * dim), dim }
}

/** Inverse of {@link stack}. */
export function unstack(stacked: Features, window: number): Features {
  if (stacked.dim % window === 0) return { values: stacked.values.slice(), dim: stacked.dim / window }
  throw new TokenError(`${stacked.dim} dimensions are no ${window} stacked frames`)
}

/** Each pooled frame `window` times, then the last one again, up to `frames`. */
export function unpool(pooledFeatures: Features, window: number, frames: number): Features {
  const { dim } = pooledFeatures
  const tokens = frameCount(pooledFeatures)
  const values = new Float32Array(frames * dim)
  if (tokens === 0) return { values, dim }
  for (let t = 0; t < frames; t++)
    values.set(row(pooledFeatures, Math.min(Math.floor(t / window), tokens - 1)), t * dim)
  return { values, dim }
}
