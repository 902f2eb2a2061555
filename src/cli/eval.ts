import { extname } from 'node:path'
import { WavtokError } from '../index.js'
import type { Arguments } from './arguments.js'
import { jobsOption, threadsOption } from './arguments.js'
import { AUDIO_EXTENSIONS } from './audio_file.js'
import { type Environment, UsageError } from './environment.js'
import type { Evaluation } from './eval/clip.js'
import { differences } from './eval/compare.js'
import type { Plan } from './eval/evaluator.js'
import { checkGrouping, groupedReport } from './eval/fairness.js'
import { EVAL_HELP } from './eval/help.js'
import { loadJudges } from './eval/judges.js'
import { Ledger } from './eval/ledger.js'
import { readManifest } from './eval/manifest.js'
import { measureTable, qualities } from './eval/measures.js'
import { checkReportName, renderReport } from './eval/report.js'
import { Run } from './eval/run.js'
import { textReport } from './eval/show.js'
import { type Report, summarise } from './eval/summary.js'
import { type System, systemsOf } from './eval/systems.js'
import { PIPE, planJobs, writeOutput } from './files.js'
import { Reporter } from './reporter.js'
import type { Verb } from './verb.js'

const FIGURES = 8
const MOST_ROUNDS = 100

export const evaluate: Verb = {
  summary: 'how well one or several models do on recordings: a report',
  help: EVAL_HELP,
  options: [
    ...([
      'report',
      'figures',
      'beside',
      'codebooks',
      'dtype',
      'manifest',
      'group-by',
      'judge',
      'dnsmos',
      'rounds',
    ] as const),
    ...(['jobs', 'threads', 'force', 'model', 'config'] as const),
  ],
  async run(args, environment) {
    const { inputs, report: reports = [] } = args
    for (const path of reports) checkReportName(path)
    if (inputs.includes(PIPE)) throw new UsageError(`'${PIPE}' (stdin) cannot be evaluated; give files`)
    const systems = systemsOf(args)
    const plan: Plan = {
      systems,
      judges: { modules: args.judge ?? [], dnsmos: args.dnsmos },
      rounds: countOf('rounds', args.rounds, 1, MOST_ROUNDS, 1),
      threads: threadsOption(args),
    }
    const figures = figuresOf(args, reports, systems)
    const workers = jobsOption(args)
    const judges = await loadJudges(plan.judges)
    const jobs = await planJobs(inputs, undefined, { extensions: AUDIO_EXTENSIONS, named: stem => stem })
    const manifest = args.manifest === undefined ? undefined : await readManifest(args.manifest)
    const by = args['group-by']
    if (by !== undefined) {
      if (!manifest) throw new UsageError('--group-by names a column of the --manifest; give one')
      checkGrouping(
        manifest,
        by,
        jobs.map(({ input }) => input),
      )
    }
    const ledger = reports.length > 0 ? await openLedger(reports[0], args, environment) : undefined
    const reporter = new Reporter(environment, { json: args.json, quiet: args.quiet })
    const run = new Run(
      { plan, judges, json: args.json, manifest, figures, ledger, workers },
      environment,
      reporter,
    )
    const clips = await run.clips(jobs.map(({ input }) => input))
    const table = measureTable({
      hasTokens: clips.some(({ measures }) => 'referenceAgreement' in measures),
      hasEar: judges.transcribe !== undefined,
      metrics: judges.metrics,
    })
    const groups = systems
      .map(({ label }) => clips.filter(({ system }) => system === label))
      .filter(group => group.length > 0)
    if (groups.length > 0) {
      const byGroups = (group: readonly Evaluation[]) => {
        if (!manifest || by === undefined) return undefined
        try {
          return groupedReport(group, manifest, by, qualities(table))
        } catch (error) {
          if (!(error instanceof WavtokError)) throw error
          run.failures.push({ input: `--group-by ${by}`, system: group[0].system, reason: error.message })
          return undefined
        }
      }
      const report: Report = {
        table,
        systems: groups.map(group => ({
          summary: summarise(group, table),
          clips: group,
          fairness: byGroups(group),
        })),
        differences: differences(groups, table),
        failures: run.failures,
      }
      const untold = run.failures.filter(({ input }) => input.startsWith('--group-by'))
      for (const { input, reason } of untold) await reporter.error(`${input}: ${reason}`)
      for (const path of reports) await writeOutput(path, renderReport(path, report), environment)
      await ledger?.remove()
      await tell(report, reports, reporter)
    }
    return run.failures.length > 0 ? 1 : 0
  },
}

async function tell(report: Report, reports: readonly string[], reporter: Reporter): Promise<void> {
  const written = reports.length > 0 ? `\n${reports.map(path => `-> ${path}`).join('\n')}` : ''
  const { systems, differences } = report
  await reporter.result({
    text: `\n${textReport(report)}${written}`,
    figures: {
      verb: 'eval',
      status: 'summary',
      reports,
      systems: systems.map(({ summary, fairness }) => ({ ...summary, fairness })),
      differences,
    },
  })
}

function figuresOf({ figures }: Arguments, reports: readonly string[], systems: readonly System[]): number {
  const count = countOf('figures', figures, 0, Number.MAX_SAFE_INTEGER, Math.ceil(FIGURES / systems.length))
  return reports.some(path => extname(path) === '.html') ? count : 0
}

function countOf(
  name: string,
  text: string | undefined,
  least: number,
  most: number,
  fallback: number,
): number {
  if (text === undefined) return fallback
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= least && count <= most) return count
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`
  throw new UsageError(`--${name} is '${text}', expected a whole number ${range}`)
}

/** `report.partial.jsonl` beside `report.html`. */
function openLedger(report: string, args: Arguments, environment: Environment): Promise<Ledger> {
  const path = `${report.slice(0, -extname(report).length)}.partial.jsonl`
  return Ledger.open(path, environment, args.force)
}
