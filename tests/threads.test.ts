// Several threads: the same results bit for bit, and every way in which they can be missing or get lost.
import { execFileSync } from 'node:child_process'
import type { Worker } from 'node:worker_threads'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError, DisposedError, type LoadOptions, loadTokenizer, WorkerError } from '../src/index.js'
import { identical } from './support/compare.js'
import { testFile } from './support/model.js'
import { randomArray } from './support/random.js'
import { rejects } from './support/rejects.js'

const MODEL = testFile('vectors/wavtokenizer/tiny-75.ckpt')
const clip = randomArray(48_000, 1, 0.3)

/** Tokens, features and audio of the clip. */
async function results(options: LoadOptions, model?: string) {
  using tokenizer = await loadTokenizer(model, options)
  const tokens = await tokenizer.encode(clip)
  const { samples } = await tokenizer.decode(tokens)
  return { threads: tokenizer.info.threads, tokens, samples, features: await tokenizer.features(clip) }
}

const DTYPES: readonly LoadOptions[] = [
  { deterministic: true },
  {},
  { dtype: 'f16', encoderDtype: 'f16', deterministic: true },
  { dtype: 'q8', encoderDtype: 'q8', deterministic: true },
  { dtype: 'q12', encoderDtype: 'q12', deterministic: true },
]

for (const model of [MODEL, undefined])
  for (const options of DTYPES)
    test(`${model ? 'wavtokenizer' : 'the default model'}, ${JSON.stringify(options)}: 2 and 3 threads equal one`, async () => {
      const one = await results(options, model)
      assert.is(one.threads, 1)
      for (const threads of [2, 3]) {
        const several = await results({ ...options, threads }, model)
        assert.is(several.threads, threads)
        assert.equal(several.tokens.codes, one.tokens.codes)
        identical(several.features, one.features)
        identical(several.samples, one.samples)
      }
    })

/** The workers that `step` starts. */
async function workersOf<T>(step: () => Promise<T>): Promise<{ result: T; workers: Worker[] }> {
  const workers: Worker[] = []
  const note = (worker: Worker) => workers.push(worker)
  process.on('worker', note)
  const result = await step()
  process.off('worker', note)
  return { result, workers }
}

const ended = (worker: Worker) => new Promise(resolve => worker.once('exit', resolve))

test('dispose ends the threads', async () => {
  const { result: tokenizer, workers } = await workersOf(() => loadTokenizer(MODEL, { threads: 2 }))
  const pending = rejects(() => tokenizer.encode(clip), DisposedError, /disposed/)
  tokenizer.dispose()
  await pending
  await Promise.all(workers.map(ended))
})

test('a model that does not load leaves no threads', async () => {
  const { workers } = await workersOf(async () => {
    await rejects(() => loadTokenizer(MODEL, { threads: 2, dtype: 'q7' as never }), ConfigError, /./)
  })
  assert.is(workers.length, 1)
  await Promise.all(workers.filter(worker => worker.threadId > 0).map(ended))
})

test('a thread that dies is an error, not a hang', async () => {
  const { result: tokenizer, workers } = await workersOf(() => loadTokenizer(MODEL, { threads: 2 }))
  const tokens = await tokenizer.encode(clip)
  await workers[0].terminate()
  await rejects(
    () => tokenizer.decode(tokens),
    WorkerError,
    /a thread is gone: it exited .*load the tokenizer again/,
  )
  await rejects(() => tokenizer.encode(clip), WorkerError, /a thread is gone/)
  tokenizer.dispose()
})

test('threads: a whole number', async () => {
  for (const threads of [0, -1, 1.5, 65, Number.NaN, '2' as never])
    await rejects(() => loadTokenizer(MODEL, { threads }), ConfigError, /whole number from 1 to 64/)
})

/** What a process of its own prints. It fails where the process does not end by itself. */
function printed(script: string): string {
  const prelude = `import { loadTokenizer } from ${JSON.stringify(testFile('../dist/index.js'))}\n`
  const options = { encoding: 'utf8', timeout: 30_000 } as const
  return execFileSync(process.execPath, ['--input-type=module', '-e', prelude + script], options).trim()
}

const COUNT = `const t = await loadTokenizer(undefined, { threads: 2 })
  console.log(t.info.threads + ' ' + (await t.encode(new Float32Array(4800))).frames)`

test('without dispose the process ends all the same', () => {
  assert.is(printed(COUNT), '2 15')
})

test('without shared memory one thread computes', () => {
  assert.is(printed(`delete globalThis.SharedArrayBuffer\n${COUNT}`), '1 15')
})

test('where no worker starts one thread computes', () => {
  assert.is(
    printed(`globalThis.Worker = class { constructor() { throw new Error('no') } }\n${COUNT}`),
    '1 15',
  )
})

test.run()
