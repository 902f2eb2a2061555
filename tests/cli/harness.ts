import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { encodeWav } from '../../src/audio/index.js'
import { type Environment, type Output, PipeClosed, type Tokenizer } from '../../src/cli/environment.js'
import { run } from '../../src/cli/run.js'
import { throwIfAborted } from '../../src/errors.js'
import { AudioTokens, type BytesInput } from '../../src/index.js'

export const HOP = 320
const FORMAT = { codebookSizes: [4096], frameRate: 75, sampleRate: 24000, model: 'fake' }

/** A tokenizer whose code is the mean of a frame and whose audio is that mean again; counts its calls. */
export class FakeTokenizer implements Tokenizer {
  calls = 0
  isDisposed = false
  /** Called in every encode and decode, to fail or to interrupt. */
  onCall = () => {}

  readonly info = {
    ...FORMAT,
    family: 'fake',
    hopLength: HOP,
    codebooks: 1,
    bitrate: 900,
    parameters: 12,
    dtype: 'f32',
    encoderDtype: 'f32',
    canEncode: true,
    canDecode: true,
    build: 'baseline',
    threads: 1,
    memoryBytes: 65536,
    config: { dim: 3 },
  } as Tokenizer['info']

  encode: Tokenizer['encode'] = async (audio, options = {}) => {
    this.#called(options)
    const [samples] = audio as Float32Array[]
    const frames = Math.ceil((samples.length * 24000) / (options.sampleRate ?? 24000) / HOP)
    const step = samples.length / frames
    const codes = Array.from({ length: frames }, (_, t) =>
      Math.round(2048 + 2047 * samples[Math.floor(t * step)]),
    )
    for (let share = 0; share <= 1; share += 0.25)
      options.onProgress?.({ phase: 'encode', loaded: share, total: 1 })
    return new AudioTokens([codes], FORMAT)
  }

  decode: Tokenizer['decode'] = async (tokens, options = {}) => {
    this.#called(options)
    const { codes } =
      tokens instanceof AudioTokens ? tokens : new AudioTokens(tokens as readonly ArrayLike<number>[], FORMAT)
    const samples = Float32Array.from(
      { length: codes[0].length * HOP },
      (_, i) => (codes[0][Math.floor(i / HOP)] - 2048) / 2047,
    )
    options.onProgress?.({ phase: 'decode', loaded: 1, total: 1 })
    return { samples, sampleRate: 24000 }
  }

  dispose = () => {
    this.isDisposed = true
  }

  #called({ signal }: { signal?: AbortSignal }): void {
    this.calls++
    this.onCall()
    throwIfAborted(signal)
  }
}

/** Collects what is written; `closeAfter` writes the reader goes away. */
export class FakeOutput implements Output {
  readonly parts: Uint8Array[] = []
  isTerminal = false
  columns = 80
  closeAfter = Number.POSITIVE_INFINITY

  async write(data: string | Uint8Array): Promise<void> {
    if (this.parts.length >= this.closeAfter) throw new PipeClosed()
    this.parts.push(typeof data === 'string' ? new TextEncoder().encode(data) : data)
  }

  get bytes(): Buffer {
    return Buffer.concat(this.parts)
  }

  get text(): string {
    return this.bytes.toString()
  }
}

/** A temporary directory, a fake tokenizer and captured streams around one `run`. */
export class Bench {
  readonly root = mkdtempSync(join(tmpdir(), 'wavtok-cli-'))
  readonly tokenizer = new FakeTokenizer()
  readonly interrupt = new AbortController()
  stdout = new FakeOutput()
  stderr = new FakeOutput()
  stdin: Iterable<Uint8Array> | AsyncIterable<Uint8Array> = []
  /** Milliseconds by which the clock advances whenever it is read. */
  tick = 1
  /** Loads models that are none of the fake ones. */
  loadReal?: Environment['loadTokenizer']
  /** Called when a model is loaded, to fail. */
  onLoad = () => {}
  loads: (readonly BytesInput[] | undefined)[] = []
  threads: (number | undefined)[] = []

  /** Runs `wavtok ...args`; words that begin with @ are paths below the temporary directory. */
  async run(...args: string[]): Promise<number> {
    this.stdout = Object.assign(new FakeOutput(), { closeAfter: this.stdout.closeAfter })
    this.stderr = Object.assign(new FakeOutput(), { isTerminal: this.stderr.isTerminal })
    let clock = 0
    const { stdin } = this
    const environment: Environment = {
      version: '1.2.3',
      stdin: (async function* () {
        yield* stdin
      })(),
      stdout: this.stdout,
      stderr: this.stderr,
      signal: this.interrupt.signal,
      now: () => (clock += this.tick),
      loadTokenizer: async (source, options) => {
        const { threads } = options
        this.loads.push(source)
        if (this.loadReal) return this.loadReal(source, options)
        this.threads.push(threads)
        this.onLoad()
        return this.tokenizer
      },
      evaluatorThread: new URL('../../dist/cli/eval.thread.js', import.meta.url),
      loadWorker: async source => {
        this.loads.push(source)
        return this.tokenizer
      },
    }
    return run(
      args.map(word => (word.startsWith('@') ? this.path(word.slice(1)) : word)),
      environment,
    )
  }

  path(name: string): string {
    return join(this.root, name)
  }

  write(name: string, content: string | Uint8Array): string {
    mkdirSync(dirname(this.path(name)), { recursive: true })
    writeFileSync(this.path(name), content)
    return this.path(name)
  }

  /** A WAV file of a rising ramp. */
  wav(name: string, samples = 3 * HOP, sampleRate = 24000): Uint8Array {
    const ramp = Float32Array.from({ length: samples }, (_, i) => i / samples)
    const { bytes } = encodeWav(ramp, sampleRate)
    this.write(name, bytes)
    return bytes
  }

  read(name: string): Buffer {
    return readFileSync(this.path(name))
  }

  /** Every file below the temporary directory, sorted. */
  get files(): string[] {
    const entries = readdirSync(this.root, { recursive: true, withFileTypes: true })
    return entries
      .filter(entry => !entry.isDirectory())
      .map(entry => join(entry.parentPath, entry.name).slice(this.root.length + 1))
      .sort()
  }

  get json(): Record<string, unknown>[] {
    return this.stdout.text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** A test with a bench that is cleared away afterwards. */
export function withBench(body: (bench: Bench) => Promise<void>): () => Promise<void> {
  return async () => {
    const bench = new Bench()
    try {
      await body(bench)
    } finally {
      bench.close()
    }
  }
}
