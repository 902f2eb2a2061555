// Compares residual codecs and vocoders of the published sizes with PyTorch. Run by `npm run parity:codecs`.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { split } from '../src/audio/channels.js'
import { type AudioTokenizer, AudioTokens, loadTokenizer } from '../src/index.js'
import { snr } from './support/compare.js'
import { residualComparison } from './support/parity.js'
import { type Vector, vectors } from './support/vectors.js'

const SNR_DB = 80
const [folder, ...names] = process.argv.slice(2)
const made = () =>
  readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name)
let failures = 0

for (const name of names.length ? names : made()) {
  const checkpoint = join(folder, `${name}.safetensors`)
  if (!existsSync(checkpoint))
    throw new Error(`${checkpoint} is missing; run tests/vectors/full_codecs.py first`)
  using tokenizer = await loadTokenizer(checkpoint, { deterministic: true })
  const { parameters, codebooks } = tokenizer.info
  console.log(`\n${name}: ${(parameters / 1e6).toFixed(1)} M parameters, ${codebooks} codebooks`)
  for (const file of readdirSync(join(folder, name))) {
    const expected = vectors(pathToFileURL(join(folder, name, file)))
    const found = [
      ...(await codesFound(tokenizer, expected)),
      ...(await featuresFound(tokenizer, expected)),
      await audioFound(tokenizer, expected),
    ]
    console.log(`${file.replace('.safetensors', '')}: ${found.map(({ text }) => text).join('; ')}`)
    failures += found.filter(({ isEqual }) => !isEqual).length
  }
}
console.log(failures ? `\n${failures} comparisons failed` : '\nall cases equal PyTorch')
process.exitCode = failures ? 1 : 0

type Expected = ReadonlyMap<string, Vector>
interface Found {
  text: string
  isEqual: boolean
}

/** How many codes of each codebook make a row: one, or as many as its stride goes into the coarsest. */
function sharesOf({ info }: AudioTokenizer): number[] {
  const strides = info.strides ?? new Array<number>(info.codebooks).fill(1)
  return strides.map(stride => strides[0] / stride)
}

async function codesFound(tokenizer: AudioTokenizer, expected: Expected): Promise<Found[]> {
  if (!expected.has('distances')) return []
  const { channels = 1 } = tokenizer.info
  const { codes } = await tokenizer.encode(split(expected.get('input')!.data, channels))
  const shares = sharesOf(tokenizer)
  const rows = Array.from({ length: codes[0].length }, (_, row) =>
    codes.flatMap((book, i) => [...book.subarray(row * shares[i], (row + 1) * shares[i])]),
  )
  const width = shares.reduce((sum, share) => sum + share)
  const { total, different, nearTies, behind } = residualComparison(expected, rows.flat(), width)
  const others = different - nearTies - behind
  const text =
    `${total - different} of ${total} codes equal; where a frame first differs: ${nearTies} near-ties, ${others} others; ` +
    `${behind} codes behind those`
  return [{ text, isEqual: others === 0 }]
}

async function featuresFound(tokenizer: AudioTokenizer, expected: Expected): Promise<Found[]> {
  const frames = expected.get('features')
  if (!frames) return []
  return [close('frames', await tokenizer.features(expected.get('input')!.data), frames.data)]
}

async function audioFound(tokenizer: AudioTokenizer, expected: Expected): Promise<Found> {
  const audio = expected.get('audio')!.data
  const frames = expected.get('features')
  if (frames) return close('audio', (await tokenizer.synthesize(frames.data)).samples, audio)
  const codes = expected.get('codes')!.integers
  const shares = sharesOf(tokenizer)
  const width = shares.reduce((sum, share) => sum + share)
  const starts = shares.map((_, i) => shares.slice(0, i).reduce((sum, share) => sum + share, 0))
  const rows = shares.map((share, i) => [...codes].filter((_, at) => within(at % width, starts[i], share)))
  const { codebookSizes, sampleRate, frameRate, strides, segmentFrames, family } = tokenizer.info
  const scales = expected.get('scales')
  const tokens = scales
    ? new AudioTokens(rows, {
        codebookSizes,
        sampleRate,
        frameRate,
        strides,
        segmentFrames,
        model: family,
        scales: [...scales.data],
      })
    : rows
  return close('audio', (await tokenizer.decode(tokens)).samples, audio)
}

function within(at: number, start: number, count: number): boolean {
  return at >= start && at < start + count
}

function close(what: string, ours: Float32Array, theirs: Float32Array): Found {
  const decibels = snr(ours, theirs)
  return { text: `${what} ${decibels.toFixed(1)} dB`, isEqual: decibels >= SNR_DB }
}
