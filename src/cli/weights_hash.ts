import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defaultWeights } from '#platform'
import { DEFAULT_MODEL } from '../index.js'
import { type Arguments, modelFiles } from './arguments.js'
import { exists } from './files.js'

/** Hexadecimal digits that are kept of a SHA-256: enough to tell models apart. */
const DIGITS = 16

/**
 * The first digits of the SHA-256 of the weights that a verb runs with, all files one after another; undefined for weights that are
 * no local files.
 */
export function weightsHash(args: Arguments): Promise<string | undefined> {
  return hashOfFiles(modelFiles(args))
}

/** The same of a model's files; undefined stands for the default model. */
export async function hashOfFiles(model: readonly string[] | undefined): Promise<string | undefined> {
  const files = model ?? [fileURLToPath(defaultWeights(DEFAULT_MODEL))]
  const hash = createHash('sha256')
  for (const file of files.filter(name => !/\.ya?ml$/i.test(name))) {
    if (!(await exists(file))) return undefined
    for await (const chunk of createReadStream(file)) hash.update(chunk)
  }
  return hash.digest('hex').slice(0, DIGITS)
}
