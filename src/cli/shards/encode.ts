// `wavtok encode IN... -o OUT --format webdataset|jsonl|parquet`: many clips into few files, by several workers, in the order of the
// inputs, whatever the number of workers.
import { relative } from 'node:path'
import { type Arguments, codebooksOption, jobsOption, modelFiles } from '../arguments.js'
import { AUDIO_EXTENSIONS, decodeAudio } from '../audio_file.js'
import { type Environment, type Tokenizer, UsageError } from '../environment.js'
import { type Job, PIPE, planJobs, readInput } from '../files.js'
import { inOrder } from '../in_order.js'
import { Reporter } from '../reporter.js'
import { describeError, plural } from '../text.js'
import { weightsHash } from '../weights_hash.js'
import { parseSize, SHARD_FORMATS, type ShardFormatName } from './formats.js'
import { type Sample, sampleOf, spooled } from './sample.js'
import { type Failed, ShardStore } from './store.js'

const SIZE = '1GB'

/** @returns the exit code: 1 if any input failed */
export async function encodeShards(
  args: Arguments,
  format: ShardFormatName,
  environment: Environment,
): Promise<number> {
  const { output, inputs } = args
  if (output === undefined || output === PIPE || inputs.includes(PIPE))
    throw new UsageError(`--format ${format} reads files and writes shards into the folder that -o names`)
  const bound = parseSize(args.shard ?? SIZE)
  if (bound === undefined) throw new UsageError(`--shard is '${args.shard}', expected a size such as 250MB`)
  const workers = jobsOption(args)
  const kind = SHARD_FORMATS[format]
  await ('prepare' in kind ? kind.prepare() : undefined)
  const jobs = await planJobs(inputs, `${output}/`, { extensions: AUDIO_EXTENSIONS, named: stem => stem })
  const modelHash = await weightsHash(args)
  const madeBy = JSON.stringify([
    format,
    bound,
    codebooksOption(args),
    modelHash ?? args.model,
    environment.version,
  ])
  const paths = jobs.map(({ input }) => input)
  const store = await ShardStore.open(output, kind, paths, madeBy, args.force ?? false)
  const reporter = new Reporter(environment, { json: args.json, quiet: args.quiet })
  const pool = new Pool(args, environment, workers)
  const encoder = { args, environment, pool, output, modelHash }
  try {
    const rest = jobs.slice(store.done)
    for await (const outcome of inOrder(rest, 2 * workers, job => encoded(job, encoder))) {
      environment.signal.throwIfAborted()
      if ('sample' in outcome)
        await store.add({ sample: spooled(outcome.sample) }, kind.bytesOf(outcome.sample), bound)
      else {
        await store.add(outcome, 0, bound)
        await reporter.error(`${outcome.failed.input}: ${outcome.failed.error}`)
      }
      reporter.progress(`encode ${jobs[store.done - 1].input}`, store.done / jobs.length)
    }
    await store.finish()
  } finally {
    await reporter.end()
    pool.dispose()
  }
  await report(reporter, output, jobs.length, store)
  return store.failed.length > 0 ? 1 : 0
}

interface Encoder {
  readonly args: Arguments
  readonly environment: Environment
  readonly pool: Pool
  readonly output: string
  readonly modelHash?: string
}

async function encoded(
  job: Job,
  { args, environment, pool, output, modelHash }: Encoder,
): Promise<{ sample: Sample } | { failed: Failed }> {
  const { input } = job
  try {
    const { channels, sampleRate } = await decodeAudio(await readInput(input, environment))
    const tokens = await pool.use(tokenizer =>
      tokenizer.encode(channels, {
        sampleRate,
        codebooks: codebooksOption(args),
        signal: environment.signal,
      }),
    )
    const key = relative(output, job.output ?? input).replaceAll('\\', '/')
    const audioSeconds = channels[0].length / sampleRate
    return {
      sample: sampleOf(tokens, { key, path: input, audioSeconds, sourceSampleRate: sampleRate, modelHash }),
    }
  } catch (error) {
    if (environment.signal.aborted || error instanceof UsageError) throw error
    return { failed: { input, error: describeError(error) } }
  }
}

/** Tokenizers that are loaded when they are first needed, each in a thread of its own where there are several. */
class Pool {
  readonly #args: Arguments
  readonly #environment: Environment
  readonly #most: number
  readonly #all: Promise<Tokenizer>[] = []
  readonly #free: Tokenizer[] = []
  readonly #waiting: ((tokenizer: Tokenizer) => void)[] = []

  constructor(args: Arguments, environment: Environment, most: number) {
    this.#args = args
    this.#environment = environment
    this.#most = most
  }

  async use<T>(call: (tokenizer: Tokenizer) => Promise<T>): Promise<T> {
    const tokenizer = await this.#take()
    try {
      return await call(tokenizer)
    } finally {
      const next = this.#waiting.shift()
      if (next) next(tokenizer)
      else this.#free.push(tokenizer)
    }
  }

  dispose(): void {
    for (const tokenizer of this.#all) void tokenizer.then(one => one.dispose()).catch(() => {})
  }

  #take(): Promise<Tokenizer> | Tokenizer {
    const free = this.#free.pop()
    if (free) return free
    if (this.#all.length >= this.#most) return new Promise(resolve => this.#waiting.push(resolve))
    const { loadTokenizer, loadWorker, signal } = this.#environment
    const load = this.#most > 1 ? loadWorker : loadTokenizer
    const tokenizer = load(modelFiles(this.#args), { signal })
    this.#all.push(tokenizer)
    return tokenizer
  }
}

async function report(reporter: Reporter, output: string, inputs: number, store: ShardStore): Promise<void> {
  const { failed, shards } = store
  const clips = inputs - failed.length
  await reporter.result({
    text:
      `${plural(clips, 'clip')} in ${plural(shards, 'shard')} -> ${output}` +
      (failed.length ? `; ${failed.length} of ${inputs} failed, listed in failed.jsonl` : ''),
    figures: { verb: 'encode', status: 'summary', output, inputs, clips, shards, failed },
  })
}
