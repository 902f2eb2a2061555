import { readFile } from 'node:fs/promises'
import { toMono } from '../../audio/index.js'
import { decodeTokens } from '../../codes/index.js'
import { type Progress, WavtokError } from '../../index.js'
import { decodeAudio } from '../audio_file.js'
import { type Environment, type Tokenizer, UsageError } from '../environment.js'
import { describeError } from '../text.js'
import { type Evaluation, evaluateClip } from './clip.js'
import { type JudgeFiles, type Judges, loadJudges } from './judges.js'
import { Original } from './original.js'
import { modelKey, type System } from './systems.js'

/** What is the same for every clip. */
export interface Plan {
  readonly systems: readonly System[]
  readonly judges: JudgeFiles
  readonly rounds: number
  readonly threads?: number
}

/** What is to be done with one clip. */
export interface Order {
  readonly input: string
  /** Places in the plan's systems. */
  readonly systems: readonly number[]
  /** Of those, which want a figure. */
  readonly figures: readonly number[]
  readonly transcript?: string
  readonly language?: string
  /** A file of tokens that these should equal. */
  readonly tokens?: string
}

/** Why a clip, or a clip in one system, has no figures. */
export interface Failure {
  readonly input: string
  /** Undefined: in every system. */
  readonly system?: string
  readonly reason: string
  readonly code?: string
}

export interface Reply {
  readonly evaluations: readonly Evaluation[]
  readonly failures: readonly Failure[]
  /** What was odd about the file. */
  readonly warnings: readonly string[]
}

/** What an evaluator has of the world. */
export interface Host extends Pick<Environment, 'loadTokenizer' | 'now' | 'signal'> {
  readonly onLoad?: (progress: Progress) => void
}

/** Evaluates clips one after another; models are loaded when they are first needed. */
export class Evaluator {
  readonly #plan: Plan
  readonly #host: Host
  readonly #tokenizers = new Map<string, Promise<Tokenizer>>()
  #judges?: Promise<Judges>

  /** `judges`, where they are loaded already. */
  constructor(plan: Plan, host: Host, judges?: Judges) {
    this.#plan = plan
    this.#host = host
    this.#judges = judges && Promise.resolve(judges)
  }

  /** Rejects with what ends the whole run: an interrupt, a model or judges that cannot be had. */
  async evaluate(order: Order, onProgress: (share: number) => void): Promise<Reply> {
    this.#judges ??= loadJudges(this.#plan.judges)
    const judges = await this.#judges
    const evaluations: Evaluation[] = []
    const failures: Failure[] = []
    let opened: Awaited<ReturnType<typeof open>>
    try {
      opened = await open(order)
    } catch (error) {
      return { evaluations, failures: [this.#failure(error, order.input)], warnings: [] }
    }
    const { original, warnings, referenceCodes } = opened
    for (const [place, index] of order.systems.entries()) {
      const system = this.#plan.systems[index]
      const tokenizer = await this.#tokenizer(system)
      try {
        evaluations.push(
          await evaluateClip({
            ...order,
            system: system.label,
            original,
            referenceCodes: this.#isFirstModel(system) ? referenceCodes : undefined,
            tokenizer,
            codebooks: system.codebooks,
            judges,
            rounds: this.#plan.rounds,
            wantsFigure: order.figures.includes(index),
            signal: this.#host.signal,
            now: this.#host.now,
            onProgress: share => onProgress((place + share) / order.systems.length),
          }),
        )
      } catch (error) {
        failures.push(this.#failure(error, order.input, system.label))
      }
    }
    return { evaluations, failures, warnings }
  }

  dispose(): void {
    for (const tokenizer of this.#tokenizers.values())
      void tokenizer.then(one => one.dispose()).catch(() => {})
  }

  /** Reference tokens are those of the first model, whatever its number of codebooks or dtype. */
  #isFirstModel({ files }: System): boolean {
    return JSON.stringify(files) === JSON.stringify(this.#plan.systems[0].files)
  }

  #failure(error: unknown, input: string, system?: string): Failure {
    if (this.#host.signal.aborted || error instanceof UsageError) throw error
    const code = error instanceof WavtokError ? error.code : (error as NodeJS.ErrnoException).code
    return { input, system, reason: describeError(error), code }
  }

  #tokenizer(system: System): Promise<Tokenizer> {
    const key = modelKey(system)
    const found = this.#tokenizers.get(key)
    if (found) return found
    const { files, dtype } = system
    const { signal, onLoad } = this.#host
    const options = { dtype, threads: this.#plan.threads, signal, onProgress: onLoad }
    const tokenizer = this.#host.loadTokenizer(files, options)
    this.#tokenizers.set(key, tokenizer)
    return tokenizer
  }
}

async function open({ input, tokens }: Order) {
  const { channels, sampleRate, warnings } = await decodeAudio(await readFile(input))
  const { samples } = toMono(channels, { sampleRate, defaultSampleRate: sampleRate })
  const referenceCodes = tokens === undefined ? undefined : decodeTokens(await readFile(tokens)).codes
  return { original: new Original(samples, sampleRate), warnings, referenceCodes }
}
