// `wavtok encode --stdin-jsonl`: a request a line in, a reply a line out, in the same order. What Spark's pipe, GNU parallel or any
// program that keeps a worker process needs: the model is loaded once, a request that fails does not end the others.
import { readFile } from 'node:fs/promises'
import { WavtokError } from '../index.js'
import { type Arguments, codebooksOption, modelFiles, threadsOption } from './arguments.js'
import { decodeAudio } from './audio_file.js'
import { type Environment, PipeClosed, type Tokenizer, UsageError } from './environment.js'
import { describeError } from './text.js'

/** A longer line is refused without being kept: 192 MiB of audio as base64. */
const MOST_CHARACTERS = 1 << 28

/** `wav`: the bytes of an audio file in base64; else `path` of one. `id` comes back as it is. */
interface Request {
  id?: unknown
  path?: string
  wav?: string
}

/** A line that asks for nothing that can be done. */
class RequestError extends Error {
  readonly code = 'REQUEST'
}

const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/

/** Answers until stdin ends. @returns the exit code, 0: failures are told in their replies. */
export async function encodeLines(
  args: Arguments,
  environment: Environment,
  longest = MOST_CHARACTERS,
): Promise<number> {
  if (args.inputs.length > 0 || args.output !== undefined || args.format !== undefined)
    throw new UsageError(
      '--stdin-jsonl reads its inputs from stdin and writes to stdout; it goes without IN, -o and --format',
    )
  const codebooks = codebooksOption(args)
  const threads = threadsOption(args)
  const { signal } = environment
  let tokenizer: Tokenizer | undefined
  try {
    let number = 0
    for await (const line of lines(environment, longest)) {
      number++
      if (line === '') continue // nothing was asked
      tokenizer ??= await environment.loadTokenizer(modelFiles(args), { signal, threads }) // without a model nothing can be answered
      let id: unknown
      try {
        const request = parse(line)
        id = request.id
        const figures = await reply(tokenizer, await bytesOf(request), { codebooks, signal })
        await answer(environment, { id, status: 'done', ...figures })
      } catch (error) {
        if (signal.aborted || error instanceof PipeClosed) throw error
        await answer(environment, { id, status: 'failed', line: number, error: described(error) })
      }
    }
    return 0
  } finally {
    tokenizer?.dispose()
  }
}

function answer({ stdout }: Environment, reply: object): Promise<void> {
  return stdout.write(`${JSON.stringify(reply)}\n`)
}

function described(error: unknown): { code?: string; message: string } {
  if (error instanceof RequestError) return { code: error.code, message: error.message }
  const code = error instanceof WavtokError ? error.code : (error as NodeJS.ErrnoException).code
  return { code, message: describeError(error) }
}

async function reply(
  tokenizer: Tokenizer,
  bytes: Uint8Array,
  options: { codebooks?: number; signal: AbortSignal },
) {
  const { channels, sampleRate } = await decodeAudio(bytes)
  const tokens = await tokenizer.encode(channels, { sampleRate, ...options })
  const { model, frames, codebookSizes, strides, frameRate } = tokens
  return {
    model,
    audioSeconds: channels[0].length / sampleRate,
    frames,
    frameRate,
    sampleRate: tokens.sampleRate,
    codebookSizes,
    ...(strides && { strides }),
    codes: tokens.codes.map(codes => Array.from(codes)),
  }
}

function parse(line: string | RequestError): Request {
  if (line instanceof RequestError) throw line
  let request: unknown
  try {
    request = JSON.parse(line)
  } catch (error) {
    throw new RequestError(`not valid JSON: ${(error as Error).message}`)
  }
  if (typeof request !== 'object' || request === null || Array.isArray(request))
    throw new RequestError(
      `a request is an object such as {"id": 1, "path": "speech.wav"}; found ${line.slice(0, 40)}`,
    )
  return request
}

async function bytesOf({ path, wav }: Request): Promise<Uint8Array> {
  if ((typeof path === 'string') === (typeof wav === 'string'))
    throw new RequestError('a request has either "path", of an audio file, or "wav", its bytes in base64')
  if (typeof path === 'string') return readFile(path)
  if (!BASE64.test(wav!)) throw new RequestError('"wav" is not base64')
  return Buffer.from(wav!, 'base64')
}

/** The lines of stdin without their ends; an Error in place of one that is too long. */
async function* lines(
  { stdin, signal }: Environment,
  longest: number,
): AsyncGenerator<string | RequestError> {
  const decoder = new TextDecoder()
  let parts: string[] = []
  let length = 0
  const take = (): string | RequestError => {
    const line =
      length > longest ? new RequestError(`a line of more than ${longest} characters`) : parts.join('').trim()
    parts = []
    length = 0
    return line
  }
  const chunks = stdin[Symbol.asyncIterator]()
  const interrupted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  for (;;) {
    const { done, value } = await Promise.race([chunks.next(), interrupted])
    const pieces = (done ? decoder.decode() : decoder.decode(value, { stream: true })).split('\n')
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) yield take()
      length += piece.length
      if (length <= longest) parts.push(piece)
      else parts = []
    }
    if (done) break
  }
  if (length > 0) yield take()
}
