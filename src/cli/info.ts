import { open } from 'node:fs/promises'
import { audioFormat, decodeWav, isWav } from '../audio/index.js'
import { byteSource, openCheckpoint, type TensorSource } from '../checkpoints/index.js'
import { decodeTokens } from '../codes/index.js'
import { AudioError, DEFAULT_MODEL, type TokenizerInfo, WavtokError } from '../index.js'
import { type Arguments, threadsOption } from './arguments.js'
import { decodeAudio, type FileAudio } from './audio_file.js'
import { damageWarning } from './decode.js'
import { type Environment, UsageError } from './environment.js'
import { describeRate, uniqueCodes } from './figures.js'
import { PIPE, readInput } from './files.js'
import { type Outcome, Reporter } from './reporter.js'
import { showTaxonomy } from './taxonomy/show.js'
import { plural, showCount, showSeconds, showTable } from './text.js'
import type { Verb } from './verb.js'

const HELP = `wavtok info [FILE...]    a checkpoint, audio file or token file explained

FILE is a checkpoint (.safetensors, .gguf, .ckpt, .pt, .pth, .bin), a WAV file or a token file, recognised by its bytes; several
files together are one model. - is stdin. Without FILE: the default model.

  --taxonomy  every tokenizer this project knows, in the survey's terms (arXiv 2506.10274); then FILEs are conditions, field=text
  --recover   of a damaged .wtok file, count what lies before the damage
  --threads N load the model with N threads and say how many this runtime gives
  --json      one line of JSON

Examples
  wavtok info
  wavtok info wavtokenizer_large_speech_320_24k.ckpt
  wavtok info encoder_model.pt decoder_model.pt
  wavtok info speech.wav
  wavtok info --taxonomy quantizer=rvq streams=true
`

const HEAD_BYTES = 64

export const info: Verb = {
  summary: 'a checkpoint, audio file or token file explained',
  help: HELP,
  options: ['recover', 'taxonomy', 'threads'],
  async run(args, environment) {
    const reporter = new Reporter(environment, { json: args.json })
    if (args.inputs.length > 1 && args.inputs.includes(PIPE)) throw new UsageError("'-' (stdin) stands alone")
    await reporter.result(args.taxonomy ? showTaxonomy(args.inputs) : await explain(args, environment))
    return 0
  },
}

async function explain(args: Arguments, environment: Environment): Promise<Outcome> {
  const { inputs, recover } = args
  const threads = threadsOption(args)
  if (inputs.length === 0) return explainModel(DEFAULT_MODEL, undefined, environment, threads)
  if (inputs.length > 1) return explainCheckpoint(inputs, environment, threads)
  const [path] = inputs
  const piped = path === PIPE ? await readInput(path, environment) : undefined
  const head = piped?.subarray(0, HEAD_BYTES) ?? (await readHead(path))
  const whole = () => piped ?? readInput(path, environment)
  if (isWav(head)) return explainWav(path, await whole())
  if (isTokenFile(head)) return explainTokens(path, await whole(), recover)
  const other = audioFormat(head)
  if (other) return explainAudio(path, other.name, await decodeNamed(path, await whole()))
  return explainCheckpoint([piped ?? path], environment, threads)
}

async function readHead(path: string): Promise<Uint8Array> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Magic of .wtok or NumPy, or text that begins like JSON or with a digit. */
function isTokenFile(head: Uint8Array): boolean {
  return (
    /^\x89WTOK/.test(String.fromCharCode(...head)) ||
    /^(\x93NUMPY|(\xef\xbb\xbf)?\s*[[{\d][\t\n\r -~\x80-\xff]*$)/.test(String.fromCharCode(...head))
  )
}

/** An error says which file. */
async function decodeNamed(path: string, bytes: Uint8Array): Promise<FileAudio> {
  try {
    return await decodeAudio(bytes)
  } catch (error) {
    throw error instanceof AudioError ? new AudioError(`${path}: ${error.message}`) : error
  }
}

function explainWav(path: string, bytes: Uint8Array): Outcome {
  const wav = decodeWav(bytes)
  const { bitsPerSample, format } = wav
  return explainAudio(path, 'WAV file', wav, { bitsPerSample, format })
}

function explainAudio(
  path: string,
  kind: string,
  { sampleRate, channels, warnings }: FileAudio,
  samples?: { readonly bitsPerSample: number; readonly format: string },
): Outcome {
  const seconds = channels[0].length / sampleRate
  const peak = channels.reduce((most, channel) => channel.reduce((a, x) => Math.max(a, Math.abs(x)), most), 0)
  const figures = {
    kind: 'audio',
    sampleRate,
    channels: channels.length,
    frames: channels[0].length,
    seconds,
    ...samples,
    peak,
  }
  const text = showTable(`${path}: ${kind}`, [
    ['length', `${showSeconds(seconds)} (${channels[0].length} samples)`],
    ['rate', `${sampleRate} Hz`],
    ['channels', String(channels.length)],
    ['samples', samples && `${samples.bitsPerSample}-bit ${samples.format}`],
    ['peak', peak > 0 ? `${peak.toFixed(4)} (${(20 * Math.log10(peak)).toFixed(1)} dBFS)` : '0 (silence)'],
    ['warning', warnings.join('; ')],
  ])
  return { text, figures: { file: path, ...figures, warnings } }
}

function explainTokens(path: string, bytes: Uint8Array, recover?: boolean): Outcome {
  const stored = decodeTokens(bytes, { recover })
  const { fileFormat, codes, codebookSizes, strides, frameRate, sampleRate, model, modelHash } = stored
  const frames = codes[0].length * (strides?.[0] ?? 1)
  const count = codes.reduce((sum, { length }) => sum + length, 0)
  const seconds = frameRate && frames / frameRate
  const largest = codes.map(row => row.reduce((most, code) => Math.max(most, code), 0))
  const text = showTable(`${path}: token file (${fileFormat})`, [
    ['frames', `${frames} in ${plural(codes.length, 'codebook')}`],
    [
      'length',
      seconds === undefined ? 'unknown: only .wtok and .json files know their rate' : showSeconds(seconds),
    ],
    [
      'segments',
      stored.scales && `${stored.scales.length} of ${stored.segmentFrames} frames, each with its level`,
    ],
    ['strides', strides && `${strides.join(', ')}: frames that share a code of each codebook`],
    ['rate', frameRate ? `${frameRate} per second` : undefined],
    ['model', model && modelHash ? `${model} (${modelHash})` : model],
    ['size', frames > 0 ? `${((8 * bytes.length) / count).toFixed(2)} bits per code` : ''],
    [
      'codes',
      uniqueCodes(codes)
        .map((used, c) => `${used} different, largest ${largest[c]}`)
        .join('; '),
    ],
    ['audio', sampleRate ? `${sampleRate} Hz` : undefined],
    ['damage', damageWarning(stored).join()],
  ])
  const figures = {
    fileFormat,
    fileBytes: bytes.length,
    frames,
    codebooks: codes.length,
    codebookSizes,
    strides,
    frameRate,
    sampleRate,
    seconds,
    model,
    modelHash,
    damagedAt: stored.damage?.offset,
  }
  return {
    text,
    figures: {
      file: path,
      kind: 'tokens',
      ...figures,
      uniqueCodes: uniqueCodes(codes),
      largestCodes: largest,
    },
  }
}

async function explainCheckpoint(
  inputs: readonly (string | Uint8Array)[],
  environment: Environment,
  threads?: number,
): Promise<Outcome> {
  const { signal } = environment
  const name = inputs.map(input => (typeof input === 'string' ? input : PIPE)).join(' + ')
  const sources = await Promise.all(inputs.map(input => byteSource(input, { signal })))
  const checkpoint = await openCheckpoint(sources)
  const { formats, metadata } = checkpoint
  const architecture = metadata['general.architecture'] // of a GGUF file
  const stored = countTensors(checkpoint)
  await checkpoint.close()
  const model = await explainModel(name, inputs, environment, threads).catch((error: unknown) => {
    if (!(error instanceof WavtokError) || signal.aborted) throw error
    return {
      text: `${name}\n  model       cannot run: ${error.message}`,
      figures: { problem: error.message },
    }
  })
  const [, ...modelLines] = model.text.split('\n')
  const kinds = Object.entries(stored.dtypes).map(([dtype, count]) => `${count} ${dtype}`)
  const text = [
    `${name}: ${[...new Set(formats)].join(' + ')} checkpoint`,
    `  stored      ${plural(stored.tensors, 'tensor')}, ${showCount(stored.values)} values (${kinds.join(', ')})`,
    ...(architecture ? [`  architecture ${architecture}`] : []),
    ...modelLines,
  ].join('\n')
  return {
    text,
    figures: { ...model.figures, file: name, kind: 'checkpoint', formats, architecture, stored },
  }
}

function countTensors(source: TensorSource) {
  const dtypes: Record<string, number> = {}
  let values = 0
  const names = source.names()
  for (const name of names) {
    const { dtype, shape } = source.info(name)
    dtypes[dtype] = (dtypes[dtype] ?? 0) + 1
    values += shape.reduce((product, size) => product * size, 1)
  }
  return { tensors: names.length, values, dtypes }
}

async function explainModel(
  name: string,
  source: readonly (string | Uint8Array)[] | undefined,
  environment: Environment,
  threads?: number,
): Promise<Outcome> {
  const tokenizer = await environment.loadTokenizer(source, { signal: environment.signal, threads })
  const about = tokenizer.info
  tokenizer.dispose()
  return { text: showModel(name, about), figures: { file: name, kind: 'model', ...about } }
}

function showModel(name: string, about: TokenizerInfo): string {
  const abilities = [about.canEncode && 'encode', about.canDecode && 'decode'].filter(Boolean).join(' and ')
  const ahead = (ms: number | undefined) =>
    ms === undefined ? 'the whole clip' : `${Number(ms.toFixed(1))} ms ahead`
  return showTable(`${name}: model`, [
    ['family', about.family],
    ['can', abilities],
    ['parameters', `${showCount(about.parameters)} (${showDtypes(about)})`],
    ['tokens', showTokens(about)],
    [
      'audio',
      `${about.sampleRate} Hz, ${about.channels ? `${about.channels} channels, ` : ''}${about.hopLength} samples per frame`,
    ],
    ['encoder', about.canEncode ? `sees ${ahead(about.encoderLookaheadMs)}` : undefined],
    ['decoder', about.canDecode ? `sees ${ahead(about.decoderLookaheadMs)}` : undefined],
    [
      'memory',
      `${(about.memoryBytes / 1e6).toFixed(1)} MB with weights (${about.build} build, ${plural(about.threads, 'thread')})`,
    ],
    ['config', JSON.stringify(about.config)],
  ])
}

function showDtypes({ dtype, encoderDtype, canEncode }: TokenizerInfo): string {
  return canEncode && encoderDtype !== dtype ? `${dtype}, encoder ${encoderDtype}` : dtype
}

function showTokens(about: TokenizerInfo): string {
  if (about.codebooks === 0) return 'none: features() and synthesize() alone'
  const rate = describeRate({ ...about, bitsPerSecond: about.bitrate })
  const fewer = about.codebooks > 1 ? '; fewer codebooks on request' : ''
  return `${rate}${fewer}${about.tokensOf ? `; those of ${about.tokensOf}` : ''}`
}
