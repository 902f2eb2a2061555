import {
  bitsPerSecond,
  compress,
  type FeatureMethod,
  type Features,
  nearestCodes,
  spread,
} from '../../src/codes/index.js'
import type { AudioTokenizer } from '../../src/index.js'
import { logSpectralDistance } from '../../src/metrics/index.js'
import { random } from '../../tests/support/random.js'
import type { Corpus } from './coding.js'
import { table } from './format.js'

const CLIPS = 12
const METHODS: readonly [FeatureMethod, number][] = [
  ['average-pool', 2],
  ['tome', 1.25],
  ['tome', 1.5],
  ['tome', 2],
  ['tome-kth', 2],
  ['a-tome', 1.25],
  ['a-tome', 1.5],
  ['a-tome', 2],
  ['segments', 1.25],
  ['segments', 1.5],
  ['segments', 2],
  ['prune', 1.5],
  ['prune', 2],
]

interface Sums {
  tokens: number
  bits: number
  power: number
  noise: number
  /** Log-spectral distance times frames. */
  distance: number
}

/** Every method on codebook vectors, coded anew, spread over the frames and decoded; beside it dedup, which loses nothing. */
export async function reductionTable(tokenizer: AudioTokenizer, { name, clips }: Corpus): Promise<string> {
  const { codebookSizes, frameRate } = tokenizer.info
  const [size] = codebookSizes
  const values = await tokenizer.embed([Array.from({ length: size }, (_, code) => code)])
  const codebook: Features = { values, dim: values.length / size }
  const used = clips.slice(0, CLIPS)
  const seconds = used.flat().length / frameRate
  const width = Math.ceil(Math.log2(size))
  const heard = await Promise.all(used.map(clip => tokenizer.decode([clip])))
  const rows: string[][] = []
  for (const [method, ratio] of METHODS) {
    const sums: Sums = { tokens: 0, bits: 0, power: 0, noise: 0, distance: 0 }
    for (const [i, clip] of used.entries()) {
      const features = spread(codebook, Int32Array.from(clip))
      const short = compress(features, method, ratio)
      const codes = nearestCodes(short.tokens, codebook)
      const restored = Array.from(short.map, token => codes[token])
      const { samples } = await tokenizer.decode([restored])
      sums.tokens += codes.length
      sums.bits += (bitsPerSecond(short, width, frameRate) * clip.length) / frameRate
      sums.distance += clip.length * 10 * logSpectralDistance(heard[i].samples, samples)
      add(sums, features.values, short.restore().values)
    }
    rows.push(row(method, String(ratio), sums, seconds, frameRate))
  }
  const scale = await distanceOfNoise(tokenizer, used[0], heard[0].samples)
  const runs = used.map(clip => compress([clip], 'dedup'))
  const tokens = runs.reduce((sum, run) => sum + run.sizes.length, 0)
  const bits = runs.reduce(
    (sum, run, i) => sum + (bitsPerSecond(run, width, frameRate) * used[i].length) / frameRate,
    0,
  )
  rows.unshift([
    'dedup',
    (used.flat().length / tokens).toFixed(2),
    (tokens / seconds).toFixed(1),
    (bits / seconds).toFixed(0),
    'no loss',
    'no loss',
  ])
  const head = [
    'method',
    'frames per token',
    'tokens/s',
    'bit/s with durations',
    'SNR of the vectors, dB',
    'log-spectral distance of the audio, dB',
  ]
  return `The first ${used.length} clips of ${name}. Audio is compared with what the decoder makes of all codes; for scale,
codes drawn at random are ${scale} dB away. Tokens of ToMe may stand for frames that are not neighbours; the bits of their places are
not counted.\n\n${table(head, rows)}`
}

async function distanceOfNoise(
  tokenizer: AudioTokenizer,
  clip: readonly number[],
  heard: Float32Array,
): Promise<string> {
  const next = random(2)
  const [size] = tokenizer.info.codebookSizes
  const { samples } = await tokenizer.decode([clip.map(() => Math.floor(((next() + 1) / 2) * size))])
  return (10 * logSpectralDistance(heard, samples)).toFixed(1)
}

function add(sums: Sums, signal: Float32Array, approximation: Float32Array): void {
  for (let i = 0; i < signal.length; i++) {
    sums.power += signal[i] ** 2
    sums.noise += (signal[i] - approximation[i]) ** 2
  }
}

function row(method: string, ratio: string, sums: Sums, seconds: number, frameRate: number): string[] {
  const { tokens, bits, power, noise, distance } = sums
  const rates = [(tokens / seconds).toFixed(1), (bits / seconds).toFixed(0)]
  const snr = noise === 0 ? 'no loss' : (10 * Math.log10(power / noise)).toFixed(1)
  const heard = distance === 0 ? 'no loss' : (distance / (seconds * frameRate)).toFixed(2)
  return [method, ratio, ...rates, snr, heard]
}
