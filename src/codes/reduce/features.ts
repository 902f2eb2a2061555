import { TokenError } from '../../errors.js'

/** Vectors in time, row-major [frames, dim]. */
export interface Features {
  readonly values: Float32Array
  readonly dim: number
}

/** Which frames became which token. */
export interface FrameMap {
  /** Token of every frame. */
  readonly map: Int32Array
  /** Frames of every token. */
  readonly sizes: Uint32Array
}

/** Rows of features. @throws TokenError where the values are no whole number of rows */
export function frameCount({ values, dim }: Features): number {
  if (Number.isInteger(dim) && dim >= 1 && values.length % dim === 0) return values.length / dim
  throw new TokenError(`${values.length} values are no whole number of frames of ${dim}`)
}

/** One row. */
export function row({ values, dim }: Features, frame: number): Float32Array {
  return values.subarray(frame * dim, (frame + 1) * dim)
}

/** Rows divided by their length; rows of zeros stay. */
export function normalised(features: Features): Features {
  const result = { values: features.values.slice(), dim: features.dim }
  for (let frame = 0; frame < frameCount(features); frame++) {
    const vector = row(result, frame)
    const norm = Math.sqrt(dot(vector, vector))
    for (let i = 0; i < vector.length; i++) vector[i] /= Math.max(norm, 1e-12)
  }
  return result
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

/** Sizes of a map. @param tokens how many there are; each must have a frame */
export function frameMap(map: Int32Array, tokens: number): FrameMap {
  const sizes = new Uint32Array(tokens)
  for (const token of map) sizes[token]++
  return { map, sizes }
}

/** Tokens renumbered in the order of their first frames. @returns the new map, and the old number of each token */
export function inTimeOrder(map: Int32Array): { map: Int32Array; order: number[] } {
  const places = new Map<number, number>()
  const renumbered = map.map(token => {
    const place = places.get(token) ?? places.size
    places.set(token, place)
    return place
  })
  return { map: renumbered, order: [...places.keys()] }
}

/** One token per frame. */
export function identityMap(frames: number): Int32Array {
  return Int32Array.from({ length: frames }, (_, frame) => frame)
}

/** The mean of each token's frames, each frame counting `weights` times (default once). */
export function meanOf(features: Features, { map, sizes }: FrameMap, weights?: ArrayLike<number>): Features {
  const { dim } = features
  const sums = new Float64Array(sizes.length * dim)
  const totals = new Float64Array(sizes.length)
  map.forEach((token, frame) => {
    const weight = weights ? weights[frame] : 1
    const vector = row(features, frame)
    totals[token] += weight
    for (let i = 0; i < dim; i++) sums[token * dim + i] += weight * vector[i]
  })
  return { values: Float32Array.from(sums, (sum, i) => sum / totals[Math.floor(i / dim)]), dim }
}

/** Each frame gets its token's vector. */
export function spread(tokens: Features, map: Int32Array): Features {
  const values = new Float32Array(map.length * tokens.dim)
  map.forEach((token, frame) => {
    values.set(row(tokens, token), frame * tokens.dim)
  })
  return { values, dim: tokens.dim }
}

/** The row of each codebook entry nearest to each frame, by squared distance; ties go to the lowest code. */
export function nearestCodes(features: Features, codebook: Features): number[] {
  if (features.dim !== codebook.dim)
    throw new TokenError(`features have ${features.dim} dimensions, the codebook ${codebook.dim}`)
  const entries = frameCount(codebook)
  return Array.from({ length: frameCount(features) }, (_, frame) => {
    const vector = row(features, frame)
    let [best, least] = [0, Number.POSITIVE_INFINITY]
    for (let code = 0; code < entries; code++) {
      const entry = row(codebook, code)
      let distance = 0
      for (let i = 0; i < vector.length && distance < least; i++) {
        const difference = vector[i] - entry[i]
        distance += difference * difference
      }
      if (distance < least) [best, least] = [code, distance]
    }
    return best
  })
}
