// Triangular filter banks. HTK's mel scale is geometric in 1 + f / 700, so that corner points need no logarithm, and no table here
// depends on the engine's Math.

const HTK = 700

/** `count` frequencies from 0 to `top` Hz, equally spaced on HTK's mel scale (2595 log10(1 + f / 700)). */
export function melPoints(count: number, top: number): number[] {
  const ratio = root(1 + top / HTK, count - 1)
  const points: number[] = []
  for (let i = 0, power = 1; i < count; i++, power *= ratio) points.push(HTK * (power - 1))
  return points
}

/** `count` frequencies from 0 to `top` Hz, equally spaced in mel but at least `least` Hz apart. */
export function widenedMelPoints(count: number, top: number, least: number): number[] {
  const place = (ratio: number) => {
    const points = [0]
    while (points.length < count) {
      const last = points[points.length - 1]
      points.push(Math.max(last + least, HTK * ((1 + last / HTK) * ratio - 1)))
    }
    return points
  }
  let [low, high] = [1, 1 + top / HTK]
  for (let round = 0; round < 60; round++) {
    const middle = (low + high) / 2
    if (place(middle)[count - 1] < top) low = middle
    else high = middle
  }
  return place((low + high) / 2)
}

/** Triangles of peak 1 between points, over `bins` frequencies 0 .. sampleRate / 2: [points.length - 2][bins]. */
export function triangles(
  points: readonly number[],
  bins: number,
  sampleRate: number,
): Float32Array<ArrayBuffer> {
  const bands = points.length - 2
  const filters = new Float32Array(bands * bins)
  for (let band = 0; band < bands; band++) {
    const [low, peak, high] = points.slice(band, band + 3)
    const perHz = (2 * (bins - 1)) / sampleRate
    const end = Math.min(bins, Math.ceil(high * perHz) + 1)
    for (let bin = Math.floor(low * perHz); bin < end; bin++) {
      const hz = (bin * sampleRate) / (2 * (bins - 1))
      filters[band * bins + bin] = Math.max(
        0,
        Math.min((hz - low) / (peak - low), (high - hz) / (high - peak)),
      )
    }
  }
  return filters
}

/**
 * Values of bands spread over bins: every bin is the mean of the bands that cover it, weighted by their triangles; a bin that none
 * covers takes the band whose centroid is nearest. [bins][bands].
 */
export function spreadMatrix(filters: Float32Array, bands: number, bins: number): Float32Array<ArrayBuffer> {
  const totals = new Float64Array(bins)
  const centroids = new Float64Array(bands)
  for (let band = 0; band < bands; band++) {
    let weight = 0
    let moment = 0
    for (let bin = 0; bin < bins; bin++) {
      const filter = filters[band * bins + bin]
      totals[bin] += filter
      weight += filter
      moment += bin * filter
    }
    centroids[band] = moment / weight
  }
  const spread = new Float32Array(bins * bands)
  for (let bin = 0; bin < bins; bin++) {
    if (totals[bin] >= 1e-6)
      for (let band = 0; band < bands; band++)
        spread[bin * bands + band] = filters[band * bins + bin] / totals[bin]
    else spread[bin * bands + nearest(centroids, bin)] = 1
  }
  return spread
}

/** Linear interpolation over frequency of values that stand in the middles between `edges`, constant outside: [bins][edges - 1]. */
export function shareMatrix(
  edges: readonly number[],
  bins: number,
  sampleRate: number,
): Float32Array<ArrayBuffer> {
  const middles = edges.slice(1).map((edge, i) => (edge + edges[i]) / 2)
  const count = middles.length
  const matrix = new Float32Array(bins * count)
  for (let bin = 0; bin < bins; bin++) {
    const hz = (bin * sampleRate) / (2 * (bins - 1))
    const above = middles.findIndex(middle => middle > hz)
    if (above <= 0) matrix[bin * count + (above < 0 ? count - 1 : 0)] = 1
    else {
      const share = (hz - middles[above - 1]) / (middles[above] - middles[above - 1])
      matrix[bin * count + above - 1] = 1 - share
      matrix[bin * count + above] = share
    }
  }
  return matrix
}

function nearest(values: Float64Array, target: number): number {
  let best = 0
  for (let i = 1; i < values.length; i++)
    if (Math.abs(values[i] - target) < Math.abs(values[best] - target)) best = i
  return best
}

/** x^(1 / degree) by Newton's method, for x >= 1. */
function root(x: number, degree: number): number {
  let value = 1 + (x - 1) / degree
  for (let round = 0; round < 100; round++) {
    let power = 1
    for (let i = 1; i < degree; i++) power *= value
    const next = value - (power * value - x) / (degree * power)
    if (next === value) break
    value = next
  }
  return value
}
