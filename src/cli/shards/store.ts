// What is kept on disk so that a run can be killed at any moment and go on: finished shards, a journal that says what each holds, and a
// spool of what the next one will hold, a line per input in order. The journal's line is written when its shard is whole.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { appendFile, mkdir, open, readdir, rename, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../environment.js'
import { exists } from '../files.js'
import type { ShardFormat } from './formats.js'
import { type Sample, type SpooledSample, unspooled } from './sample.js'

/** An input that gave no tokens, and why. */
export interface Failed {
  readonly input: string
  readonly error: string
}

/** What became of one input. */
export type Outcome = { readonly sample: SpooledSample } | { readonly failed: Failed }

type SpoolLine = Outcome & { readonly at: number }

/** The journal's first line. */
interface Head {
  readonly madeBy: string
}

interface JournalLine {
  readonly shard?: string
  readonly samples: number
  /** Inputs that this and all earlier shards account for. */
  readonly inputs: number
  /** SHA-256 of their paths. */
  readonly paths: string
  readonly failed: readonly Failed[]
}

const JOURNAL = 'wavtok-journal.jsonl'
const SPOOL = 'wavtok-spool.jsonl'
const FAILED = 'failed.jsonl'

export class ShardStore {
  readonly #folder: string
  readonly #format: ShardFormat
  readonly #paths: readonly string[]
  readonly #hash = createHash('sha256')
  #hashed = 0
  #shards = 0
  /** Inputs in finished shards. */
  #covered = 0
  /** Bytes and lines of the spool. */
  #spooled = { inputs: 0, bytes: 0, samples: 0 }
  readonly failed: Failed[] = []

  private constructor(folder: string, format: ShardFormat, paths: readonly string[]) {
    this.#folder = folder
    this.#format = format
    this.#paths = paths
  }

  /**
   * Opens a folder, and what an earlier run left in it. `madeBy`: everything that the shards depend on but the inputs.
   * @throws UsageError where it holds something else
   */
  static async open(
    folder: string,
    format: ShardFormat,
    paths: readonly string[],
    madeBy: string,
    isNew: boolean,
  ): Promise<ShardStore> {
    await mkdir(folder, { recursive: true })
    const store = new ShardStore(folder, format, paths)
    if (isNew) await store.#clear()
    for (const name of await readdir(folder))
      if (/^\.wavtok-.*\.tmp$/.test(name)) await rm(join(folder, name))
    const [head, ...lines] = await readLines<JournalLine | Head>(store.#at(JOURNAL))
    if (head === undefined) await store.#begin(madeBy)
    else if ((head as Head).madeBy !== madeBy)
      throw new UsageError(
        `${folder} holds shards of another model, format or size; choose another -o, or --force`,
      )
    for (const line of lines) store.#follow(line as JournalLine)
    await store.#readSpool()
    return store
  }

  /** Inputs that are done, in shards or in the spool. */
  get done(): number {
    return this.#covered + this.#spooled.inputs
  }

  get shards(): number {
    return this.#shards
  }

  /** Takes what became of the next input; `size`: what its sample adds, 0 for a failure. */
  async add(outcome: Outcome, size: number, bound: number): Promise<void> {
    const { samples, bytes } = this.#spooled
    if (samples > 0 && bytes + size > bound) await this.#seal()
    await appendFile(this.#at(SPOOL), `${JSON.stringify({ ...outcome, at: this.done })}\n`)
    this.#count(outcome, size)
  }

  /** Writes the last shard and the list of failures. */
  async finish(): Promise<void> {
    if (this.#spooled.inputs > 0) await this.#seal()
    const list = this.failed.map(one => `${JSON.stringify(one)}\n`).join('')
    if (list) await this.#write(FAILED, Buffer.from(list))
    else await rm(this.#at(FAILED), { force: true })
  }

  #count(outcome: Outcome, size: number): void {
    const { inputs, bytes, samples } = this.#spooled
    const isSample = 'sample' in outcome
    this.#spooled = { inputs: inputs + 1, bytes: bytes + size, samples: samples + Number(isSample) }
  }

  async #seal(): Promise<void> {
    const name = `shard-${String(this.#shards).padStart(6, '0')}.${this.#format.extension}`
    const failed: Failed[] = []
    const samples = this.#spooledSamples(failed)
    const count = this.#spooled.samples
    if (count) await this.#write(name, this.#format.file(samples))
    else for await (const _ of samples);
    const inputs = this.done
    const line = {
      ...(count && { shard: name }),
      samples: count,
      inputs,
      paths: this.#pathsTo(inputs),
      failed,
    }
    await this.#append(JOURNAL, `${JSON.stringify(line)}\n`)
    this.#follow(line)
    await rm(this.#at(SPOOL), { force: true })
    this.#spooled = { inputs: 0, bytes: 0, samples: 0 }
  }

  /** The samples of the next shard; failures between them go into `failed`. */
  async *#spooledSamples(failed: Failed[]): AsyncGenerator<Sample> {
    for await (const [text] of wholeLines(this.#at(SPOOL))) {
      const line = JSON.parse(text) as SpoolLine
      if (line.at < this.#covered) continue // of a shard that was whole when the run was killed
      if ('sample' in line) yield unspooled(line.sample)
      else failed.push(line.failed)
    }
  }

  #follow({ shard, inputs, paths, failed }: JournalLine): void {
    if (inputs > this.#paths.length || this.#pathsTo(inputs) !== paths)
      throw new UsageError(`${this.#folder} holds shards of other inputs; choose another -o, or --force`)
    if (shard) this.#shards++
    this.#covered = inputs
    this.failed.push(...failed)
  }

  #pathsTo(inputs: number): string {
    for (; this.#hashed < inputs; this.#hashed++) this.#hash.update(`${this.#paths[this.#hashed]}\n`)
    return this.#hash.copy().digest('hex')
  }

  /** Keeps the lines of the spool that are whole and follow each other, and cuts off the rest. */
  async #readSpool(): Promise<void> {
    const path = this.#at(SPOOL)
    if (!(await exists(path))) return
    let length = 0
    for await (const [text, end] of wholeLines(path)) {
      const line = parsed<SpoolLine>(text)
      if (!line || line.at > this.done) break
      if (line.at === this.done) {
        const size = 'sample' in line ? this.#format.bytesOf(unspooled(line.sample)) : 0
        this.#count(line, size)
      }
      length = end
    }
    await truncate(path, length)
  }

  async #begin(madeBy: string): Promise<void> {
    await this.#write(JOURNAL, Buffer.from(`${JSON.stringify({ madeBy })}\n`))
  }

  async #clear(): Promise<void> {
    const ours = /^(?:shard-\d{6}\.|wavtok-(?:journal|spool)\.jsonl$|failed\.jsonl$)/
    for (const name of await readdir(this.#folder)) if (ours.test(name)) await rm(this.#at(name))
  }

  async #append(name: string, text: string): Promise<void> {
    const file = await open(this.#at(name), 'a')
    try {
      await file.write(text)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** Whole or not at all. */
  async #write(name: string, pieces: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const temporary = this.#at(`.wavtok-${name}.tmp`)
    const file = await open(temporary, 'w')
    try {
      if (pieces instanceof Uint8Array) await file.write(pieces)
      else for await (const piece of pieces) await file.write(piece)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, this.#at(name))
  }

  #at(name: string): string {
    return join(this.#folder, name)
  }
}

/** Lines that a newline ends, and where each ends. */
async function* wholeLines(path: string): AsyncGenerator<[line: string, end: number]> {
  let end = 0
  let rest = Buffer.alloc(0)
  for await (const chunk of createReadStream(path)) {
    rest = Buffer.concat([rest, chunk as Buffer])
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      end += at + 1
      yield [rest.toString('utf8', 0, at), end]
      rest = rest.subarray(at + 1)
    }
  }
}

/** The lines of a file of ours; one that a kill has cut is taken away, so that the next does not run into it. */
async function readLines<T>(path: string): Promise<T[]> {
  if (!(await exists(path))) return []
  const lines: T[] = []
  let length = 0
  for await (const [text, end] of wholeLines(path)) {
    const line = parsed<T>(text)
    if (line === undefined) break
    lines.push(line)
    length = end
  }
  await truncate(path, length)
  return lines
}

/** Undefined for a line that a kill has cut. */
function parsed<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}
