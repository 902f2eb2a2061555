import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { TOKEN_FILE_FORMATS } from '../../codes/index.js'
import { type Arguments, choose, codebooksOption } from '../arguments.js'
import { AUDIO_EXTENSIONS } from '../audio_file.js'
import { type Environment, UsageError } from '../environment.js'
import { exists, PIPE, planJobs } from '../files.js'
import { Reporter } from '../reporter.js'
import { plural } from '../text.js'
import type { QueuedFile } from './bullmq.js'
import { withQueue } from './with_queue.js'

const AT_ONCE = 500
const ATTEMPTS = 3
const FIRST_DELAY_MS = 1000

/** Puts files into the queue. A file whose output exists, or that is in the queue already, is not added again. */
export async function add(args: Arguments, environment: Environment): Promise<number> {
  const { output, inputs, force } = args
  if (output === undefined || output === PIPE || inputs.includes(PIPE))
    throw new UsageError('the queue takes files and writes below the folder that -o names')
  const format = choose('format', args.format, TOKEN_FILE_FORMATS, 'wtok')
  const codebooks = codebooksOption(args)
  const named = (stem: string) => `${stem}.${format}`
  const jobs = await planJobs(inputs, `${output}/`, { extensions: AUDIO_EXTENSIONS, named })
  const files: QueuedFile[] = []
  for (const { input, output: to = '' } of jobs)
    if (force || !(await exists(to)))
      files.push({
        input: resolve(input),
        output: resolve(to),
        format,
        ...(codebooks && { codebooks }),
        ...(force && { force }),
      })
  const reporter = new Reporter(environment, { json: args.json, quiet: args.quiet })
  const added = await withQueue(args, async queue => {
    const before = await waitingOf(queue)
    for (let first = 0; first < files.length; first += AT_ONCE) {
      await queue.addBulk(files.slice(first, first + AT_ONCE).map(jobOf))
      reporter.progress(`queue ${files[first].input}`, first / files.length)
    }
    return (await waitingOf(queue)) - before
  })
  await reporter.end()
  const done = jobs.length - files.length
  await reporter.result({
    text: `${plural(added, 'file')} added${done ? `; ${done} have their output already` : ''}`,
    figures: { verb: 'queue add', files: jobs.length, added, done },
  })
  return 0
}

async function waitingOf(queue: { getJobCounts(...types: string[]): Promise<Record<string, number>> }) {
  const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized', 'paused')
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

/** Named by its output: a file that is queued twice is worked off once. */
function jobOf(data: QueuedFile) {
  const jobId = createHash('sha256').update(data.output).digest('hex')
  const opts = {
    jobId,
    attempts: ATTEMPTS,
    backoff: { type: 'exponential', delay: FIRST_DELAY_MS },
    removeOnComplete: true, // the output says that it is done
    removeOnFail: false, // a dead letter, until it is retried
  }
  return { name: 'encode', data, opts }
}
