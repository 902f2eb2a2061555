import type { Arguments } from '../arguments.js'
import type { Environment } from '../environment.js'
import { Reporter } from '../reporter.js'
import { plural, showTable } from '../text.js'
import { nameOf, withQueue } from './with_queue.js'

const MOST_LISTED = 1000

/** What is in the queue, and its dead letters with the reason of each. */
export async function status(args: Arguments, environment: Environment): Promise<number> {
  const { waiting, active, delayed, failed, letters } = await withQueue(args, async queue => {
    const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed')
    const dead = await queue.getFailed(0, MOST_LISTED - 1)
    const letters = dead.map(({ data, failedReason }) => ({ input: data.input, reason: failedReason }))
    return { ...(counts as Record<'waiting' | 'active' | 'delayed' | 'failed', number>), letters }
  })
  const rows: [string, string][] = [
    ['waiting', String(waiting + delayed)],
    ['at work', String(active)],
    ['failed', String(failed)],
    ...letters.map(({ input, reason }): [string, string] => ['', `${input}: ${reason}`]),
  ]
  const figures = { verb: 'queue status', waiting: waiting + delayed, active, failed, letters }
  const reporter = new Reporter(environment, { json: args.json })
  await reporter.result({ text: showTable(`queue ${nameOf(args)}`, rows), figures })
  return 0
}

/** Puts the dead letters back. */
export async function retry(args: Arguments, environment: Environment): Promise<number> {
  const count = await withQueue(args, async queue => {
    const { failed } = await queue.getJobCounts('failed')
    await queue.retryJobs({ state: 'failed' })
    return failed
  })
  const reporter = new Reporter(environment, { json: args.json, quiet: args.quiet })
  const figures = { verb: 'queue retry', retried: count }
  await reporter.result({ text: `${plural(count, 'file')} back in the queue`, figures })
  return 0
}
