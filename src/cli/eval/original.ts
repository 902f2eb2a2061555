import { resample } from '../../audio/index.js'
import { pitch } from '../../metrics/index.js'

/** A recording as it was, mono, at any rate that is asked for; what was computed for one system serves the next. */
export class Original {
  readonly samples: Float32Array
  /** Hz. */
  readonly sampleRate: number
  readonly #atRate = new Map<number, Float32Array>()
  readonly #f0 = new Map<number, Float64Array>()
  /** What a recogniser heard. */
  heard?: Promise<string>

  constructor(samples: Float32Array, sampleRate: number) {
    this.samples = samples
    this.sampleRate = sampleRate
  }

  get seconds(): number {
    return this.samples.length / this.sampleRate
  }

  at(sampleRate: number): Float32Array {
    return cached(this.#atRate, sampleRate, () => resample(this.samples, this.sampleRate, sampleRate))
  }

  f0At(sampleRate: number): Float64Array {
    return cached(this.#f0, sampleRate, () => pitch(this.at(sampleRate), sampleRate).f0)
  }
}

function cached<Key, Value>(kept: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = kept.get(key)
  if (found !== undefined) return found
  const made = make()
  kept.set(key, made)
  return made
}
