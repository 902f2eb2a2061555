import type { Queue } from 'bullmq'
import type { Arguments } from '../arguments.js'
import { connectionOf, loadBullmq, type QueuedFile } from './bullmq.js'

/** Names of queues in Redis. */
export function nameOf({ name = 'wavtok' }: Arguments): string {
  return name
}

/** Runs `use` with the queue of --redis and --name. */
export async function withQueue<T>(
  args: Arguments,
  use: (queue: Queue<QueuedFile>) => Promise<T>,
): Promise<T> {
  const { Queue } = await loadBullmq()
  // a command does not wait for a Redis that is not there
  const connection = { ...connectionOf(args.redis), maxRetriesPerRequest: 1, retryStrategy: () => null }
  const queue = new Queue<QueuedFile>(nameOf(args), { connection })
  queue.on('error', () => {}) // told by the call that fails
  try {
    return await use(queue)
  } finally {
    await queue.close()
  }
}
