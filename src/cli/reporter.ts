import type { Environment } from './environment.js'
import { showClock } from './text.js'

const BAR_WIDTH = 24
/** Work that is over before this shows no bar. */
const QUIET_MS = 1000
const REFRESH_MS = 100
/** Before this share is done, reading the file weighs too much for an estimate. */
const MIN_ESTIMATE_SHARE = 0.02

export interface ReporterOptions {
  json?: boolean
  quiet?: boolean
  /** Results are written to stdout as data, so messages go to stderr. */
  isPiping?: boolean
}

/** What one file gave: a text for people, figures for machines. */
export interface Outcome {
  readonly text: string
  readonly figures: Readonly<Record<string, unknown>>
}

/** Writes results, warnings, errors and the progress bar so that they do not overwrite each other. */
export class Reporter {
  readonly #environment: Environment
  readonly #options: ReporterOptions
  readonly #showsBar: boolean
  #start: number
  #lastDrawn = 0
  #isDrawn = false

  constructor(environment: Environment, options: ReporterOptions) {
    this.#environment = environment
    this.#options = options
    this.#showsBar = environment.stderr.isTerminal && !options.quiet
    this.#start = environment.now()
  }

  /** Starts the clock of the estimate anew, when what follows takes another kind of time. */
  restartClock(): void {
    this.#start = this.#environment.now()
  }

  /** `share` (0 to 1) of the whole work is done; undefined where the whole is unknown. */
  progress(label: string, share?: number): void {
    const now = this.#environment.now()
    if (!this.#showsBar || now - this.#start < QUIET_MS || now - this.#lastDrawn < REFRESH_MS) return
    this.#lastDrawn = now
    this.#isDrawn = true
    const columns = this.#environment.stderr.columns || 80
    const line = progressLine(label, (now - this.#start) / 1000, share)
    this.#environment.stderr.write(`\r\x1b[2K${line.slice(0, columns - 1)}`).catch(() => {})
  }

  /** The result of one file: its text, or with --json its figures as one line. */
  async result(outcome: Outcome): Promise<void> {
    const { json, quiet, isPiping } = this.#options
    if (!json && quiet) return
    const target = isPiping ? this.#environment.stderr : this.#environment.stdout
    await this.#clear()
    await target.write(`${json ? JSON.stringify(outcome.figures) : outcome.text}\n`)
  }

  /** Something a person should know that is no failure. */
  async warning(text: string): Promise<void> {
    if (!this.#options.quiet) await this.error(text)
  }

  async error(text: string): Promise<void> {
    await this.#clear()
    await this.#environment.stderr.write(`wavtok: ${text}\n`)
  }

  /** Takes the bar away. */
  async end(): Promise<void> {
    await this.#clear()
  }

  async #clear(): Promise<void> {
    if (!this.#isDrawn) return
    this.#isDrawn = false
    await this.#environment.stderr.write('\r\x1b[2K')
  }
}

/** `[######------]  42 %  0:12 left  encode speech.wav` */
export function progressLine(label: string, elapsedSeconds: number, share?: number): string {
  if (share === undefined) return `${label} ...`
  const full = Math.round(share * BAR_WIDTH)
  const left = share >= MIN_ESTIMATE_SHARE ? `${showClock((elapsedSeconds * (1 - share)) / share)} left` : ''
  const percent = `${Math.floor(share * 100)}`.padStart(3)
  return `[${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}] ${percent} %  ${left}  ${label}`
}
