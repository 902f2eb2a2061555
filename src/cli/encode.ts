import { encodeTokens, TOKEN_FILE_FORMATS, type TokenFileFormat } from '../codes/index.js'
import { choose, codebooksOption } from './arguments.js'
import { AUDIO_EXTENSIONS, decodeAudio } from './audio_file.js'
import { type Result, runBatch, type Task } from './batch.js'
import { UsageError } from './environment.js'
import { describeRate, describeSpeed, tokenFigures } from './figures.js'
import { planJobs } from './files.js'
import { encodeLines } from './lines.js'
import { encodeShards } from './shards/encode.js'
import { SHARD_FORMATS, type ShardFormatName } from './shards/formats.js'
import { showSeconds } from './text.js'
import type { Verb } from './verb.js'
import { weightsHash } from './weights_hash.js'

const HELP = `wavtok encode IN... [-o OUT]    audio to tokens

IN is an audio file, a directory (every one below it) or - for stdin. WAV is read as it is; FLAC, MP3, Ogg, Opus, M4A and others
where the package audio-decode is installed (npm install audio-decode).
OUT is a file, a directory (also made when it ends with /, or for several inputs), or - for stdout.
Without -o the token file is put beside its input: speech.wav gives speech.wtok.

  --format wtok|json|npy|txt|webdataset|jsonl|parquet
                               default: as the name after -o says, else wtok.
                               wtok is compressed, checked and streamable, and knows its model, rates and codebooks;
                               json knows the same; npy is uint16 [codebooks, frames];
                               txt has one line of codes per codebook;
                               webdataset, jsonl and parquet put many clips into few files, the shards, in the folder OUT
  --shard SIZE                 bytes of a shard at most, such as 250MB (default 1GB)
  --jobs N                     of shards: encode with N threads (default 1); results do not depend on it
  -o, --output OUT             see above
  --codebooks N                the first N codebooks only, at a lower bitrate (default: all)
  --force                      make results again that exist already (without -o FILE they are kept)
  --threads N                  threads that compute together (default 1), where the runtime has them
  --model FILE                 checkpoint instead of the default model; repeat for models in several files
  --config YAML                configuration that came with the checkpoint
  --stdin-jsonl                a worker for other programs: a request per line of stdin, {"id": 1, "path": "speech.wav"} or
                               {"id": 1, "wav": "UklGR... (base64)"}; a reply per line of stdout in the same order, with "id", "status",
                               "codes" [codebook][frame] and rates, or "error". Failures do not change the exit code
  --json                       one line of JSON per file, with all figures
  -q, --quiet                  no report, no warnings, no progress bar

Examples
  wavtok encode speech.wav
  find . -name '*.wav' | jq -R '{path: .}' -c | parallel --pipe wavtok encode --stdin-jsonl > tokens.jsonl
  wavtok encode recordings/ -o tokens/ --format npy
  wavtok encode speech.wav -o speech.txt --model wavtokenizer_large_speech_320_24k.ckpt
  wavtok encode recordings/ -o shards/ --format webdataset --shard 250MB --jobs 8   # killed? the same command goes on
  arecord -f S16_LE -r 24000 -d 5 | wavtok encode - > tokens.wtok
`

export const encode: Verb = {
  summary: 'audio to tokens',
  help: HELP,
  options: [
    ...(['output', 'format', 'codebooks', 'jobs', 'shard', 'stdin-jsonl', 'force'] as const),
    ...(['threads', 'model', 'config'] as const),
  ],
  async run(args, environment) {
    if (args['stdin-jsonl']) return encodeLines(args, environment)
    const shards = args.format !== undefined && Object.hasOwn(SHARD_FORMATS, args.format)
    if (shards) return encodeShards(args, args.format as ShardFormatName, environment)
    if (args.jobs !== undefined || args.shard !== undefined)
      throw new UsageError('--jobs and --shard go with --format webdataset, jsonl or parquet')
    const extension = TOKEN_FILE_FORMATS.find(name => args.output?.toLowerCase().endsWith(`.${name}`))
    const format = choose('format', args.format, TOKEN_FILE_FORMATS, extension ?? 'wtok')
    const codebooks = codebooksOption(args)
    const named = (stem: string) => `${stem}.${format}`
    const jobs = await planJobs(args.inputs, args.output, {
      extensions: AUDIO_EXTENSIONS,
      named,
      besides: named,
    })
    let modelHash: Promise<string | undefined> | undefined
    const work = {
      verb: 'encode',
      share: ({ loaded }: { loaded: number }) => loaded,
      async run(task: Task) {
        if (format === 'wtok') modelHash ??= weightsHash(args)
        return encodeFile(task, format, codebooks, await modelHash)
      },
    }
    return runBatch(jobs, work, args, environment)
  },
}

/** One audio file to the bytes of a token file. */
async function encodeFile(
  task: Task,
  format: TokenFileFormat,
  codebooks?: number,
  modelHash?: string,
): Promise<Result> {
  const { channels, sampleRate, warnings } = await decodeAudio(task.bytes)
  const { signal, onProgress, tokenizer, job } = task
  const [tokens, encodeSeconds] = await task.timed(() =>
    tokenizer.encode(channels, { sampleRate, codebooks, signal, onProgress }),
  )
  const audioSeconds = channels[0].length / sampleRate
  const encodeSpeed = audioSeconds / encodeSeconds
  return {
    bytes: encodeTokens(tokens, format, { modelHash }),
    warnings,
    text:
      `${job.input} -> ${job.output}: ${showSeconds(audioSeconds)}, ${tokens.frames} frames ` +
      `(${describeRate(tokens)}), ${describeSpeed(encodeSpeed)}`,
    figures: { sampleRate, audioSeconds, ...tokenFigures(tokens), encodeSeconds, encodeSpeed },
  }
}
