import { createReadStream } from 'node:fs'
import { appendFile, mkdir, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Environment } from '../environment.js'
import { exists, writeOutput } from '../files.js'
import type { Evaluation } from './clip.js'

/** One line of the ledger: codes are little-endian 16-bit numbers in base64. */
type Entry = [key: string, evaluation: Omit<Evaluation, 'codes'> & { readonly codes: readonly string[] }]

/**
 * What an evaluation has finished, kept beside its report until that is written, so that an interrupted run goes on. A line per clip;
 * its key holds path, size, time of change and what it was measured with, so a changed file is measured again.
 */
export class Ledger {
  readonly #path: string
  readonly #entries = new Map<string, Entry[1]>()

  private constructor(path: string) {
    this.#path = path
  }

  /** Reads what is left of an earlier run, unless `isNew`. */
  static async open(path: string, environment: Environment, isNew = false): Promise<Ledger> {
    const ledger = new Ledger(path)
    if (!isNew && (await exists(path))) {
      for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
        const entry = parsed(line)
        if (entry) ledger.#entries.set(...entry)
      }
    }
    // Written anew: a line that a kill has cut must not run into the next.
    if (await exists(path)) await writeOutput(path, ledger.#lines(), environment)
    return ledger
  }

  /** The figures of an unchanged file; `madeBy` names the model, the program and what else the figures depend on. */
  async find(input: string, madeBy: string): Promise<Evaluation | undefined> {
    const found = this.#entries.get(await keyOf(input, madeBy))
    return found && { ...found, input, codes: found.codes.map(fromBase64) }
  }

  async add(evaluation: Evaluation, madeBy: string): Promise<void> {
    const entry: Entry = [
      await keyOf(evaluation.input, madeBy),
      { ...evaluation, codes: evaluation.codes.map(toBase64) },
    ]
    await mkdir(dirname(this.#path), { recursive: true })
    await appendFile(this.#path, `${JSON.stringify(entry)}\n`)
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true })
  }

  async *#lines(): AsyncGenerator<Uint8Array> {
    for (const entry of this.#entries) yield Buffer.from(`${JSON.stringify(entry)}\n`)
  }
}

async function keyOf(input: string, madeBy: string): Promise<string> {
  const { size, mtimeMs } = await stat(input)
  return [resolve(input), size, mtimeMs, madeBy].join('|')
}

function parsed(line: string): Entry | undefined {
  try {
    const entry: unknown = JSON.parse(line)
    return Array.isArray(entry) && entry.length === 2 ? (entry as Entry) : undefined
  } catch {
    return undefined
  }
}

function toBase64(codes: Uint16Array): string {
  const bytes = Buffer.alloc(2 * codes.length)
  codes.forEach((code, t) => {
    bytes.writeUInt16LE(code, 2 * t)
  })
  return bytes.toString('base64')
}

function fromBase64(text: string): Uint16Array {
  const bytes = Buffer.from(text, 'base64')
  return Uint16Array.from({ length: bytes.length / 2 }, (_, t) => bytes.readUInt16LE(2 * t))
}
