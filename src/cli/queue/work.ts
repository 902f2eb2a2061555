import { setTimeout as wait } from 'node:timers/promises'
import type { Job } from 'bullmq'
import { encodeTokens } from '../../codes/index.js'
import { WavtokError } from '../../index.js'
import { type Arguments, modelFiles } from '../arguments.js'
import { decodeAudio } from '../audio_file.js'
import { type Environment, type Tokenizer, UsageError } from '../environment.js'
import { exists, readInput, writeOutput } from '../files.js'
import { Reporter } from '../reporter.js'
import { describeError } from '../text.js'
import { weightsHash } from '../weights_hash.js'
import { connectionOf, loadBullmq, type QueuedFile } from './bullmq.js'
import { nameOf, withQueue } from './with_queue.js'

const LOCK_SECONDS = 30
const POLL_MS = 200
/** How often a file may lose its worker before it is a dead letter. */
const MOST_STALLS = 10

/**
 * Works off the queue until it is interrupted, or empty with --until-empty. An output appears whole or not at all and is written before
 * its job is taken off, so a file whose worker was killed is done again by another, to the same bytes.
 */
export async function work(args: Arguments, environment: Environment): Promise<number> {
  const { Worker, UnrecoverableError } = await loadBullmq()
  const lockDuration = 1000 * lockSeconds(args)
  const reporter = new Reporter(environment, { json: args.json, quiet: args.quiet })
  await isEmpty(args) // fails where there is no Redis
  const modelHash = await weightsHash(args)
  const tokenizer = await environment.loadTokenizer(modelFiles(args), { signal: environment.signal })
  const count = { done: 0, failed: 0 }
  const process = async ({ data }: Job<QueuedFile>) => {
    try {
      await encodeFile(data, tokenizer, modelHash, environment)
    } catch (error) {
      // what is wrong with the file stays wrong; what happened to the disk or the network may pass
      if (error instanceof WavtokError && !environment.signal.aborted)
        throw new UnrecoverableError(describeError(error))
      throw error
    }
  }
  const worker = new Worker<QueuedFile>(nameOf(args), process, {
    connection: connectionOf(args.redis),
    lockDuration,
    stalledInterval: lockDuration,
    maxStalledCount: MOST_STALLS,
  })
  worker.on('error', () => {}) // Redis went away: the worker waits for it
  worker.on('completed', ({ data: { input, output } }) => {
    count.done++
    const figures = { verb: 'queue work', status: 'done', input, output }
    void reporter.result({ text: `${input} -> ${output}`, figures })
  })
  worker.on('failed', (job, error) => {
    const isDead = !job || job.attemptsMade >= (job.opts.attempts ?? 1) || error instanceof UnrecoverableError
    if (isDead) count.failed++
    void reporter.error(`${job?.data.input}: ${error.message}${isDead ? '' : '; it is tried again'}`)
  })
  try {
    while (!environment.signal.aborted && !(args['until-empty'] && (await isEmpty(args))))
      await wait(POLL_MS, undefined, { signal: environment.signal }).catch(() => {})
  } finally {
    await worker.close()
    tokenizer.dispose()
    await reporter.end()
  }
  environment.signal.throwIfAborted()
  const { done, failed } = count
  await reporter.result({
    text: `${done} done, ${failed} failed for good (wavtok queue status)`,
    figures: { verb: 'queue work', status: 'summary', done, failed },
  })
  return failed > 0 ? 1 : 0
}

async function encodeFile(
  { input, output, format, codebooks, force }: QueuedFile,
  tokenizer: Tokenizer,
  modelHash: string | undefined,
  environment: Environment,
): Promise<void> {
  if (!force && (await exists(output))) return // by a worker that was killed between writing and saying so
  const { channels, sampleRate } = await decodeAudio(await readInput(input, environment))
  const tokens = await tokenizer.encode(channels, { sampleRate, codebooks, signal: environment.signal })
  await writeOutput(output, encodeTokens(tokens, format, { modelHash }), environment)
}

function isEmpty(args: Arguments): Promise<boolean> {
  return withQueue(args, async queue => {
    const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized')
    return Object.values(counts).every(number => number === 0)
  })
}

function lockSeconds({ lock }: Arguments): number {
  const seconds = lock === undefined ? LOCK_SECONDS : Number(lock)
  if (seconds >= 1 && seconds <= 3600) return seconds
  throw new UsageError(`--lock is '${lock}', expected 1 to 3600 seconds`)
}
