/** Least and greatest sample of each of `columns` equal parts of `samples` (fewer where there are fewer samples). */
export interface Envelope {
  readonly low: Float32Array
  readonly high: Float32Array
}

export function envelope(samples: Float32Array, columns: number): Envelope {
  const count = Math.min(columns, samples.length)
  const low = new Float32Array(count)
  const high = new Float32Array(count)
  for (let column = 0; column < count; column++) {
    const first = Math.floor((column * samples.length) / count)
    const end = Math.floor(((column + 1) * samples.length) / count)
    low[column] = high[column] = samples[first]
    for (let i = first + 1; i < end; i++) {
      low[column] = Math.min(low[column], samples[i])
      high[column] = Math.max(high[column], samples[i])
    }
  }
  return { low, high }
}

/** Greatest absolute sample. */
export function peak(samples: Float32Array): number {
  return samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
}
