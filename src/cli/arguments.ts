import { parseArgs } from 'node:util'
import { UsageError } from './environment.js'

const OPTIONS = {
  model: { type: 'string', multiple: true },
  config: { type: 'string' },
  output: { type: 'string', short: 'o' },
  report: { type: 'string', short: 'o', multiple: true },
  figures: { type: 'string' },
  beside: { type: 'string', multiple: true },
  manifest: { type: 'string' },
  'group-by': { type: 'string' },
  judge: { type: 'string', multiple: true },
  dnsmos: { type: 'string' },
  rounds: { type: 'string' },
  format: { type: 'string' },
  codebooks: { type: 'string' },
  dtype: { type: 'string' },
  'encoder-dtype': { type: 'string' },
  parts: { type: 'string' },
  plot: { type: 'string' },
  bpe: { type: 'string' },
  vocab: { type: 'string' },
  'min-frequency': { type: 'string' },
  method: { type: 'string' },
  ratio: { type: 'string' },
  threads: { type: 'string' },
  threshold: { type: 'string' },
  jobs: { type: 'string' },
  redis: { type: 'string' },
  name: { type: 'string' },
  lock: { type: 'string' },
  'until-empty': { type: 'boolean' },
  shard: { type: 'string' },
  'stdin-jsonl': { type: 'boolean' },
  recover: { type: 'boolean' },
  taxonomy: { type: 'boolean' },
  force: { type: 'boolean' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
} as const

/** The long name of an option, which is also its key after parsing. */
export type OptionName = keyof typeof OPTIONS

/** A parsed command line: values by option name, and what is left. */
export interface Arguments {
  readonly inputs: string[]
  readonly model?: string[]
  readonly config?: string
  readonly output?: string
  readonly report?: string[]
  readonly figures?: string
  readonly beside?: string[]
  readonly manifest?: string
  readonly 'group-by'?: string
  readonly judge?: string[]
  readonly dnsmos?: string
  readonly rounds?: string
  readonly format?: string
  readonly codebooks?: string
  readonly dtype?: string
  readonly 'encoder-dtype'?: string
  readonly parts?: string
  readonly plot?: string
  readonly bpe?: string
  readonly vocab?: string
  readonly 'min-frequency'?: string
  readonly method?: string
  readonly ratio?: string
  readonly threads?: string
  readonly threshold?: string
  readonly jobs?: string
  readonly redis?: string
  readonly name?: string
  readonly lock?: string
  readonly 'until-empty'?: boolean
  readonly shard?: string
  readonly 'stdin-jsonl'?: boolean
  readonly recover?: boolean
  readonly taxonomy?: boolean
  readonly force?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
  readonly help?: boolean
}

const EVERYWHERE: readonly OptionName[] = ['json', 'quiet', 'help']

/** Reads the arguments of a verb that knows `names` beside --json, --quiet and --help. Throws UsageError. */
export function parseArguments(args: string[], names: readonly OptionName[]): Arguments {
  const known = [...names, ...EVERYWHERE]
  const options = Object.fromEntries(known.map(name => [name, OPTIONS[name]]))
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    return { ...values, inputs: positionals }
  } catch (error) {
    if (String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS')) {
      throw new UsageError((error as Error).message.split('. To specify')[0])
    }
    throw error
  }
}

/** `value` if it is one of `choices`, `fallback` if it was not given. Throws UsageError. */
export function choose<T extends string>(
  option: OptionName,
  value: string | undefined,
  choices: readonly T[],
  fallback: T,
): T {
  if (value === undefined) return fallback
  if ((choices as readonly string[]).includes(value)) return value as T
  throw new UsageError(`--${option} is '${value}', expected ${choices.join(', ')}`)
}

/** The files that together make the model: --model (repeatable) and --config; undefined stands for the default model. */
export function modelFiles({ model, config }: Arguments): string[] | undefined {
  if (model === undefined && config !== undefined) {
    throw new UsageError('--config describes the checkpoint given with --model; the default model needs none')
  }
  return model && (config === undefined ? model : [...model, config])
}

/** --codebooks as a number; undefined: all. Throws UsageError. */
export function codebooksOption({ codebooks }: Arguments): number | undefined {
  return countOption('codebooks', codebooks)
}

/** --threads as a number; undefined: one. Throws UsageError. */
export function threadsOption({ threads }: Arguments): number | undefined {
  return countOption('threads', threads)
}

const MOST_JOBS = 256

/** --jobs as a number. Throws UsageError. */
export function jobsOption({ jobs }: Arguments): number {
  if (jobs === undefined) return 1
  const count = Number(jobs)
  if (/^\d+$/.test(jobs) && count >= 1 && count <= MOST_JOBS) return count
  throw new UsageError(`--jobs is '${jobs}', expected a number from 1 to ${MOST_JOBS}`)
}

function countOption(name: OptionName, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new UsageError(`--${name} is '${text}', expected a number from 1 up`)
}
