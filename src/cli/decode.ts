import { channelsOf, encodeWav, WAV_SAMPLE_FORMATS, type WavSampleFormat } from '../audio/index.js'
import { decodeTokens, type StoredTokens } from '../codes/index.js'
import { AudioTokens, type TokenInput, type TokensJson } from '../index.js'
import { choose } from './arguments.js'
import { type Result, runBatch, type Task } from './batch.js'
import { describeSpeed } from './figures.js'
import { planJobs } from './files.js'
import { showSeconds } from './text.js'
import type { Verb } from './verb.js'
import { weightsHash } from './weights_hash.js'

const HELP = `wavtok decode IN... [-o OUT]    tokens to audio

IN is a token file (.wtok, .json, .npy of integers, .txt; recognised by its bytes), a directory (every *.wtok, *.json and
*.npy below it) or - for stdin. OUT is a WAV file, a directory (also made when it ends with /, or for several inputs), or - for stdout.
Without -o the audio is put beside its input: speech.wtok gives speech.decoded.wav.

  --format pcm16|pcm24|float32   samples of the WAV file (default pcm16)
  -o, --output OUT               see above
  --recover                      of a damaged .wtok file, decode what lies before the damage
  --force                        make results again that exist already (without -o FILE they are kept)
  --threads N                    threads that compute together (default 1), where the runtime has them
  --model FILE                   the checkpoint that made the tokens; repeat for models in several files
  --config YAML                  configuration that came with the checkpoint
  --json                         one line of JSON per file, with all figures
  -q, --quiet                    no report, no warnings, no progress bar

Examples
  wavtok decode speech.wtok -o speech.wav
  wavtok decode tokens/ -o audio/ --format float32
  wavtok encode speech.wav -o - | wavtok decode - -o - | aplay
`

export const decode: Verb = {
  summary: 'tokens to audio',
  help: HELP,
  options: ['output', 'format', 'recover', 'force', 'threads', 'model', 'config'],
  async run(args, environment) {
    const format = choose('format', args.format, WAV_SAMPLE_FORMATS, 'pcm16')
    const jobs = await planJobs(args.inputs, args.output, {
      extensions: ['.wtok', '.json', '.npy'],
      named: stem => `${stem}.wav`,
      besides: stem => `${stem}.decoded.wav`,
    })
    let modelHash: Promise<string | undefined> | undefined
    const work = {
      verb: 'decode',
      share: ({ loaded }: { loaded: number }) => loaded,
      async run(task: Task) {
        const stored = decodeTokens(task.bytes, { recover: args.recover })
        if (stored.modelHash) modelHash ??= weightsHash(args)
        const result = await decodeFile(task, stored, format)
        const warnings = [...strangerWarning(stored, await modelHash), ...damageWarning(stored)]
        return { ...result, warnings: [...warnings, ...(result.warnings ?? [])] }
      },
    }
    return runBatch(jobs, work, args, environment)
  },
}

/** One token file to the bytes of a WAV file. */
async function decodeFile(task: Task, stored: StoredTokens, format: WavSampleFormat): Promise<Result> {
  const { signal, onProgress, tokenizer, job } = task
  const [audio, decodeSeconds] = await task.timed(() =>
    tokenizer.decode(tokenInput(stored), { signal, onProgress }),
  )
  const { sampleRate } = audio
  const channels = channelsOf(audio)
  const { bytes, clipped } = encodeWav(channels, sampleRate, format)
  const frames = stored.codes[0].length * (stored.strides?.[0] ?? 1)
  const audioSeconds = channels[0].length / sampleRate
  const decodeSpeed = audioSeconds / decodeSeconds
  return {
    bytes,
    warnings: clippingWarning(clipped, format),
    text:
      `${job.input} -> ${job.output}: ${frames} frames, ${showSeconds(audioSeconds)} ` +
      `at ${sampleRate} Hz, ${describeSpeed(decodeSpeed)}`,
    figures: {
      frames,
      codebooks: stored.codes.length,
      sampleRate,
      audioSeconds,
      clipped,
      damagedAt: stored.damage?.offset,
      decodeSeconds,
      decodeSpeed,
    },
  }
}

/** What says all about itself is checked against the model; bare codes are taken to be the model's. */
function tokenInput(stored: StoredTokens): TokenInput {
  const { codes, codebookSizes, frameRate, sampleRate, model } = stored
  const isComplete = codebookSizes && frameRate && sampleRate && model !== undefined
  return isComplete
    ? AudioTokens.from({ ...stored, codes: codes.map(row => Array.from(row)) } as TokensJson)
    : codes
}

/** What to say about tokens of other weights. */
function strangerWarning({ modelHash = '' }: StoredTokens, ours: string | undefined): string[] {
  if (!ours || modelHash === '' || ours.startsWith(modelHash) || modelHash.startsWith(ours)) return []
  return [`its tokens were made with weights ${modelHash}; these are ${ours} and may give other audio`]
}

/** What to say about a file that --recover read up to its damage. */
export function damageWarning({ damage, codes, strides }: StoredTokens): string[] {
  return damage
    ? [`${damage.message}; ${codes[0].length * (strides?.[0] ?? 1)} frames before that were recovered`]
    : []
}

/** What to say about samples that did not fit the format. */
export function clippingWarning(clipped: number, format: WavSampleFormat): string[] {
  if (clipped === 0) return []
  return [`${clipped} samples beyond full scale were clipped by ${format} (--format float32 keeps them)`]
}
