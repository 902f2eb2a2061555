// What a config.json beside a checkpoint says, field by field.
import { ConfigError } from '../errors.js'

/** A JSON object, and typed looks into it. Absent text is an empty one. */
export class Given {
  private readonly values: Readonly<Record<string, unknown>>

  /** `what`: whose config.json is expected, for messages. @throws ConfigError */
  constructor(text: string | undefined, what: string) {
    this.values = text === undefined ? {} : parse(text, what)
  }

  number(name: string): number | undefined {
    return this.typed(name, 'a number above 0', value => typeof value === 'number' && value > 0)
  }

  numbers(name: string): number[] | undefined {
    return this.typed(
      name,
      'numbers above 0',
      value => Array.isArray(value) && value.every(one => typeof one === 'number' && one > 0),
    )
  }

  flag(name: string): boolean | undefined {
    return this.typed(name, 'true or false', value => typeof value === 'boolean')
  }

  /** What `choices` has for the text of this name. */
  choice<T>(name: string, choices: Readonly<Record<string, T>>): T | undefined {
    const isKnown = (value: unknown) => typeof value === 'string' && Object.hasOwn(choices, value)
    const found = this.typed<string>(name, Object.keys(choices).join(' or '), isKnown)
    return found === undefined ? undefined : choices[found]
  }

  /** @throws ConfigError that lists every name whose value is another than what the tensors have */
  expect(found: Readonly<Record<string, unknown>>): void {
    const differences = Object.entries(found)
      .filter(([name, value]) => this.isSaid(name) && String(this.values[name]) !== String(value))
      .map(([name, value]) => `${name}: ${value} in the tensors, ${this.values[name]} in the configuration`)
    if (differences.length)
      throw new ConfigError(
        `this configuration belongs to another checkpoint:\n  ${differences.join('\n  ')}`,
      )
  }

  private isSaid(name: string): boolean {
    return this.values[name] !== undefined && this.values[name] !== null
  }

  private typed<T>(name: string, expected: string, fits: (value: unknown) => boolean): T | undefined {
    if (!this.isSaid(name)) return undefined
    const value = this.values[name]
    if (fits(value)) return value as T
    throw new ConfigError(`${name} is ${JSON.stringify(value)} in the configuration; expected ${expected}`)
  }
}

function parse(text: string, what: string): Record<string, unknown> {
  let values: unknown
  try {
    values = JSON.parse(text)
  } catch (cause) {
    throw new ConfigError(`the configuration is not JSON; expected the config.json of ${what}`, { cause })
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw new ConfigError(`the configuration is no JSON object; expected the config.json of ${what}`)
  return values as Record<string, unknown>
}
