import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { type Environment, UsageError } from './environment.js'

/** Stands for standard input or output in place of a path. */
export const PIPE = '-'

/** One file's work: read `input`, write `output`; `-` is a pipe. */
export interface Job {
  readonly input: string
  /** Undefined: nothing is written. */
  readonly output?: string
  /** The output's name was made from the input's: an existing file is kept unless --force. */
  readonly isDerived: boolean
}

/** How a verb names its files. */
export interface Naming {
  /** Files taken from directories, such as ['.wav']. */
  readonly extensions: readonly string[]
  /** Name of the output in an output directory, made of the input's name without extension. */
  named(stem: string): string
  /** Name of the output beside the input; undefined: nothing is written unless -o says where. */
  besides?(stem: string): string
}

interface Found {
  readonly path: string
  /** Path below the directory that was named, to be repeated below the output directory. */
  readonly below: string
}

/**
 * What to do for these inputs and -o.
 *
 * @throws UsageError when two inputs would write the same file, a file would overwrite its input, or a pipe is given twice
 */
export async function planJobs(
  inputs: readonly string[],
  output: string | undefined,
  naming: Naming,
): Promise<Job[]> {
  if (inputs.length === 0) throw new UsageError('no input was given')
  if (inputs.filter(input => input === PIPE).length > 1)
    throw new UsageError(`'${PIPE}' (stdin) can be read only once`)
  const found = (await Promise.all(inputs.map(input => expand(input, naming.extensions)))).flat()
  const isSingle = inputs.length === 1 && found.length === 1 && found[0].path === inputs[0]
  const isFolder =
    output !== undefined &&
    output !== PIPE &&
    (!isSingle || /[\\/]$/.test(output) || (await isDirectory(output)))
  if (output === PIPE && !isSingle)
    throw new UsageError('several results cannot go to one pipe; give a directory with -o')
  const jobs = found.map(({ path, below }): Job => {
    const stem = path === PIPE ? 'stdin' : basename(path, extname(path))
    if (isFolder)
      return { input: path, output: join(output, dirname(below), naming.named(stem)), isDerived: true }
    if (output !== undefined) return { input: path, output, isDerived: false }
    if (!naming.besides) return { input: path, isDerived: false }
    if (path === PIPE) return { input: path, output: PIPE, isDerived: false }
    return { input: path, output: join(dirname(path), naming.besides(stem)), isDerived: true }
  })
  checkCollisions(jobs)
  return jobs
}

async function expand(input: string, extensions: readonly string[]): Promise<Found[]> {
  if (input === PIPE || !(await isDirectory(input))) return [{ path: input, below: basename(input) }]
  const entries = await readdir(input, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter(entry => !entry.isDirectory() && extensions.includes(extname(entry.name).toLowerCase()))
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
  if (paths.length === 0) {
    throw new UsageError(
      `the directory ${input} has no ${extensions.map(extension => `*${extension}`).join(' or ')}`,
    )
  }
  return paths.map(path => ({ path, below: relative(input, path) }))
}

function checkCollisions(jobs: readonly Job[]): void {
  const inputs = new Set(jobs.map(job => resolve(job.input)))
  const writers = new Map<string, string>()
  for (const { input, output } of jobs) {
    if (output === undefined || output === PIPE) continue
    const path = resolve(output)
    if (inputs.has(path))
      throw new UsageError(`${output} is an input and would be overwritten; choose another -o`)
    const other = writers.get(path)
    if (other !== undefined) throw new UsageError(`${other} and ${input} would both be written to ${output}`)
    writers.set(path, input)
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}

/** True if there is something at this path already. */
export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}

/** The whole of a file, or of stdin for `-`. */
export async function readInput(path: string, environment: Environment): Promise<Uint8Array> {
  const { stdin, signal } = environment
  return path === PIPE ? readAll(stdin, signal) : readFile(path, { signal })
}

async function readAll(stream: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Uint8Array> {
  signal.throwIfAborted()
  const parts: Uint8Array[] = []
  const chunks = stream[Symbol.asyncIterator]()
  // A pipe may stay silent for ever; an interrupt must end the wait.
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  for (;;) {
    const { done, value } = await Promise.race([chunks.next(), interrupted])
    if (done) return Buffer.concat(parts)
    parts.push(value)
  }
}

/**
 * Writes a whole file, or stdout for `-`, at once or piece by piece. A file gets a temporary name in the same directory and is then renamed, so that no half
 * file is ever seen under its name; missing directories are made.
 */
export async function writeOutput(
  path: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  environment: Environment,
): Promise<void> {
  if (path === PIPE) return writePieces(bytes, environment)
  const { signal } = environment
  const old = await stat(path).catch(() => undefined)
  // A device such as /dev/null must not be replaced by a file.
  if (old && !old.isFile() && !old.isDirectory()) return writeFile(path, bytes, { signal })
  const target = old ? await realpath(path) : path
  await mkdir(dirname(target), { recursive: true })
  const temporary = join(dirname(target), `.wavtok-${process.pid}-${randomBytes(6).toString('hex')}.tmp`)
  try {
    await writeFile(temporary, bytes, { signal, flag: 'wx' })
    signal.throwIfAborted()
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function writePieces(
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  { stdout }: Environment,
): Promise<void> {
  if (bytes instanceof Uint8Array) return stdout.write(bytes)
  for await (const piece of bytes) await stdout.write(piece)
}
