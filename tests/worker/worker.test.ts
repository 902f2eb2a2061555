// createWorkerTokenizer against the built worker, in a thread of Node.
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AbortError,
  AudioError,
  AudioTokens,
  CheckpointError,
  ConfigError,
  createWorkerTokenizer,
  DisposedError,
  loadTokenizer,
  type Progress,
  TokenError,
  WorkerError,
  type WorkerOptions,
} from '../../src/index.js'
import { identical } from '../support/compare.js'
import { serveFiles } from '../support/file_server.js'
import { concat, testFile } from '../support/model.js'
import { randomArray } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const MODEL = testFile('vectors/wavtokenizer/tiny-75.ckpt')
const bytes = new Uint8Array(readFileSync(MODEL))
const clip = randomArray(48_000, 1, 0.3)
const local = await loadTokenizer(MODEL, { deterministic: true })
const expected = await local.encode(clip)
const audio = (await local.decode(expected)).samples

/** A tokenizer in a worker, and the worker. */
async function open(options: WorkerOptions = {}) {
  let worker: Worker | undefined
  const createWorker = () => {
    worker = new Worker(testFile('../dist/worker.node.js'))
    return worker
  }
  const tokenizer = await createWorkerTokenizer(MODEL, { deterministic: true, createWorker, ...options })
  return { tokenizer, worker: worker! }
}

test('every method gives what it gives without a worker', async () => {
  using tokenizer = await createWorkerTokenizer(MODEL, { deterministic: true })
  assert.equal({ ...tokenizer.info, memoryBytes: 0 }, { ...local.info, memoryBytes: 0 })
  const tokens = await tokenizer.encode(clip)
  assert.instance(tokens, AudioTokens)
  assert.equal(tokens.toJSON(), expected.toJSON())
  for (const input of [tokens, tokens.codes[0], [...tokens.codes[0]], tokens.codes])
    identical((await tokenizer.decode(input)).samples, audio)
  identical(
    (await tokenizer.decode(tokens, { chunkSeconds: 0.5 })).samples,
    (await local.decode(tokens, { chunkSeconds: 0.5 })).samples,
  )
  identical(await tokenizer.embed(tokens), await local.embed(tokens))
  identical(await tokenizer.features(clip), await local.features(clip))
  const channels = [clip, randomArray(clip.length, 2, 0.3)]
  const buffer = { numberOfChannels: 2, sampleRate: 44_100, getChannelData: (c: number) => channels[c] }
  assert.equal((await tokenizer.encode(buffer)).codes, (await local.encode(buffer)).codes)
  const wav = new Uint8Array(readFileSync(testFile('fixtures/speech-16k.wav')))
  assert.equal((await tokenizer.encode(wav)).codes, (await local.encode(wav)).codes)
  assert.is(tokenizer.info.memoryBytes % 65_536, 0)
  assert.ok(tokenizer.info.memoryBytes > 4 * tokenizer.info.parameters)
})

test('the state of a session moves from a worker to the main thread', async () => {
  using tokenizer = await createWorkerTokenizer(MODEL, { deterministic: true })
  const session = await tokenizer.encodeSession()
  const first = (await session.push(clip.subarray(0, 30_001)))!
  const saved = await session.save()
  await session.close()
  const next = await local.encodeSession()
  await next.restore(saved)
  const others = [await next.push(clip.subarray(30_001)), await next.end()]
  assert.equal(first.concat(...others.filter(part => part !== undefined)).codes, expected.codes)
  const third = await tokenizer.encodeSession()
  await third.restore(saved)
  assert.equal((await third.push(clip.subarray(30_001)))!.codes, others[0]!.codes)
  await rejects(() => third.restore(saved), ConfigError, /before anything is pushed/)
  await third.close()
})

test('bytes, a Blob, a Response, a stream and a list load alike', async () => {
  const sources = [
    bytes,
    new Blob([bytes]),
    new Response(bytes),
    new Blob([bytes]).stream(),
    [new URL(`file://${MODEL}`), testFile('vectors/wavtokenizer/tiny-75.yaml')],
  ]
  for (const source of sources) {
    using tokenizer = await createWorkerTokenizer(source, { deterministic: true })
    assert.equal((await tokenizer.encode(clip)).codes, expected.codes)
  }
  assert.is(bytes.length, readFileSync(MODEL).length, 'the caller keeps its bytes')
})

test('transfer moves, and what comes back is always moved', async () => {
  const moved = bytes.slice()
  using tokenizer = await createWorkerTokenizer(moved, { deterministic: true, transfer: true })
  assert.is(moved.length, 0)
  const samples = clip.slice()
  assert.equal((await tokenizer.encode(samples, { transfer: true })).codes, expected.codes)
  assert.is(samples.length, 0)
  const kept = clip.slice()
  await tokenizer.encode(kept)
  assert.is(kept.length, clip.length)
  await rejects(() => tokenizer.encode(samples), WorkerError, /cannot be sent to a worker: .*detached/)
})

test('several clips queue in order, and streams run between them', async () => {
  const { tokenizer } = await open()
  const done: number[] = []
  const long = randomArray(240_000, 3, 0.3)
  const note = (index: number) => (tokens: AudioTokens) => {
    done.push(index)
    return tokens
  }
  const calls = [long, clip, clip.subarray(0, 100)].map((one, i) => tokenizer.encode(one).then(note(i)))
  const streamed: number[] = []
  for await (const tokens of tokenizer.encodeStream([clip.subarray(0, 777), clip.subarray(777)]))
    streamed.push(...tokens.codes[0])
  const [first, second] = await Promise.all(calls)
  assert.equal(done, [0, 1, 2])
  assert.equal(first.codes, (await local.encode(long)).codes)
  assert.equal(second.codes, expected.codes)
  assert.equal(streamed, [...expected.codes[0]])
  tokenizer.dispose()
})

test('decoder streams and transform streams', async () => {
  const { tokenizer } = await open()
  const options = { windowSeconds: 0.5, contextSeconds: 0.25 }
  const collect = async (results: AsyncIterable<{ samples: Float32Array }>) => {
    const parts: Float32Array[] = []
    for await (const { samples } of results) parts.push(samples)
    return concat(parts)
  }
  identical(
    await collect(tokenizer.decodeStream([expected], options)),
    await collect(local.decodeStream([expected], options)),
  )
  const codes: number[] = []
  const writing = tokenizer.encoderStream({ sampleRate: 16_000 })
  const writer = writing.writable.getWriter()
  void writer.write(clip).then(() => writer.close())
  const reader = writing.readable.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read())
    codes.push(...next.value.codes[0])
  assert.equal(codes, [...(await local.encode(clip, { sampleRate: 16_000 })).codes[0]])
  tokenizer.dispose()
})

test('streams that end early give their memory back', async () => {
  const { tokenizer } = await open()
  for (let i = 0; i < 3; i++) for await (const _ of tokenizer.encodeStream([clip, clip])) break
  await tokenizer.encode(clip)
  const { memoryBytes } = tokenizer.info
  for (let i = 0; i < 20; i++) for await (const _ of tokenizer.encodeStream([clip, clip])) break
  const stop = new AbortController()
  const results = tokenizer.encodeStream([clip, clip, clip], { signal: stop.signal })
  await results.next()
  stop.abort()
  await rejects(() => results.next(), AbortError, /aborted/)
  await tokenizer.encode(clip)
  assert.is(tokenizer.info.memoryBytes, memoryBytes)
  tokenizer.dispose()
})

test('progress is told, an abort ends the call at once and the worker goes on', async () => {
  const seen: Progress[] = []
  const { tokenizer } = await open({ onProgress: progress => seen.push(progress) })
  assert.ok(seen.some(({ phase }) => phase === 'weights'))
  const long = randomArray(24_000 * 120, 3, 0.3)
  const stop = new AbortController()
  let told = 0
  const onProgress = () => {
    told++
    stop.abort('changed my mind')
  }
  const start = performance.now()
  const aborted = tokenizer.encode(long, { signal: stop.signal, onProgress })
  const after = tokenizer.encode(clip)
  await rejects(() => aborted, AbortError, /aborted/)
  assert.is(told, 1)
  assert.equal((await after).codes, expected.codes)
  const spent = performance.now() - start
  const whole = performance.now()
  await tokenizer.encode(long)
  assert.ok(spent < performance.now() - whole, `${spent} ms until the next clip was done`)
  await rejects(() => tokenizer.encode(clip, { signal: AbortSignal.abort() }), AbortError, /aborted/)
  tokenizer.dispose()
})

test('errors keep their class, message and code', async () => {
  const { tokenizer } = await open()
  await rejects(() => tokenizer.encode(new Float32Array(0)), AudioError, /empty/)
  await rejects(() => tokenizer.decode([64]), TokenError, /code 64 at frame 0/)
  await rejects(() => tokenizer.decodeStream([[64]]).next(), TokenError, /code 64/)
  await rejects(() => tokenizer.decodeStream([[1]], { windowSeconds: -1 }).next(), ConfigError, /positive/)
  const error = await tokenizer.embed([1.5]).catch((cause: unknown) => cause)
  assert.is((error as TokenError).code, 'TOKENS')
  assert.match((error as Error).stack!, /worker|chunk/)
  await rejects(() => createWorkerTokenizer('/nowhere/at/all.ckpt'), CheckpointError, /cannot open/)
  await rejects(
    () => createWorkerTokenizer(MODEL, { model: 'nonesuch' }),
    ConfigError,
    /unknown model family/,
  )
  tokenizer.dispose()
})

test('a worker that crashes or is ended rejects what is pending and what comes later', async () => {
  const ends: ((worker: Worker) => unknown)[] = [
    worker => worker.terminate(),
    worker => worker.postMessage(null), // no request: throws outside a call
  ]
  for (const end of ends) {
    const { tokenizer, worker } = await open()
    const pending = [tokenizer.encode(randomArray(24_000 * 60, 3, 0.3)), tokenizer.encode(clip)]
    const streamed = tokenizer.encodeStream([clip]).next()
    void end(worker)
    for (const call of [...pending, streamed])
      await rejects(() => call, WorkerError, /the worker failed: .*; create another one/)
    await rejects(() => tokenizer.encode(clip), WorkerError, /the worker failed/)
    assert.throws(() => tokenizer.info, /the worker failed/)
    tokenizer.dispose()
  }
})

test('a worker that cannot start', async () => {
  const absent = () => new Worker(testFile('../dist/no-such-file.js'))
  await rejects(() => createWorkerTokenizer(MODEL, { createWorker: absent }), WorkerError, /worker failed: /)
  await rejects(
    () => createWorkerTokenizer(MODEL, { createWorker: () => ({}) }),
    WorkerError,
    /cannot be started: expected a Worker.*workerUrl or createWorker/,
  )
  await rejects(
    () => createWorkerTokenizer(MODEL, { workerUrl: 'https://example.invalid/worker.js' }),
    WorkerError,
    /cannot be started|failed/,
  )
})

test('dispose ends the worker and rejects what is pending', async () => {
  const { tokenizer, worker } = await open()
  const exited = new Promise(resolve => worker.on('exit', resolve))
  const pending = tokenizer.encode(randomArray(24_000 * 60, 3, 0.3))
  tokenizer.dispose()
  tokenizer.dispose()
  await rejects(() => pending, DisposedError, /disposed/)
  await rejects(() => tokenizer.encode(clip), DisposedError, /disposed/)
  worker.ref()
  await exited
})

test('a cache of the caller is asked on this side', async () => {
  const server = await serveFiles({ 'tiny.ckpt': bytes })
  const asked: string[] = []
  const cache = {
    match: async (url: string) => {
      asked.push(url)
      return undefined
    },
    put: async (url: string) => asked.push(url),
  }
  const url = `${server.url}/tiny.ckpt`
  using tokenizer = await createWorkerTokenizer(url, { cache, deterministic: true })
  assert.equal((await tokenizer.encode(clip)).codes, expected.codes)
  assert.equal(asked, [url, url])
  await server.close()
})

test.run()
