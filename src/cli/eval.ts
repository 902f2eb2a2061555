import { extname } from 'node:path'
import type { Progress } from '../index.js'
import type { Arguments } from './arguments.js'
import { type Result, runBatch, type Task } from './batch.js'
import { type Environment, UsageError } from './environment.js'
import { clipFigures, type Evaluation, evaluateClip } from './eval/clip.js'
import { Ledger } from './eval/ledger.js'
import { checkReportName, renderReport } from './eval/report.js'
import { describeClip, textReport } from './eval/show.js'
import { type Failure, summarise } from './eval/summary.js'
import { type Job, PIPE, planJobs, writeOutput } from './files.js'
import { Reporter } from './reporter.js'
import { describeError } from './text.js'
import type { Verb } from './verb.js'
import { weightsHash } from './weights_hash.js'

const HELP = `wavtok eval IN... [-o REPORT]...    how well a model does on recordings

IN is a directory (every *.wav below it) or a WAV file. Each goes through the model and back. Told per file: STOI and ESTOI, mel,
STFT and log-spectral distance, mel-cepstral distortion, SI-SDR, F0 and voicing, round-trip stability (codes that the decoded
audio has again), speed. Then over all files: means with 95 % bootstrap intervals, and what the tokens are like (codes used,
perplexity, conditional entropy, bits per second that a 3-gram model of other files leaves).
Measures are taken at the model's sample rate, on what both have in length. SI-SDR is low for decoders that choose phases anew.

  -o, --report REPORT   a report; its extension chooses .html (self-contained, with figures), .csv (a row per file) or .json;
                        repeat for several
  --figures N           files whose waveforms, spectrograms and tokens the .html shows: the first N (default 8)
  --force               measure again what an interrupted run has finished; else the same command goes on where it ended
  --model FILE          checkpoint instead of the default model; repeat for models in several files
  --config YAML         configuration that came with the checkpoint
  --json                one line of JSON per file, then one of all
  -q, --quiet           no figures, no warnings, no progress bar

Examples
  wavtok eval recordings/
  wavtok eval recordings/ -o report.html -o report.csv
  wavtok eval recordings/ --model wavtokenizer_large_speech_320_24k.ckpt --json > figures.jsonl
`

const FIGURES = 8
/** Encoding, decoding and measuring, as shares of the time one file takes. */
const ENCODE_SHARE = 0.15
const DECODE_SHARE = 0.3

export const evaluate: Verb = {
  summary: 'how well a model does on recordings: a report',
  help: HELP,
  options: ['report', 'figures', 'force', 'model', 'config'],
  async run(args, environment) {
    const { inputs, report: reports = [] } = args
    for (const path of reports) checkReportName(path)
    if (inputs.includes(PIPE)) throw new UsageError(`'${PIPE}' (stdin) cannot be evaluated; give files`)
    const jobs = await planJobs(inputs, undefined, { extensions: ['.wav'], named: stem => stem })
    const figures = reports.some(path => extname(path) === '.html') ? figureCount(args.figures) : 0
    const ledger = reports.length > 0 ? await openLedger(reports[0], args, environment) : undefined
    const run = new Evaluations(jobs.slice(0, figures), ledger)
    const code = await runBatch(jobs, run, args, environment)
    if (run.clips.length === 0) return code
    const report = { summary: summarise(run.clips), clips: run.clips, failures: run.failures(jobs) }
    for (const path of reports) await writeOutput(path, renderReport(path, report), environment)
    await ledger?.remove()
    const isWritten = reports.length > 0 ? `\n${reports.map(path => `-> ${path}`).join('\n')}` : ''
    await new Reporter(environment, { json: args.json, quiet: args.quiet }).result({
      text: `\n${textReport(report.summary)}${isWritten}`,
      figures: { verb: 'eval', status: 'summary', reports, ...report.summary },
    })
    return code
  },
}

function figureCount(text = String(FIGURES)): number {
  const count = Number(text)
  if (text.trim() !== '' && Number.isInteger(count) && count >= 0) return count
  throw new UsageError(`--figures is '${text}', expected a whole number from 0`)
}

/** `report.partial.jsonl` beside `report.html`. */
async function openLedger(report: string, args: Arguments, environment: Environment): Promise<Ledger> {
  const path = `${report.slice(0, -extname(report).length)}.partial.jsonl`
  const model = (await weightsHash(args)) ?? String(args.model)
  return Ledger.open(path, `${model}|${environment.version}`, environment, args.force)
}

/** The batch's work: every file's evaluation, in the order of the jobs. */
class Evaluations {
  readonly verb = 'eval'
  readonly clips: Evaluation[] = []
  readonly #withFigure: ReadonlySet<Job>
  readonly #ledger?: Ledger
  readonly #reasons = new Map<string, string>()

  constructor(withFigure: readonly Job[], ledger?: Ledger) {
    this.#withFigure = new Set(withFigure)
    this.#ledger = ledger
  }

  share({ phase, loaded }: Progress): number {
    return phase === 'encode' ? ENCODE_SHARE * loaded : ENCODE_SHARE + DECODE_SHARE * loaded
  }

  async run(task: Task): Promise<Result> {
    const { job } = task
    try {
      const kept = await this.#ledger?.find(job.input)
      const wantsFigure = this.#withFigure.has(job)
      const isWhole = kept !== undefined && (kept.figure !== undefined || !wantsFigure)
      const { evaluation, warnings } = isWhole
        ? { evaluation: kept, warnings: [] }
        : await evaluateClip(task, wantsFigure)
      if (!isWhole) await this.#ledger?.add(evaluation)
      this.clips.push(evaluation)
      return { warnings, text: describeClip(evaluation), figures: clipFigures(evaluation) }
    } catch (error) {
      this.#reasons.set(job.input, describeError(error))
      throw error
    }
  }

  /** The inputs that have no evaluation. */
  failures(jobs: readonly Job[]): Failure[] {
    const done = new Set(this.clips.map(({ input }) => input))
    return jobs
      .filter(({ input }) => !done.has(input))
      .map(({ input }) => ({ input, reason: this.#reasons.get(input) ?? 'it could not be read' }))
  }
}
