import { basename } from 'node:path'
import { channelsOf, encodeWav, toMono, WAV_SAMPLE_FORMATS, type WavSampleFormat } from '../audio/index.js'
import type { Progress } from '../index.js'
import { type RoundtripFigure, roundtripFigure } from '../plots/index.js'
import { choose, codebooksOption } from './arguments.js'
import { AUDIO_EXTENSIONS, decodeAudio } from './audio_file.js'
import { type Result, runBatch, type Task } from './batch.js'
import { clippingWarning } from './decode.js'
import { UsageError } from './environment.js'
import { describeRate, describeSpeed, tokenFigures } from './figures.js'
import { type Job, PIPE, planJobs, writeOutput } from './files.js'
import { plural, showSeconds, showTable } from './text.js'
import type { Verb } from './verb.js'

/** Encoding takes 3.5 of the 13.1 GFLOP per second of audio (75 tokens/s WavTokenizer). */
const ENCODE_SHARE = 3.5 / 13.1

const HELP = `wavtok roundtrip IN... [-o OUT]    audio to tokens and back, with figures

IN is an audio file, a directory (every audio file below it) or - for stdin.
OUT is a WAV file, a directory (for several inputs), or - for stdout; without -o nothing is written.
The output is as long as the input; it has the model's sample rate.

  --format pcm16|pcm24|float32   samples of the WAV file (default pcm16)
  --codebooks N                  with the first N codebooks only, at a lower bitrate (default: all)
  -o, --output OUT               see above
  --plot SVG                     a figure of waveforms, spectrograms before and after, and tokens: a file, or a directory
                                 (also made when it ends with /, or for several inputs)
  --force                        make results again that exist already (a single -o FILE is always written)
  --threads N                    threads that compute together (default 1), where the runtime has them
  --model FILE                   checkpoint instead of the default model; repeat for models in several files
  --config YAML                  configuration that came with the checkpoint
  --json                         one line of JSON per file, with all figures
  -q, --quiet                    no report, no warnings, no progress bar

Examples
  wavtok roundtrip speech.wav
  wavtok roundtrip speech.wav -o out.wav --plot out.svg
  wavtok roundtrip recordings/ -o heard/ --json > figures.jsonl
`

export const roundtrip: Verb = {
  summary: 'audio to tokens and back, with figures',
  help: HELP,
  options: ['output', 'format', 'codebooks', 'plot', 'force', 'threads', 'model', 'config'],
  async run(args, environment) {
    const format = choose('format', args.format, WAV_SAMPLE_FORMATS, 'pcm16')
    const codebooks = codebooksOption(args)
    const jobs = await planJobs(args.inputs, args.output, {
      extensions: AUDIO_EXTENSIONS,
      named: stem => `${stem}.wav`,
    })
    const figures = args.plot === undefined ? undefined : await planFigures(args.inputs, args.plot, jobs)
    const work = {
      verb: 'roundtrip',
      share: ({ phase, loaded }: Progress) =>
        phase === 'encode' ? ENCODE_SHARE * loaded : ENCODE_SHARE + (1 - ENCODE_SHARE) * loaded,
      async run(task: Task) {
        const result = await roundtripFile(task, format, codebooks)
        const path = figures?.get(task.job)
        if (path === undefined) return result
        await writeOutput(path, new TextEncoder().encode(await roundtripFigure(result.figure)), environment)
        return { ...result, figures: { ...result.figures, plot: path } }
      },
    }
    return runBatch(jobs, work, args, environment)
  },
}

/** Where the figure of each job goes; named as outputs are. */
async function planFigures(
  inputs: readonly string[],
  plot: string,
  jobs: readonly Job[],
): Promise<Map<Job, string>> {
  const naming = { extensions: AUDIO_EXTENSIONS, named: (stem: string) => `${stem}.svg` }
  const figures = (await planJobs(inputs, plot, naming)).map(({ output }) => output!)
  const written = new Set(jobs.map(({ output }) => output))
  const taken = figures.find(path => path === PIPE || written.has(path))
  if (taken !== undefined)
    throw new UsageError(
      taken === PIPE
        ? '--plot needs a file or a directory'
        : `-o and --plot would both be written to ${taken}`,
    )
  return new Map(jobs.map((job, index) => [job, figures[index]]))
}

/** One audio file to what the model makes of it. */
async function roundtripFile(
  task: Task,
  format: WavSampleFormat,
  codebooks: number | undefined,
): Promise<Result & { figure: RoundtripFigure }> {
  const wav = await decodeAudio(task.bytes)
  const { signal, onProgress, tokenizer, job } = task
  const { sampleRate } = wav
  const [tokens, encodeSeconds] = await task.timed(() =>
    tokenizer.encode(wav.channels, { sampleRate, codebooks, signal, onProgress }),
  )
  const [decoded, decodeSeconds] = await task.timed(() => tokenizer.decode(tokens, { signal, onProgress }))

  const inputFrames = wav.channels[0].length
  const audioSeconds = inputFrames / sampleRate
  const length = Math.ceil((inputFrames * decoded.sampleRate) / sampleRate)
  const channels = channelsOf(decoded).map(channel => channel.subarray(0, length))
  const { bytes, clipped } = encodeWav(channels, decoded.sampleRate, format)
  const encodeSpeed = audioSeconds / encodeSeconds
  const decodeSpeed = audioSeconds / decodeSeconds
  const figures = {
    sampleRate,
    channels: wav.channels.length,
    audioSeconds,
    ...tokenFigures(tokens),
    encodeSeconds,
    encodeSpeed,
    decodeSeconds,
    decodeSpeed,
    outputSampleRate: decoded.sampleRate,
    clipped,
  }
  const text = showTable(
    `${job.input}: ${showSeconds(audioSeconds)}, ${sampleRate} Hz, ${plural(wav.channels.length, 'channel')}`,
    [
      ['tokens', `${tokens.frames} frames (${describeRate(tokens)}; ${tokens.model})`],
      [
        'codes',
        figures.uniqueCodes.map((used, c) => `${used} of ${tokens.codebookSizes[c]} used`).join(', '),
      ],
      ['encode', `${encodeSeconds.toFixed(2)} s, ${describeSpeed(encodeSpeed)}`],
      ['decode', `${decodeSeconds.toFixed(2)} s, ${describeSpeed(decodeSpeed)}`],
      [
        'output',
        job.output &&
          `${job.output}, ${showSeconds(channels[0].length / decoded.sampleRate)} at ${decoded.sampleRate} Hz`,
      ],
    ],
  )
  const figure = {
    title: job.input === PIPE ? 'stdin' : basename(job.input),
    subtitle: `${showSeconds(audioSeconds)} as ${tokens.frames} frames of tokens: ${describeRate(tokens)}; ${tokens.model}`,
    original: toMono(wav.channels, { sampleRate, defaultSampleRate: sampleRate }),
    tokens,
    decoded: toMono(channels, { defaultSampleRate: decoded.sampleRate }),
  }
  const warnings = [...wav.warnings, ...clippingWarning(clipped, format)]
  return { bytes, warnings, text, figures, figure }
}
