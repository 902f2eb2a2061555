import { readFile } from 'node:fs/promises'
import {
  codesToIds,
  decodeTokens,
  encodeTokens,
  foldRates,
  foldSizes,
  idsToCodes,
  type StoredTokens,
  TOKEN_FILE_FORMATS,
  TokenBpe,
  TokenError,
  unfoldRates,
} from '../codes/index.js'
import { AudioTokens } from '../index.js'
import { type Arguments, choose } from './arguments.js'
import { type Environment, UsageError } from './environment.js'
import { planJobs, readInput, writeOutput } from './files.js'
import { Reporter } from './reporter.js'
import { jsonBytes, type Made, runJobs, wholeNumber } from './token_files.js'
import type { Verb } from './verb.js'

const HELP = `wavtok bpe train TOKENS... -o BPE    learn byte-pair encoding from token files
wavtok bpe encode IN... --bpe BPE [-o OUT]    token files to shorter sequences
wavtok bpe decode IN... --bpe BPE [-o OUT]    and back, without loss

TOKENS and IN are token files (.wtok, .json; .npy and .txt of one codebook) or directories (every *.wtok and *.npy). BPE is a tokenizer.json
that Hugging Face tokenizers load. Encoding writes speech.bpe.json beside speech.wtok: ids, and what the tokens knew.

  --vocab N           train: tokens in all, codes included (default 8192)
  --min-frequency N   train: leave rarer pairs alone (default 2)
  --bpe BPE           the file that training wrote
  --format FORMAT     decode: wtok, json, npy, txt (default wtok)
  -o, --output OUT    a file, a directory, or - for stdout
  --force             make results again that exist already
  --json              one line of JSON per file, with all figures
  -q, --quiet         no report, no progress bar

Examples
  wavtok bpe train tokens/ -o bpe.json --vocab 8192
  wavtok bpe encode tokens/ --bpe bpe.json -o short/
  wavtok bpe decode short/speech.bpe.json --bpe bpe.json -o speech.wtok
`

/** What is taken from directories; .json there may be what encoding wrote. */
const TOKEN_FILES = ['.wtok', '.npy']

interface Books {
  readonly codebookSizes: readonly number[]
  readonly strides?: readonly number[]
}

/** What encoding writes. */
interface BpeFile extends Books {
  readonly ids: number[]
  readonly frameRate?: number
  readonly sampleRate?: number
  readonly model?: string
}

export const bpe: Verb = {
  summary: 'byte-pair encoding of tokens: train, encode, decode',
  help: HELP,
  options: ['output', 'format', 'force', 'bpe', 'vocab', 'min-frequency'],
  async run(args, environment) {
    const [action, ...inputs] = args.inputs
    const known: Record<string, typeof train> = { train, encode, decode }
    if (action !== undefined && Object.hasOwn(known, action))
      return known[action]({ ...args, inputs }, environment)
    throw new UsageError(`'${action ?? ''}' is nothing that bpe does; expected train, encode, decode`)
  },
}

async function train(args: Arguments, environment: Environment): Promise<number> {
  const { output, vocab, quiet, json } = args
  if (output === undefined) throw new UsageError('bpe train needs -o, the file to write')
  const jobs = await planJobs(args.inputs, undefined, { extensions: TOKEN_FILES, named: stem => stem })
  const reporter = new Reporter(environment, { json, quiet, isPiping: output === '-' })
  const files = []
  for (const { input } of jobs) files.push(decodeTokens(await readInput(input, environment)))
  const books = booksOf(files)
  const sequences = files.map(({ codes }) => idsOf(codes, books))
  const trained = TokenBpe.train(sequences, {
    alphabetSize: vocabularyOf(books).codebookSizes.reduce((sum, size) => sum + size, 0),
    vocabSize: wholeNumber(vocab, 8192),
    minFrequency: wholeNumber(args['min-frequency'], 2),
    onProgress: ({ vocabSize, total }) => reporter.progress('bpe train', vocabSize / total),
  })
  await writeOutput(output, jsonBytes(trained), environment)
  const codes = count(sequences)
  const tokens = count(sequences.map(sequence => trained.encode(sequence)))
  const { length } = trained.merges
  const figures = { files: files.length, codes, tokens, merges: length, vocab: trained.vocabSize }
  const text = `${files.length} files, ${codes} codes -> ${output}: ${length} merges, ${describe(codes, tokens)}`
  await reporter.result({ text, figures: { verb: 'bpe train', status: 'done', output, ...figures } })
  await reporter.end()
  return 0
}

async function encode(args: Arguments, environment: Environment): Promise<number> {
  const tokenizer = await loadBpe(args)
  const named = (stem: string) => `${stem}.bpe.json`
  const jobs = await planJobs(args.inputs, args.output, { extensions: TOKEN_FILES, named, besides: named })
  return runJobs(jobs, 'bpe encode', args, environment, async (bytes, job): Promise<Made> => {
    const stored = decodeTokens(bytes)
    const books = booksOf([stored])
    const codes = idsOf(stored.codes, books)
    const ids = tokenizer.encode(codes)
    const { frameRate, sampleRate, model } = stored
    const file: BpeFile = { model, sampleRate, frameRate, ...books, ids }
    return {
      bytes: jsonBytes(file),
      text: `${job.input} -> ${job.output}: ${describe(codes.length, ids.length)}`,
      figures: { codes: codes.length, tokens: ids.length },
    }
  })
}

async function decode(args: Arguments, environment: Environment): Promise<number> {
  const tokenizer = await loadBpe(args)
  const format = choose('format', args.format, TOKEN_FILE_FORMATS, 'wtok')
  const named = (stem: string) => `${stem.replace(/\.bpe$/, '')}.${format}`
  const jobs = await planJobs(args.inputs, args.output, { extensions: ['.json'], named, besides: named })
  return runJobs(jobs, 'bpe decode', args, environment, async (bytes, job): Promise<Made> => {
    const file = readBpeFile(bytes)
    const { codebookSizes, strides, frameRate = 75, sampleRate = 24000, model = '' } = file
    const rows = idsToCodes(tokenizer.decode(file.ids), vocabularyOf(file))
    const codes = strides ? unfoldRates(rows, strides) : rows
    const tokens = new AudioTokens(codes, { codebookSizes, strides, frameRate, sampleRate, model })
    return {
      bytes: encodeTokens(tokens, format),
      text: `${job.input} -> ${job.output}: ${file.ids.length} tokens, ${tokens.frames} frames`,
      figures: { tokens: file.ids.length, frames: tokens.frames },
    }
  })
}

async function loadBpe(args: Arguments): Promise<TokenBpe> {
  if (args.bpe === undefined) throw new UsageError('--bpe was not given: the file that bpe train wrote')
  return TokenBpe.fromJSON(await readFile(args.bpe, 'utf8'))
}

function readBpeFile(bytes: Uint8Array): BpeFile {
  try {
    const file = JSON.parse(new TextDecoder().decode(bytes)) as Partial<BpeFile>
    const { ids, codebookSizes, strides = [] } = file
    if ([ids, codebookSizes, strides].every(Array.isArray)) return file as BpeFile
  } catch {}
  throw new TokenError("not a file that 'bpe encode' wrote: it has no lists 'ids' and 'codebookSizes'")
}

/** Ids of codes: all codebooks of a frame, of several rates those of a coarse frame, each place with ids of its own. */
function idsOf(codes: readonly Uint16Array[], books: Books): number[] {
  return codesToIds(books.strides ? foldRates(codes, books.strides) : codes, vocabularyOf(books))
}

function vocabularyOf({ codebookSizes, strides }: Books) {
  return { codebookSizes: strides ? foldSizes(codebookSizes, strides) : codebookSizes, offset: 0 }
}

/** Codebook sizes and strides that all files agree on; bare codes of one codebook end with their largest. */
function booksOf(files: readonly StoredTokens[]): Books {
  const known = files.find(file => file.codebookSizes)?.codebookSizes
  const rows = files[0].codes.length
  if (!known && rows > 1)
    throw new TokenError(`${rows} codebooks of unknown size; give .wtok or .json files, which say it`)
  const largest = Math.max(
    ...files.map(({ codes }) => codes[0].reduce((most, code) => Math.max(most, code), 0)),
  )
  const sizes = known ?? [largest + 1]
  const [{ strides }] = files
  const books = { codebookSizes: [...sizes], ...(strides && { strides }) }
  const describeBooks = ({ codebookSizes = sizes, strides: theirs }: Partial<Books>) =>
    `${codebookSizes}${theirs ? ` with strides ${theirs}` : ''}`
  const stranger = files.find(file => describeBooks(file) !== describeBooks(books))
  if (!stranger) return books
  throw new TokenError(
    `codebooks of ${describeBooks(stranger)} and of ${describeBooks(books)} cannot share one BPE`,
  )
}

function count(sequences: readonly ArrayLike<number>[]): number {
  return sequences.reduce((sum, sequence) => sum + sequence.length, 0)
}

function describe(codes: number, tokens: number): string {
  return `${codes} codes in ${tokens} tokens${tokens > 0 ? `, ${(codes / tokens).toFixed(2)} each` : ''}`
}
