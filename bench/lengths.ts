import type { Heap, Region } from '../bindings/memory.js'
import type { Model } from '../src/models/model.js'
import { AudioTokenizer } from '../src/tokenizer.js'
import { openModel } from '../tests/support/model.js'
import { randomArray } from '../tests/support/random.js'

/** What one length of clip takes: seconds of CPU time per second of audio, and memory beyond the weights. */
export interface LengthCost {
  task: string
  seconds: number
  realTimeFactor: number
  bytes: number
}

/** Makes the input, which is not timed, and gives what is. */
type Prepare = (tokenizer: AudioTokenizer, seconds: number) => () => Promise<unknown>

const SAMPLE_RATE = 24_000 // of both models
const FRAME_RATE = 75
const encode: Prepare = (tokenizer, seconds) => {
  const samples = randomArray(SAMPLE_RATE * seconds, 1, 0.3)
  return () => tokenizer.encode(samples)
}
const decode =
  (chunkSeconds?: number): Prepare =>
  (tokenizer, seconds) => {
    const size = tokenizer.info.codebookSizes[0]
    const codes = randomArray(FRAME_RATE * seconds, 2).map(value =>
      Math.floor(((value + 1) / 2) * (size - 1)),
    )
    return () => tokenizer.decode(codes, { chunkSeconds })
  }

// A whole clip's decoder keeps the clip, so that it is shown up to a length that people decode at once.
const OF_WAVTOKENIZER: readonly [task: string, prepare: Prepare, lengths: number[]][] = [
  ['encode', encode, [1, 10, 60, 600]],
  ['decode, whole clip', decode(), [1, 10, 60]],
  ['decode, windows of 30 s', decode(30), [10, 60, 600]],
]
const OF_MINI: typeof OF_WAVTOKENIZER = [
  ['default model, encode', encode, [1, 10, 60, 600, 3600]],
  ['default model, decode', decode(), [1, 10, 60, 600, 3600]],
]

/** Costs by length of clip of WavTokenizer, and of the default model in a core of its own. */
export async function lengthCosts(region: Region, model: Model): Promise<LengthCost[]> {
  const mini = await openModel('../weights/mini-24k-75.safetensors')
  return [
    ...(await costs(new AudioTokenizer(region, model, 'baseline'), region.heap, OF_WAVTOKENIZER)),
    ...(await costs(new AudioTokenizer(mini.region, mini.model, 'baseline'), mini.heap, OF_MINI)),
  ]
}

/** The best of three runs where they are short. */
async function costs(tokenizer: AudioTokenizer, heap: Heap, rows: typeof OF_WAVTOKENIZER) {
  const result: LengthCost[] = []
  for (const [task, prepare, lengths] of rows)
    for (const seconds of lengths) {
      const call = prepare(tokenizer, seconds)
      const weights = heap.used
      heap.peak = weights
      let best = Number.POSITIVE_INFINITY
      for (let round = 0; round < (seconds > 10 ? 1 : 3); round++) {
        const start = process.cpuUsage()
        await call()
        const { user, system } = process.cpuUsage(start)
        best = Math.min(best, (user + system) / 1e6)
      }
      result.push({ task, seconds, realTimeFactor: best / seconds, bytes: heap.peak - weights })
    }
  return result
}
