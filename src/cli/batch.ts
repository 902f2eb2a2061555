import { type Progress, type RunOptions, WavtokError } from '../index.js'
import { type Arguments, modelFiles, threadsOption } from './arguments.js'
import { type Environment, PipeClosed, type Tokenizer } from './environment.js'
import { exists, type Job, PIPE, readInput, writeOutput } from './files.js'
import { type Outcome, Reporter } from './reporter.js'
import { describeError } from './text.js'

/** What a verb makes of one input. */
export interface Result extends Outcome {
  /** The output file, where one is wanted. */
  readonly bytes?: Uint8Array
  /** What was odd about the input. */
  readonly warnings?: readonly string[]
}

/** What a verb is given for one input. */
export interface Task extends RunOptions {
  readonly job: Job
  readonly bytes: Uint8Array
  readonly tokenizer: Tokenizer
  /** Runs a call and tells how many seconds it took. */
  timed<T>(call: () => Promise<T>): Promise<[result: T, seconds: number]>
}

/** One verb's part in a batch. */
export interface Work {
  readonly verb: string
  /** How far one file is when `progress` is reached, 0 to 1. */
  share(progress: Progress): number
  run(task: Task): Promise<Result>
}

/**
 * Does the jobs one after another with one tokenizer, which is loaded when the first job needs it. A file that fails does not stop
 * the next; results that exist already are kept.
 *
 * @returns the exit code: 1 if any file failed
 */
export async function runBatch(
  jobs: readonly Job[],
  work: Work,
  args: Arguments,
  environment: Environment,
): Promise<number> {
  const isPiping = jobs.some(job => job.output === PIPE)
  const reporter = new Reporter(environment, { json: args.json, quiet: args.quiet, isPiping })
  const failed: string[] = []
  let tokenizer: Tokenizer | undefined
  try {
    for (const [index, job] of jobs.entries()) {
      if (!args.force && job.isDerived && job.output && (await exists(job.output))) {
        await reportSkipped(reporter, work.verb, job)
        continue
      }
      tokenizer ??= await loadModel(args, environment, reporter)
      const tell = (share: number) =>
        reporter.progress(`${work.verb} ${job.input}`, (index + share) / jobs.length)
      try {
        await runJob(job, work, tokenizer, environment, reporter, tell)
      } catch (error) {
        if (environment.signal.aborted || error instanceof PipeClosed) throw error
        failed.push(job.input)
        await reportFailure(reporter, work.verb, job, error, args.json)
      }
    }
    if (failed.length > 0 && jobs.length > 1) {
      await reporter.error(`${failed.length} of ${jobs.length} files failed:\n  ${failed.join('\n  ')}`)
    }
    return failed.length > 0 ? 1 : 0
  } finally {
    await reporter.end()
    tokenizer?.dispose()
  }
}

async function loadModel(args: Arguments, environment: Environment, reporter: Reporter): Promise<Tokenizer> {
  const tokenizer = await environment.loadTokenizer(modelFiles(args), {
    threads: threadsOption(args),
    signal: environment.signal,
    onProgress: ({ phase, loaded }) =>
      reporter.progress(
        `${phase === 'download' ? 'downloading' : 'loading'} the model, ${Math.round(loaded / 1e6)} MB`,
      ),
  })
  reporter.restartClock()
  return tokenizer
}

async function runJob(
  job: Job,
  work: Work,
  tokenizer: Tokenizer,
  environment: Environment,
  reporter: Reporter,
  tell: (share: number) => void,
): Promise<void> {
  const bytes = await readInput(job.input, environment)
  tell(0)
  const result = await work.run({
    job,
    bytes,
    tokenizer,
    signal: environment.signal,
    onProgress: progress => tell(work.share(progress)),
    async timed(call) {
      const start = environment.now()
      return [await call(), (environment.now() - start) / 1000]
    },
  })
  for (const warning of result.warnings ?? []) await reporter.warning(`${job.input}: ${warning}`)
  if (job.output !== undefined && result.bytes) await writeOutput(job.output, result.bytes, environment)
  const { input, output } = job
  await reporter.result({
    text: result.text,
    figures: { verb: work.verb, status: 'done', input, output, ...result.figures },
  })
}

function reportSkipped(reporter: Reporter, verb: string, { input, output }: Job): Promise<void> {
  const text = `${input}: skipped, ${output} exists (--force makes it again)`
  return reporter.result({ text, figures: { verb, status: 'skipped', input, output } })
}

async function reportFailure(
  reporter: Reporter,
  verb: string,
  { input }: Job,
  error: unknown,
  json?: boolean,
): Promise<void> {
  const message = describeError(error)
  await reporter.error(message.startsWith(`${input}: `) ? message : `${input}: ${message}`)
  if (!json) return
  const code = error instanceof WavtokError ? error.code : (error as NodeJS.ErrnoException).code
  await reporter.result({ text: '', figures: { verb, status: 'failed', input, error: { code, message } } })
}
