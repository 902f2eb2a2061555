import type { Arguments } from './arguments.js'
import type { Environment } from './environment.js'
import { exists, type Job, PIPE, readInput, writeOutput } from './files.js'
import { type Outcome, Reporter } from './reporter.js'

/** What a verb that needs no model makes of one file. */
export interface Made extends Outcome {
  readonly bytes: Uint8Array
}

/** Does the jobs one after another; results that exist already are kept. The first failure ends it. @returns the exit code */
export async function runJobs(
  jobs: readonly Job[],
  verb: string,
  args: Arguments,
  environment: Environment,
  make: (bytes: Uint8Array, job: Job) => Promise<Made>,
): Promise<number> {
  const isPiping = jobs.some(job => job.output === PIPE)
  const reporter = new Reporter(environment, { json: args.json, quiet: args.quiet, isPiping })
  try {
    for (const [index, job] of jobs.entries()) {
      const { input, output = PIPE, isDerived } = job
      const isKept = !args.force && isDerived && output !== PIPE && (await exists(output))
      if (isKept) {
        const text = `${input}: skipped, ${output} exists (--force makes it again)`
        await reporter.result({ text, figures: { verb, status: 'skipped', input, output } })
        continue
      }
      reporter.progress(`${verb} ${input}`, index / jobs.length)
      const { bytes, text, figures } = await make(await readInput(input, environment), job)
      await writeOutput(output, bytes, environment)
      await reporter.result({ text, figures: { verb, status: 'done', input, output, ...figures } })
    }
    return 0
  } finally {
    await reporter.end()
  }
}

/** A whole number from an option. */
export function wholeNumber(text: string | undefined, fallback: number): number {
  return text === undefined ? fallback : Number(text)
}

/** A JSON file, one line. */
export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`)
}
