import {
  bitsPerSecond,
  type CodeMethod,
  type Compressed,
  compress as compressSequence,
  decodeTokens,
  encodeTokens,
  type FeatureMethod,
  type Features,
  nearestCodes,
  spread,
  TOKEN_FILE_FORMATS,
  TokenError,
} from '../codes/index.js'
import { AudioTokens } from '../index.js'
import { logSpectralDistance } from '../metrics/index.js'
import { type Arguments, choose, modelFiles } from './arguments.js'
import { type Environment, type Tokenizer, UsageError } from './environment.js'
import { planJobs } from './files.js'
import { jsonBytes, type Made, runJobs, wholeNumber } from './token_files.js'
import type { Verb } from './verb.js'

const HELP = `wavtok compress IN... --method METHOD [--ratio N] [-o OUT]    fewer tokens, with their durations
wavtok compress IN... --method restore [-o OUT]                and back to one token per frame

IN is a token file (.wtok, .json, which know their rates) or a directory (every *.wtok). Writes speech.short.json beside
speech.wtok: tokens, and the token of each frame. Methods on codes:
  dedup            leaves out repeats; restore gives back every code
  duration         as dedup, on several codebooks or one
Methods on the model's codebook vectors, which give new codes and tell what is lost (models of one codebook):
  average-pool, max-pool, tome, tome-kth, a-tome, segments, prune

  --ratio N           frames per token (default 2); pooling and tome-kth take a whole number
  --threshold X       a-tome, segments: merge what is at least so similar (cosine), whatever ratio that gives
  --model FILE        the checkpoint that made the tokens; repeat for models in several files
  --config YAML       configuration that came with the checkpoint
  --format FORMAT     restore: wtok, json, npy, txt (default wtok)
  -o, --output OUT    a file, a directory, or - for stdout
  --force             make results again that exist already
  --json              one line of JSON per file, with all figures
  -q, --quiet         no report, no progress bar

Examples
  wavtok compress speech.wtok --method dedup
  wavtok compress tokens/ --method tome --ratio 2 -o short/
  wavtok compress speech.short.json --method restore -o again.wtok
`

const ON_CODES = ['dedup', 'duration'] as const
const ON_FEATURES = ['average-pool', 'max-pool', 'tome', 'tome-kth', 'a-tome', 'segments', 'prune'] as const

/** What compressing writes. */
interface ShortFile {
  readonly method: string
  readonly model: string
  readonly sampleRate: number
  readonly frameRate: number
  readonly codebookSizes: readonly number[]
  /** [codebook][token] */
  readonly tokens: number[][]
  /** Token of each frame. */
  readonly map: number[]
}

export const compress: Verb = {
  summary: 'fewer tokens: dedup, pooling, merging, pruning; and back',
  help: HELP,
  options: ['output', 'format', 'force', 'method', 'ratio', 'threshold', 'model', 'config'],
  async run(args, environment) {
    const methods = [...ON_CODES, ...ON_FEATURES, 'restore'] as const
    if (args.method === undefined)
      throw new UsageError(`--method was not given; expected ${methods.join(', ')}`)
    const method = choose('method', args.method, methods, 'dedup')
    if (method === 'restore') return restore(args, environment)
    const isOnCodes = (ON_CODES as readonly string[]).includes(method)
    const tokenizer = isOnCodes ? undefined : await environment.loadTokenizer(modelFiles(args), environment)
    try {
      return await shorten(method, tokenizer, args, environment)
    } finally {
      tokenizer?.dispose()
    }
  },
}

async function shorten(
  method: CodeMethod | FeatureMethod,
  tokenizer: Tokenizer | undefined,
  args: Arguments,
  environment: Environment,
): Promise<number> {
  const ratio = wholeNumber(args.ratio, 2)
  const threshold = args.threshold === undefined ? undefined : Number(args.threshold)
  const codebook = tokenizer && (await codebookOf(tokenizer))
  const named = (stem: string) => `${stem}.short.json`
  const naming = { extensions: ['.wtok'], named, besides: named }
  const jobs = await planJobs(args.inputs, args.output, naming)
  return runJobs(jobs, 'compress', args, environment, async (bytes, job): Promise<Made> => {
    const tokens = readTokens(bytes)
    const { short, losses } =
      tokenizer && codebook
        ? await shortenFeatures(tokens, method as FeatureMethod, { tokenizer, codebook, ratio, threshold })
        : { short: compressSequence(tokens.codes, method as CodeMethod), losses: {} }
    const { tokens: codes, map, sizes } = short
    const { model, sampleRate, frameRate, codebookSizes } = tokens
    const file: ShortFile = {
      method,
      model,
      sampleRate,
      frameRate,
      codebookSizes,
      tokens: codes,
      map: Array.from(map),
    }
    const figures = {
      method,
      frames: tokens.frames,
      tokens: sizes.length,
      tokensPerSecond: (sizes.length / tokens.frames) * frameRate,
      bitsPerSecond: bitsPerSecond(short, tokens.bitsPerSecond / frameRate, frameRate),
      ...losses,
    }
    return { bytes: jsonBytes(file), text: describe(job.input, job.output, figures), figures }
  })
}

async function restore(args: Arguments, environment: Environment): Promise<number> {
  const format = choose('format', args.format, TOKEN_FILE_FORMATS, 'wtok')
  const named = (stem: string) => `${stem.replace(/\.short$/, '')}.${format}`
  const jobs = await planJobs(args.inputs, args.output, { extensions: ['.json'], named, besides: named })
  return runJobs(jobs, 'compress', args, environment, async (bytes, job): Promise<Made> => {
    const { tokens: codes, map, ...about } = readShort(bytes)
    const tokens = new AudioTokens(
      codes.map(row => map.map(token => row[token])),
      about,
    )
    return {
      bytes: encodeTokens(tokens, format),
      text: `${job.input} -> ${job.output}: ${codes[0].length} tokens, ${tokens.frames} frames`,
      figures: { method: 'restore', tokens: codes[0].length, frames: tokens.frames },
    }
  })
}

/** What compressing codebook vectors needs. */
interface FeatureWork {
  readonly tokenizer: Tokenizer
  readonly codebook: Features
  readonly ratio: number
  readonly threshold: number | undefined
}

/** Compresses the codebook vectors, and codes what comes out anew. */
async function shortenFeatures(
  tokens: AudioTokens,
  method: FeatureMethod,
  { tokenizer, codebook, ratio, threshold }: FeatureWork,
): Promise<{ short: Compressed<number[][]>; losses: Record<string, number> }> {
  const features = spread(codebook, Int32Array.from(tokens.codes[0]))
  const short = compressSequence(features, method, ratio, { threshold })
  const codes = nearestCodes(short.tokens, codebook)
  const restored = Array.from(short.map, token => codes[token])
  const [before, after] = [await tokenizer.decode(tokens), await tokenizer.decode([restored])]
  const losses = {
    featureSnr: snr(features.values, short.restore().values),
    spectralDistance: 10 * logSpectralDistance(before.samples, after.samples), // dB
  }
  return { short: { ...short, tokens: [codes], restore: () => [restored] }, losses }
}

/** The vector of every code. */
async function codebookOf(tokenizer: Tokenizer): Promise<Features> {
  const { codebookSizes } = tokenizer.info
  if (codebookSizes.length !== 1 || !tokenizer.embed)
    throw new TokenError(
      `the model has ${codebookSizes.length} codebooks; this method takes models of one (dedup and duration take any)`,
    )
  const [size] = codebookSizes
  const values = await tokenizer.embed([Array.from({ length: size }, (_, code) => code)])
  return { values, dim: values.length / size }
}

/** Signal-to-noise ratio in dB. */
function snr(signal: Float32Array, approximation: Float32Array): number {
  let [power, noise] = [0, 0]
  for (let i = 0; i < signal.length; i++) {
    power += signal[i] ** 2
    noise += (signal[i] - approximation[i]) ** 2
  }
  return 10 * Math.log10(power / noise)
}

function readTokens(bytes: Uint8Array): AudioTokens {
  const { codes, codebookSizes, strides, frameRate, sampleRate, model } = decodeTokens(bytes)
  if (strides)
    throw new TokenError(
      `these tokens have strides ${strides.join(', ')}; compress takes codebooks of one rate`,
    )
  if (codebookSizes && frameRate && sampleRate && model !== undefined)
    return new AudioTokens(codes, { codebookSizes, frameRate, sampleRate, model })
  throw new TokenError('the token file does not know its rates and codebook sizes; give .wtok or .json')
}

function readShort(bytes: Uint8Array): ShortFile {
  try {
    const file = JSON.parse(new TextDecoder().decode(bytes)) as Partial<ShortFile>
    if (Array.isArray(file.tokens) && Array.isArray(file.map)) return file as ShortFile
  } catch {}
  throw new TokenError("not a file that 'wavtok compress' wrote: it has no lists 'tokens' and 'map'")
}

interface Figures {
  readonly frames: number
  readonly tokens: number
  readonly tokensPerSecond: number
  readonly bitsPerSecond: number
  readonly featureSnr?: number
  readonly spectralDistance?: number
}

function describe(input: string, output: string | undefined, figures: Figures): string {
  const { frames, tokens, tokensPerSecond, spectralDistance: loss } = figures
  const heard =
    loss === undefined ? '' : `, ${loss.toFixed(2)} dB (log-spectral) from the audio of all frames`
  const rate = `${tokensPerSecond.toFixed(1)} tokens and ${Math.round(figures.bitsPerSecond)} bits per second`
  return `${input} -> ${output}: ${frames} frames in ${tokens} tokens, ${rate}${heard}`
}
