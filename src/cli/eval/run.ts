import { dirname, resolve } from 'node:path'
import type { Environment } from '../environment.js'
import { inOrder } from '../in_order.js'
import type { Reporter } from '../reporter.js'
import { hashOfFiles } from '../weights_hash.js'
import { clipFigures, type Evaluation } from './clip.js'
import { Evaluator, type Failure, type Order, type Plan, type Reply } from './evaluator.js'
import type { Judges } from './judges.js'
import type { Ledger } from './ledger.js'
import { type Manifest, textOf } from './manifest.js'
import { describeClip } from './show.js'
import { EvaluatorThreads } from './threads.js'

/** What a run is made of. */
export interface RunParts {
  readonly plan: Plan
  readonly judges: Judges
  readonly json?: boolean
  readonly manifest?: Manifest
  /** Clips whose figures are drawn: the first. */
  readonly figures: number
  readonly ledger?: Ledger
  /** Threads; one evaluates here. */
  readonly workers: number
}

/** A clip's reply, with what an earlier run left of it. */
interface Done extends Reply {
  readonly input: string
}

/** All clips through all systems, in the order of the clips, whatever the number of threads. */
export class Run {
  readonly failures: Failure[] = []
  readonly #parts: RunParts
  readonly #environment: Environment
  readonly #reporter: Reporter
  readonly #hashes = new Map<string, Promise<string | undefined>>()

  constructor(parts: RunParts, environment: Environment, reporter: Reporter) {
    this.#parts = parts
    this.#environment = environment
    this.#reporter = reporter
  }

  /** Rejects with what ends the run; what was finished is in the ledger then. */
  async clips(inputs: readonly string[]): Promise<Evaluation[]> {
    const { workers, plan } = this.#parts
    const { signal } = this.#environment
    const threads =
      workers > 1 ? new EvaluatorThreads(plan, this.#environment.evaluatorThread, workers) : undefined
    const here = threads ? undefined : new Evaluator(plan, this.#host(), this.#parts.judges)
    const interrupted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    interrupted.catch(() => {})
    const clips: Evaluation[] = []
    const places = inputs.entries()
    try {
      const work = inOrder(places, threads ? 2 * workers : 1, ([place, input]) => {
        const tell = (share: number) =>
          this.#reporter.progress(`eval ${input}`, (place + share) / inputs.length)
        const evaluate = (order: Order) =>
          threads ? Promise.race([threads.evaluate(order), interrupted]) : here!.evaluate(order, tell)
        return this.#evaluate(input, place, evaluate)
      })
      for await (const done of work) {
        clips.push(...done.evaluations)
        await this.#tell(done)
        if (threads)
          this.#reporter.progress(`eval ${done.input}`, (inputs.indexOf(done.input) + 1) / inputs.length)
      }
    } finally {
      await this.#reporter.end()
      threads?.dispose()
      here?.dispose()
    }
    if (this.failures.length > 0 && inputs.length > 1) await this.#tellFailures(inputs.length)
    return clips
  }

  async #evaluate(input: string, place: number, evaluate: (order: Order) => Promise<Reply>): Promise<Done> {
    const { plan, figures, ledger } = this.#parts
    const order: Order = {
      input,
      systems: plan.systems.map((_, index) => index),
      figures: place < figures ? plan.systems.map((_, index) => index) : [],
      ...this.#known(input),
    }
    const kept = await Promise.all(order.systems.map(index => this.#kept(order, index)))
    const missing = order.systems.filter(index => kept[index] === undefined)
    const reply =
      missing.length > 0
        ? await evaluate({ ...order, systems: missing })
        : { evaluations: [], failures: [], warnings: [] }
    for (const evaluation of reply.evaluations) {
      const index = plan.systems.findIndex(({ label }) => label === evaluation.system)
      await ledger?.add(evaluation, await this.#madeBy(order, index))
    }
    const bySystem = new Map(
      [...kept.filter(found => found !== undefined), ...reply.evaluations].map(found => [
        found.system,
        found,
      ]),
    )
    const evaluations = plan.systems.flatMap(({ label }) => bySystem.get(label) ?? [])
    return { ...reply, evaluations, input }
  }

  /** What the manifest says of a clip. */
  #known(input: string): Pick<Order, 'transcript' | 'language' | 'tokens'> {
    const { manifest } = this.#parts
    const row = manifest?.rowOf(input)
    if (!manifest || !row) return {}
    return {
      transcript: textOf(row),
      language: row.language ?? row.lang,
      tokens: row.tokens ? resolve(dirname(manifest.path), row.tokens) : undefined,
    }
  }

  /** An earlier run's figures, unless a picture is wanted that it did not draw. */
  async #kept(order: Order, index: number): Promise<Evaluation | undefined> {
    const { ledger } = this.#parts
    const found = await ledger?.find(order.input, await this.#madeBy(order, index)).catch(() => undefined)
    const isWhole = found !== undefined && (found.figure !== undefined || !order.figures.includes(index))
    return isWhole ? found : undefined
  }

  async #madeBy({ transcript, language, tokens }: Order, index: number): Promise<string> {
    const { plan } = this.#parts
    const { files, ...system } = plan.systems[index]
    const key = JSON.stringify(files)
    const hash = this.#hashes.get(key) ?? hashOfFiles(files)
    this.#hashes.set(key, hash)
    const model = (await hash) ?? files
    return JSON.stringify([
      ...[model, system, plan.rounds, plan.judges, this.#environment.version],
      ...[transcript, language, tokens],
    ])
  }

  #host() {
    const { loadTokenizer, now, signal } = this.#environment
    return {
      loadTokenizer,
      now,
      signal,
      onLoad: ({ phase, loaded }: { phase: string; loaded: number }) =>
        this.#reporter.progress(
          `${phase === 'download' ? 'downloading' : 'loading'} the model, ${Math.round(loaded / 1e6)} MB`,
        ),
    }
  }

  async #tell({ input, evaluations, failures, warnings }: Done): Promise<void> {
    for (const warning of warnings) await this.#reporter.warning(`${input}: ${warning}`)
    for (const evaluation of evaluations)
      await this.#reporter.result({
        text: describeClip(evaluation, this.#parts.plan.systems.length > 1),
        figures: { verb: 'eval', status: 'done', ...clipFigures(evaluation) },
      })
    for (const failure of failures) await this.#tellFailure(failure)
  }

  async #tellFailure(failure: Failure): Promise<void> {
    const { input, system, reason, code } = failure
    this.failures.push(failure)
    const where =
      system === undefined || this.#parts.plan.systems.length === 1 ? input : `${input} (${system})`
    await this.#reporter.error(reason.startsWith(`${input}: `) ? reason : `${where}: ${reason}`)
    if (!this.#parts.json) return
    const figures = { verb: 'eval', status: 'failed', input, system, error: { code, message: reason } }
    await this.#reporter.result({ text: '', figures })
  }

  async #tellFailures(inputs: number): Promise<void> {
    const failed = [...new Set(this.failures.map(({ input }) => input))]
    await this.#reporter.error(`${failed.length} of ${inputs} files failed:\n  ${failed.join('\n  ')}`)
  }
}
