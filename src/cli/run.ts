import { parseArguments } from './arguments.js'
import { bpe } from './bpe.js'
import { compress } from './compress.js'
import { convert } from './convert.js'
import { decode } from './decode.js'
import { encode } from './encode.js'
import { type Environment, PipeClosed, UsageError } from './environment.js'
import { evaluate } from './eval.js'
import { info } from './info.js'
import { queue } from './queue.js'
import { roundtrip } from './roundtrip.js'
import { describeError } from './text.js'
import type { Verb } from './verb.js'

const VERBS: Readonly<Record<string, Verb>> = {
  encode,
  decode,
  roundtrip,
  eval: evaluate,
  info,
  convert,
  bpe,
  compress,
  queue,
}

const FAILED = 1
const USAGE = 2
const BROKEN_PIPE = 141 // as a shell reports a program that SIGPIPE ended
const INTERRUPTED = 130
const TERMINATED = 143

/**
 * The whole command line after `wavtok`.
 *
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage, 130/143 interrupted, 141 nobody read the output
 */
export async function run(args: readonly string[], environment: Environment): Promise<number> {
  const [name, ...rest] = args
  try {
    if (name === '--version' || name === '-V') {
      await environment.stdout.write(`wavtok ${environment.version}\n`)
      return 0
    }
    if (name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
      await environment.stdout.write(overview())
      return 0
    }
    const [verbName, verbArgs] = name === 'help' ? [rest[0], ['--help']] : [name, rest]
    const verb = findVerb(verbName)
    const parsed = parseArguments(verbArgs, verb.options)
    if (!parsed.help) return await verb.run(parsed, environment)
    await environment.stdout.write(verb.help)
    return 0
  } catch (error) {
    return exitCode(error, name, environment)
  }
}

function findVerb(name: string | undefined): Verb {
  if (name === undefined) throw new UsageError(`no verb was given\n\n${overview().trimEnd()}`)
  if (Object.hasOwn(VERBS, name)) return VERBS[name]
  throw new UsageError(`'${name}' is no verb; expected ${Object.keys(VERBS).join(', ')}`)
}

function overview(): string {
  const lines = Object.entries(VERBS).map(([name, verb]) => `  ${name.padEnd(10)} ${verb.summary}`)
  return `wavtok <verb> ...    speech to tokens and back

${lines.join('\n')}

  wavtok <verb> --help says more, with examples; wavtok --version
`
}

/** Says on stderr what went wrong and gives the exit code for it. */
async function exitCode(error: unknown, verb: string | undefined, environment: Environment): Promise<number> {
  const { signal, stderr } = environment
  if (error instanceof PipeClosed) return BROKEN_PIPE
  if (signal.aborted) return signal.reason === 'SIGTERM' ? TERMINATED : INTERRUPTED
  const isUsage = error instanceof UsageError
  const isVerb = verb !== undefined && Object.hasOwn(VERBS, verb)
  const pointer = isUsage && isVerb ? `\nwavtok ${verb} --help says how` : ''
  await stderr.write(`wavtok: ${describeError(error)}${pointer}\n`).catch(() => {})
  return isUsage ? USAGE : FAILED
}
