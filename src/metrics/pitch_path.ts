// pYIN's hidden Markov model: each pitch bin is a state twice, voiced and unvoiced; the most probable path by Viterbi's algorithm.

const BINS_PER_OCTAVE = 120
/** Octaves per second that the pitch may move. */
const TRANSITION_RATE = 35.92
const SWITCH_PROBABILITY = 0.01
/** log of the smallest normal number: what librosa adds to every probability. */
const LOG_TINY = Math.log(2 ** -1022)

/** The states and how they follow each other. */
export interface PitchBins {
  readonly count: number
  readonly perOctave: number
  /** Hz of bin 0. */
  readonly lowest: number
  /** Bins that the pitch may move in one hop, either way. */
  readonly reach: number
}

/** Bins of a tenth of a semitone from `lowest` to `highest` Hz. */
export function pitchBins(lowest: number, highest: number, hopSeconds: number): PitchBins {
  const semitones = Math.round(TRANSITION_RATE * 12 * hopSeconds)
  return {
    count: Math.floor(BINS_PER_OCTAVE * Math.log2(highest / lowest)) + 1,
    perOctave: BINS_PER_OCTAVE,
    lowest,
    reach: (semitones * BINS_PER_OCTAVE) / 24,
  }
}

/** Logarithms of the triangle of moves from each bin: [count][2 * reach + 1], for paths that keep, or switch, voicing. */
function logMoves({ count, reach }: PitchBins, probability: number): Float64Array {
  const width = 2 * reach + 1
  const result = new Float64Array(count * width)
  for (let from = 0; from < count; from++) {
    let sum = 0
    for (let move = -reach; move <= reach; move++)
      if (from + move >= 0 && from + move < count) sum += reach + 1 - Math.abs(move)
    for (let move = -reach; move <= reach; move++)
      result[from * width + move + reach] = Math.log((probability * (reach + 1 - Math.abs(move))) / sum)
  }
  return result
}

/** F0 of every frame, NaN where the path is unvoiced. `observations`: probability of each bin. */
export function smoothestPath(
  observations: readonly Float64Array[],
  voiced: Float64Array,
  bins: PitchBins,
): Float64Array {
  const { count } = bins
  const states = 2 * count
  const keep = logMoves(bins, 1 - SWITCH_PROBABILITY)
  const change = logMoves(bins, SWITCH_PROBABILITY)
  const pointers = observations.map(() => new Uint16Array(states))
  let scores = new Float64Array(states).fill(Math.log(1 / states))
  observations.forEach((observed, t) => {
    const next = t === 0 ? scores : step(scores, keep, change, bins, pointers[t])
    const unvoiced = logOf((1 - voiced[t]) / count)
    for (let bin = 0; bin < count; bin++) {
      next[bin] += logOf(observed[bin])
      next[count + bin] += unvoiced
    }
    scores = next
  })
  const f0 = new Float64Array(observations.length)
  let state = firstMaximum(scores)
  for (let t = f0.length - 1; t >= 0; t--) {
    f0[t] = state < count ? bins.lowest * 2 ** (state / bins.perOctave) : Number.NaN
    state = pointers[t][state]
  }
  return f0
}

function logOf(probability: number): number {
  return probability > 0 ? Math.log(probability) : LOG_TINY
}

function firstMaximum(values: Float64Array): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i
  return best
}

/** Best predecessor of every state, the lowest of equal ones; any state may follow any other with the smallest probability. */
function step(
  scores: Float64Array,
  keep: Float64Array,
  change: Float64Array,
  { count, reach }: PitchBins,
  pointers: Uint16Array,
): Float64Array<ArrayBuffer> {
  const width = 2 * reach + 1
  const anyState = firstMaximum(scores)
  const anyScore = scores[anyState] + LOG_TINY
  const next = new Float64Array(scores.length)
  for (let to = 0; to < count; to++) {
    const first = Math.max(0, to - reach)
    const last = Math.min(count - 1, to + reach)
    for (let voicing = 0; voicing < 2; voicing++) {
      let best = anyScore
      let bestState = anyState
      for (let before = 0; before < 2; before++) {
        const moves = before === voicing ? keep : change
        for (let from = first; from <= last; from++) {
          const score = scores[before * count + from] + moves[from * width + to - from + reach]
          if (score > best) {
            best = score
            bestState = before * count + from
          }
        }
      }
      next[voicing * count + to] = best
      pointers[voicing * count + to] = bestState
    }
  }
  return next
}
