import { Worker } from 'node:worker_threads'
import { WavtokError } from '../../index.js'
import { UsageError } from '../environment.js'
import type { Order, Plan, Reply } from './evaluator.js'
import type { Answer } from './thread.js'

/** Threads that each evaluate a clip at a time, with models of their own. They are started when there is work for them. */
export class EvaluatorThreads {
  readonly #plan: Plan
  readonly #script: URL
  readonly #most: number
  readonly #all: Worker[] = []
  readonly #free: Worker[] = []
  readonly #waiting: ((thread: Worker) => void)[] = []
  #isDisposed = false

  constructor(plan: Plan, script: URL, most: number) {
    this.#plan = plan
    this.#script = script
    this.#most = most
  }

  /** Rejects with what ends the whole run. */
  async evaluate(order: Order): Promise<Reply> {
    const thread = await this.#take()
    const answer = await ask(thread, order).finally(() => this.#release(thread))
    if ('reply' in answer) return answer.reply
    throw answer.isUsage ? new UsageError(answer.fatal) : new WavtokError('WORKER', answer.fatal)
  }

  /** Ends all threads; what still waits for one waits for nothing, since nobody hears of it. */
  dispose(): void {
    this.#isDisposed = true
    this.#waiting.length = 0
    for (const thread of this.#all) void thread.terminate()
  }

  #take(): Promise<Worker> | Worker {
    const free = this.#free.pop()
    if (free) return free
    if (this.#all.length >= this.#most) return new Promise(resolve => this.#waiting.push(resolve))
    return this.#start()
  }

  #start(): Worker {
    const thread = new Worker(this.#script, { workerData: this.#plan, execArgv: [] })
    this.#all.push(thread)
    return thread
  }

  /** A thread that ended is replaced, or those who wait for one would wait for ever. */
  #release(thread: Worker): void {
    if (this.#isDisposed) return
    const hasEnded = thread.threadId === -1
    const next = this.#waiting.shift()
    if (next) next(hasEnded ? this.#start() : thread)
    else if (!hasEnded) this.#free.push(thread)
    if (hasEnded) this.#all.splice(this.#all.indexOf(thread), 1)
  }
}

function ask(thread: Worker, order: Order): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      thread.off('message', onMessage).off('error', onError).off('exit', onExit)
      finish()
    }
    const onMessage = (answer: Answer) => settle(() => resolve(answer))
    const onError = (error: Error) => settle(() => reject(error))
    const onExit = (code: number) =>
      settle(() =>
        reject(new WavtokError('WORKER', `the thread that evaluated ${order.input} ended (${code})`)),
      )
    thread.on('message', onMessage).on('error', onError).on('exit', onExit)
    thread.postMessage(order)
  })
}
