import type { Arguments, OptionName } from './arguments.js'
import type { Environment } from './environment.js'

/** One word after `wavtok`. */
export interface Verb {
  /** One line for the list of verbs. */
  readonly summary: string
  /** The whole text of `wavtok <verb> --help`. */
  readonly help: string
  /** Options it knows beside --json, --quiet and --help. */
  readonly options: readonly OptionName[]
  /** @returns the exit code */
  run(args: Arguments, environment: Environment): Promise<number>
}
