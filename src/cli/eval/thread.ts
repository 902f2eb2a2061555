// A thread that evaluates clips: what `wavtok eval --jobs N` starts N of.
import { parentPort, workerData } from 'node:worker_threads'
import { loadTokenizer } from '../../index.js'
import { UsageError } from '../environment.js'
import { describeError } from '../text.js'
import { Evaluator, type Order, type Plan, type Reply } from './evaluator.js'

/** What comes back for an order: a reply, or what ends the whole run. */
export type Answer = { readonly reply: Reply } | { readonly fatal: string; readonly isUsage: boolean }

const evaluator = new Evaluator(workerData as Plan, {
  loadTokenizer,
  now: () => performance.now(),
  signal: new AbortController().signal, // an interrupt ends the thread
})

parentPort?.on('message', async (order: Order) => {
  parentPort?.postMessage(await answer(order))
})

async function answer(order: Order): Promise<Answer> {
  try {
    return { reply: await evaluator.evaluate(order, () => {}) }
  } catch (error) {
    return { fatal: describeError(error), isUsage: error instanceof UsageError }
  }
}
