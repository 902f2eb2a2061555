// Downloads and the cache against a server that breaks off, changes its mind, lies or is gone.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AbortError,
  CheckpointError,
  type LoadOptions,
  loadTokenizer,
  type ModelCache,
  type Progress,
} from '../src/index.js'
import { type FileServer, serveFiles } from './support/file_server.js'
import { testFile } from './support/model.js'
import { rejects } from './support/rejects.js'

const MODEL = readFileSync(testFile('vectors/wavtokenizer/micro-folded.safetensors'))
const CHECKPOINT = readFileSync(testFile('vectors/wavtokenizer/tiny-75.ckpt'))
const YAML = readFileSync(testFile('vectors/wavtokenizer/tiny-75.yaml'))
const SHA256 = createHash('sha256').update(MODEL).digest('hex')
const home = mkdtempSync(join(tmpdir(), 'wavtok-cache-'))
const folder = join(home, 'wavtok')

interface Context {
  server: FileServer
}
const test = suite<Context>('cache')
test.before.each(async context => {
  rmSync(folder, { recursive: true, force: true })
  process.env.XDG_CACHE_HOME = home
  context.server = await serveFiles({
    'model.safetensors': MODEL,
    'tiny.ckpt': CHECKPOINT,
    'tiny.yaml': YAML,
  })
})
test.after.each(({ server }) => server.close())
test.after(() => rmSync(home, { recursive: true, force: true }))

const kept = () => {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

async function load(url: string, options: LoadOptions = {}): Promise<void> {
  const tokenizer = await loadTokenizer(url, { deterministic: true, ...options })
  assert.is((await tokenizer.encode(new Float32Array(640))).frames, 640 / tokenizer.info.hopLength)
  tokenizer.dispose()
}

test('a file is downloaded once, then found without the network', async ({ server }) => {
  const url = `${server.url}/model.safetensors`
  const seen: Progress[] = []
  await load(`${url}#fragment`, { onProgress: progress => seen.push(progress) })
  const downloads = seen.filter(({ phase }) => phase === 'download')
  assert.equal(downloads.at(-1), { phase: 'download', loaded: MODEL.length, total: MODEL.length })
  assert.is(kept().length, 1)
  assert.match(kept()[0], /^[\da-f]{24}-model\.safetensors$/)
  assert.equal(readFileSync(join(folder, kept()[0])), MODEL)
  await load(url)
  assert.equal(server.requests, ['model.safetensors'])
  await server.close()
  await load(url)
  await rejects(
    () => load(`${server.url}/tiny.ckpt`),
    CheckpointError,
    /cannot download .*tiny\.ckpt: .*; it is not in .*wavtok yet, so the network is needed this once/,
  )
  server.close = async () => {}
})

test('a checkpoint and its YAML from URLs', async ({ server }) => {
  const urls = [`${server.url}/tiny.ckpt?download=true`, new URL(`${server.url}/tiny.yaml`)]
  for (const _ of [1, 2]) (await loadTokenizer(urls)).dispose()
  assert.equal([...server.requests].sort(), ['tiny.ckpt', 'tiny.yaml'])
  assert.is(kept().length, 2)
})

test('a connection that breaks is gone on with', async ({ server }) => {
  server.behaviour.breakAfter = 100_000
  const seen: number[] = []
  await load(`${server.url}/model.safetensors`, {
    onProgress: ({ phase, loaded }) => phase === 'download' && seen.push(loaded),
  })
  const [first, ...others] = server.requests
  assert.is(first, 'model.safetensors')
  assert.ok(others.length >= 2, 'what was on its way when the connection broke may be lost')
  for (const request of others) assert.match(request, /bytes=\d+-$/)
  assert.equal(
    seen,
    [...seen].sort((a, b) => a - b),
  )
  assert.is(kept().length, 1)
})

test('a download that was given up, aborted or orphaned by a crash is gone on with later', async ({
  server,
}) => {
  const url = `${server.url}/model.safetensors`
  const resumes = async () => {
    server.behaviour.breakAfter = undefined
    server.behaviour.pause = undefined
    server.requests.length = 0
    await load(url)
    assert.is(server.requests.length, 1)
    assert.match(server.requests[0], /bytes=\d{5,}-$/)
    assert.is(kept().length, 1)
    rmSync(folder, { recursive: true })
  }
  server.behaviour.breakAfter = 100_000
  const onProgress = ({ loaded }: Progress) => {
    if (loaded > 40_000) server.behaviour.breakAfter = 0
  }
  await rejects(() => load(url, { onProgress }), CheckpointError, /broke off after \d{5,6} bytes.*try again/)
  assert.match(kept().join(), /~idle$/)
  await resumes()

  server.behaviour.pause = 5
  const stop = new AbortController()
  const abort = ({ loaded }: Progress) => loaded > 60_000 && stop.abort()
  await rejects(() => load(url, { signal: stop.signal, onProgress: abort }), AbortError, /aborted/)
  assert.match(kept().join(), /~idle$/)
  const [draft] = kept()
  const orphan = join(folder, draft.replace('~idle', '~0123456789ab'))
  renameSync(join(folder, draft), orphan)
  utimesSync(orphan, new Date(0), new Date(0))
  await resumes()
})

test('what another process is writing is left alone', async ({ server }) => {
  const url = `${server.url}/model.safetensors`
  server.behaviour.pause = 5
  const stop = new AbortController()
  await load(url, { signal: stop.signal, onProgress: ({ loaded }) => loaded > 60_000 && stop.abort() }).catch(
    () => {},
  )
  const [idle] = kept()
  renameSync(join(folder, idle), join(folder, idle.replace('~idle', '~0123456789ab')))
  server.requests.length = 0
  await load(url)
  assert.equal(server.requests, ['model.safetensors'])
  assert.is(kept().length, 2)
})

test('it starts again where the file has changed, or the server cannot go on', async ({ server }) => {
  const url = `${server.url}/model.safetensors`
  const changes: (() => void)[] = [
    () => Object.assign(server.behaviour, { etag: '"v2"' }),
    () => Object.assign(server.behaviour, { ranges: false }),
    () => server.files.set('model.safetensors', MODEL.subarray(0, 50)),
  ]
  for (const change of changes) {
    Object.assign(server.behaviour, { etag: '"v1"', ranges: true, pause: 5 })
    const stop = new AbortController()
    await load(url, {
      signal: stop.signal,
      onProgress: ({ loaded }) => loaded > 60_000 && stop.abort(),
    }).catch(() => {})
    assert.is(kept().length, 1)
    change()
    const isShort = server.files.get('model.safetensors')!.length === 50
    if (isShort) await rejects(() => load(url), CheckpointError, /safetensors header/)
    else await load(url)
    assert.is(kept().length, isShort ? 0 : 1)
    rmSync(folder, { recursive: true })
  }
})

test('without a strong ETag nothing half is kept', async ({ server }) => {
  const url = `${server.url}/model.safetensors`
  for (const etag of [undefined, 'W/"weak"']) {
    Object.assign(server.behaviour, { etag, breakAfter: 100_000 })
    await rejects(() => load(url), CheckpointError, /broke off after \d+ bytes/)
    assert.equal(kept(), [])
    assert.ok(server.requests.every(request => !request.includes('bytes')))
  }
  server.behaviour.breakAfter = undefined
  await load(url)
})

test('what is no model, or not all of one, is not kept', async ({ server }) => {
  const url = `${server.url}/model.safetensors`
  Object.assign(server.behaviour, { silentlyShort: true, breakAfter: 200_000 })
  await rejects(() => load(url), CheckpointError, /model\.safetensors: .*truncated/)
  await rejects(() => load(`${server.url}/tiny.ckpt`), CheckpointError, /tiny\.ckpt: .*truncated/)
  Object.assign(server.behaviour, { silentlyShort: false, breakAfter: undefined })
  server.files.set('model.safetensors', new TextEncoder().encode('<!doctype html><title>Log in</title>'))
  await rejects(() => load(url), CheckpointError, /web page/)
  server.files.delete('model.safetensors')
  await rejects(() => load(url), CheckpointError, /answered 404 Not Found for http/)
  server.behaviour.status = 503
  await rejects(() => load(url), CheckpointError, /answered 503/)
  assert.equal(kept(), [])
})

test('SHA-256: another file is refused, and a kept one that differs is replaced', async ({ server }) => {
  const url = `${server.url}/model.safetensors`
  const other = '0'.repeat(64)
  await rejects(
    () => load(url, { sha256: other }),
    CheckpointError,
    new RegExp(`SHA-256 ${SHA256}, expected 0+`),
  )
  assert.equal(kept(), [])
  await load(url, { sha256: SHA256.toUpperCase() })
  await load(url, { sha256: SHA256 })
  assert.is(server.requests.length, 2)
  const changed = Uint8Array.from(MODEL)
  changed[changed.length - 1] ^= 1
  server.files.set('model.safetensors', changed)
  await load(url)
  assert.is(server.requests.length, 2, 'kept as it was')
  await load(url, { sha256: createHash('sha256').update(changed).digest('hex') })
  assert.is(server.requests.length, 3)
  await rejects(() => loadTokenizer(MODEL, { sha256: other }), CheckpointError, /the file .*expected 0+/)
  const urls = [`${server.url}/tiny.ckpt`, `${server.url}/tiny.yaml`]
  await rejects(() => loadTokenizer(urls, { sha256: [undefined, other] }), CheckpointError, /tiny\.yaml/)
})

test('a damaged file in the cache is replaced', async ({ server }) => {
  const url = `${server.url}/model.safetensors`
  await load(url)
  const path = join(folder, kept()[0])
  for (const damage of [MODEL.subarray(0, 1000), new Uint8Array(0)]) {
    writeFileSync(path, damage)
    await load(url)
    assert.equal(readFileSync(path), MODEL)
  }
  assert.is(server.requests.length, 3)
})

test('at once, in one process and in several', async ({ server }) => {
  const url = `${server.url}/model.safetensors`
  server.behaviour.pause = 2
  await Promise.all(Array.from({ length: 5 }, () => load(url)))
  assert.is(kept().length, 1)
  rmSync(folder, { recursive: true })
  const script = `import { loadTokenizer } from ${JSON.stringify(testFile('../dist/index.js'))}
    const { info } = await loadTokenizer(${JSON.stringify(url)})
    process.exitCode = info.family === 'wavtokenizer' ? 0 : 1`
  const codes = await Promise.all(
    [1, 2, 3].map(
      () =>
        new Promise(resolve => {
          const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
          child.on('exit', resolve)
        }),
    ),
  )
  assert.equal(codes, [0, 0, 0])
  assert.equal(
    kept().map(name => readFileSync(join(folder, name)).length),
    [MODEL.length],
  )
})

test('cache: false keeps nothing; a disk that cannot be written to does not matter', async ({ server }) => {
  const url = `${server.url}/model.safetensors`
  await load(url, { cache: false })
  assert.equal(kept(), [])
  process.env.XDG_CACHE_HOME = '/dev/null/nowhere'
  await load(url)
  await load(url)
  assert.is(server.requests.length, 3)
  await server.close()
  await rejects(() => load(url, { cache: false }), CheckpointError, /cache, which is switched off/)
  server.close = async () => {}
})

test('a cache of the caller', async ({ server }) => {
  const url = `${server.url}/model.safetensors`
  const stored = new Map<string, Uint8Array>()
  const cache: ModelCache = {
    match: async key => stored.get(key),
    put: async (key, bytes) => stored.set(key, bytes.slice()),
  }
  await load(url, { cache })
  await load(url, { cache })
  assert.equal([...stored.keys()], [url])
  assert.is(server.requests.length, 1)
  stored.set(url, MODEL.subarray(0, 5000))
  await load(url, { cache })
  assert.is(stored.get(url)!.length, MODEL.length)
  assert.equal(kept(), [])
  const full = async () => {
    throw new Error('quota exceeded')
  }
  await load(url, { cache: { match: full, put: full } })
})

test('the Cache API where there is one', async ({ server }) => {
  const url = `${server.url}/model.safetensors`
  const stored = new Map<string, Response>()
  const opened: string[] = []
  const cache = {
    match: async (key: string) => stored.get(key)?.clone(),
    put: async (key: string, response: Response) => void stored.set(key, response),
    delete: async (key: string) => stored.delete(key),
  }
  const open = async (name: string) => {
    opened.push(name)
    return cache
  }
  Object.assign(globalThis, { caches: { open } })
  try {
    await load(url)
    await load(url, { sha256: SHA256 })
    assert.is(server.requests.length, 1)
    assert.equal([...new Set(opened)], ['wavtok-models'])
    assert.equal(kept(), [])
    stored.set(url, new Response(MODEL.subarray(0, 1000)))
    await load(url)
    assert.is(server.requests.length, 2)
    await server.close()
    await load(url)
    server.close = async () => {}
  } finally {
    Object.assign(globalThis, { caches: undefined })
  }
})

test('the default model is held to the description beside it', async () => {
  const pack = join(home, 'package')
  mkdirSync(join(pack, 'weights'), { recursive: true })
  for (const part of ['dist', 'package.json'])
    cpSync(testFile(`../${part}`), join(pack, part), { recursive: true })
  const weights = join(pack, 'weights/mini-24k-75.safetensors')
  const description = join(pack, 'weights/mini-24k-75.json')
  writeFileSync(weights, MODEL)
  const { loadTokenizer: loadFrom } = await import(join(pack, 'dist/index.js'))
  const attempt = () => loadFrom() as ReturnType<typeof loadTokenizer>
  assert.is((await attempt()).info.family, 'wavtokenizer', 'weights alone')
  writeFileSync(
    description,
    JSON.stringify({ file: 'mini-24k-75.safetensors', sha256: SHA256, bytes: MODEL.length }),
  )
  await attempt()
  const changed = Uint8Array.from(MODEL)
  changed[changed.length - 1] ^= 1
  writeFileSync(weights, changed)
  await rejects(attempt, Error, new RegExp(`mini-24k-75\\.safetensors .* expected ${SHA256}`))
  writeFileSync(description, '{}')
  await rejects(attempt, Error, /is not JSON with its `sha256`/)
})

test.run()
