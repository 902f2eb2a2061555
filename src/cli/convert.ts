import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type ConvertOptions, convertCheckpoint } from '../index.js'
import { choose } from './arguments.js'
import { UsageError } from './environment.js'
import { PIPE, writeOutput } from './files.js'
import { Reporter } from './reporter.js'
import type { Verb } from './verb.js'

const DTYPES = ['f32', 'f16', 'q8', 'q12'] as const
const PARTS = ['both', 'encoder', 'decoder'] as const

const HELP = `wavtok convert CKPT... -o OUT.safetensors|OUT.gguf    a checkpoint to a small file that loads quickly

CKPT is a checkpoint (.ckpt, .pt, .pth, .bin, .safetensors, .gguf); several files together are one model, and a .yaml among them is its
configuration, which OUT keeps. OUT holds what encoding and decoding need, weight norm folded, under the same names.
Loaded, it has the dtypes that it was converted to. A .gguf file has f32, f16 or, for q8, Q8_0 where rows divide into its blocks of 32,
else f16; a WavTokenizer's --parts decoder is then laid out as llama.cpp reads it.

  -o, --output OUT           where to; - is stdout
  --dtype f32|f16|q8|q12     the decoder's matrices (default f32); q8 is int8 and q12 int16 with 12 bits in use, both with one
                             scale per row, in <name>.scale
  --encoder-dtype ...        the encoder's (default f32: tokens stay exactly the same)
  --parts both|encoder|decoder
                             keep one half of the model, with the codebook (default both)
  --json                     one line of JSON
  -q, --quiet                no report, no progress bar

Examples
  wavtok convert wavtokenizer_large_speech_320_24k.ckpt config.yaml -o speech.safetensors
  wavtok convert wavtokenizer_large_speech_320_24k.ckpt -o decoder.safetensors --dtype q8 --parts decoder
  wavtok convert wavtokenizer_large_speech_320_24k.ckpt -o decoder.gguf --dtype f16 --parts decoder
`

export const convert: Verb = {
  summary: 'a checkpoint to a small file that loads quickly',
  help: HELP,
  options: ['output', 'dtype', 'encoder-dtype', 'parts'],
  async run(args, environment) {
    const { inputs, output } = args
    if (inputs.length === 0) throw new UsageError('no checkpoint was given')
    if (inputs.includes(PIPE))
      throw new UsageError('a checkpoint is read by ranges; it cannot come from a pipe')
    if (output === undefined) throw new UsageError('-o OUT says where the converted file goes')
    if (inputs.some(input => resolve(input) === resolve(output)))
      throw new UsageError(`${output} is an input and would be overwritten; choose another -o`)
    const reporter = new Reporter(environment, {
      json: args.json,
      quiet: args.quiet,
      isPiping: output === PIPE,
    })
    const options: ConvertOptions = {
      dtype: dtypeOf('dtype', args.dtype),
      encoderDtype: dtypeOf('encoder-dtype', args['encoder-dtype']),
      format: /\.gguf$/i.test(output) ? 'gguf' : 'safetensors',
      parts: choose('parts', args.parts, PARTS, 'both'),
      signal: environment.signal,
      onProgress: ({ loaded, total }) => reporter.progress(`convert ${inputs[0]}`, total && loaded / total),
    }
    const written = { bytes: 0, sha256: createHash('sha256') }
    try {
      await writeOutput(output, counted(convertCheckpoint(inputs, options), written), environment)
      const before = await totalSize(inputs)
      const sha256 = written.sha256.digest('hex')
      const figures = { verb: 'convert', inputs, output, inputBytes: before, bytes: written.bytes, sha256 }
      const text =
        `${inputs.join(' + ')} -> ${output}: ${before ? `${megabytes(before)} to ` : ''}` +
        `${megabytes(written.bytes)}, sha256 ${sha256}`
      await reporter.result({ text, figures })
      return 0
    } finally {
      await reporter.end()
    }
  },
}

/** Undefined: what the file has been converted to already, else f32. */
function dtypeOf(option: 'dtype' | 'encoder-dtype', value: string | undefined) {
  return value === undefined ? undefined : choose(option, value, DTYPES, 'f32')
}

/** Bytes of all input files; undefined where one is no local file. */
async function totalSize(inputs: readonly string[]): Promise<number | undefined> {
  const sizes = await Promise.all(
    inputs.map(input =>
      stat(input).then(
        file => file.size,
        () => Number.NaN,
      ),
    ),
  )
  const total = sizes.reduce((sum, size) => sum + size, 0)
  return Number.isNaN(total) ? undefined : total
}

async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  written: { bytes: number; sha256: ReturnType<typeof createHash> },
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    written.bytes += piece.length
    written.sha256.update(piece)
    yield piece
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`
}
