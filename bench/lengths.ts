import type { Region } from '../bindings/memory.js'
import type { Model } from '../src/models/model.js'
import { decode, encode } from '../tests/support/model.js'
import { randomArray } from '../tests/support/random.js'

/** What one length of clip takes: seconds of CPU time per second of audio, and memory beyond the weights. */
export interface LengthCost {
  task: 'encode' | 'decode'
  seconds: number
  realTimeFactor: number
  bytes: number
}

// Encoding keeps no clip; the whole-clip decode does, so that it is shown up to a length that people decode at once.
const ENCODED = [1, 10, 60, 600]
const DECODED = [1, 10, 60]
const TILE = 6000 // samples, as the tokenizer pushes them

/** Costs by length of clip, the best of three runs where they are short. */
export function lengthCosts(region: Region, model: Model): LengthCost[] {
  const { sampleRate, hopLength, codebookSizes } = model.info
  const frames = (seconds: number) => Math.round((seconds * sampleRate) / hopLength)
  const clip = randomArray(sampleRate * ENCODED[ENCODED.length - 1], 1, 0.3)
  const codes = randomArray(frames(DECODED[DECODED.length - 1]), 2).map(value =>
    Math.floor(((value + 1) / 2) * (codebookSizes[0] - 1)),
  )
  return [
    ...ENCODED.map(seconds =>
      cost(region, 'encode', seconds, () =>
        encode(region, model, clip.subarray(0, seconds * sampleRate), undefined, () => TILE),
      ),
    ),
    ...DECODED.map(seconds =>
      cost(region, 'decode', seconds, () => decode(region, model, codes.subarray(0, frames(seconds)))),
    ),
  ]
}

function cost(region: Region, task: LengthCost['task'], seconds: number, run: () => void): LengthCost {
  const { heap } = region
  const weights = heap.used
  heap.peak = weights
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < (seconds > 10 ? 1 : 3); round++) {
    const start = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(start)
    best = Math.min(best, (user + system) / 1e6)
  }
  return { task, seconds, realTimeFactor: best / seconds, bytes: heap.peak - weights }
}
