import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type BytesInput, byteSource } from '../../src/checkpoints/bytes.js'
import { AbortError } from '../../src/errors.js'
import { rejects } from './build.js'

const DATA = Uint8Array.from({ length: 1000 }, (_, i) => i % 251)
const folder = mkdtempSync(join(tmpdir(), 'wavtok-bytes-'))
const path = join(folder, 'data.bin')
const server = createServer((request, response) => {
  if (request.url === '/short') {
    response.writeHead(200, { 'content-length': 2000 }).write(DATA)
    setTimeout(() => response.destroy(), 20)
  } else if (request.url === '/slow') response.writeHead(200).write(DATA)
  else if (request.url === '/missing') response.writeHead(404).end('<html>no such file</html>')
  else response.writeHead(200, { 'content-length': DATA.length }).end(DATA)
})
const url = (route: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${route}`
const stream = (...chunks: unknown[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk as Uint8Array)
      controller.close()
    },
  })

const test = suite('bytes')
test.before(() => {
  writeFileSync(path, DATA)
  return new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
})
test.after(() => {
  rmSync(folder, { recursive: true })
  server.closeAllConnections()
  server.close()
})

test('every kind of input gives the same ranges', async () => {
  const padded = new Uint8Array([9, 9, ...DATA])
  const inputs: [name: string, input: BytesInput][] = [
    ['path', path],
    ['file URL', pathToFileURL(path)],
    ['file URL as text', pathToFileURL(path).href],
    ['http URL', url('/')],
    ['data URL', `data:application/octet-stream;base64,${Buffer.from(DATA).toString('base64')}`],
    ['ArrayBuffer', DATA.slice().buffer],
    ['typed array at an offset', padded.subarray(2)],
    ['DataView', new DataView(padded.buffer, 2)],
    ['Blob', new Blob([DATA])],
    ['File', new File([DATA], 'model.bin')],
    ['Response', await fetch(url('/'))],
    ['stream', stream(DATA.slice(0, 3), DATA.slice(3))],
    ['ByteSource', await byteSource(DATA)],
  ]
  for (const [name, input] of inputs) {
    const source = await byteSource(input)
    assert.is(source.size, 1000, name)
    assert.equal(Array.from(await source.read(500, 7)), Array.from(DATA.slice(500, 507)), name)
    assert.is((await source.read(1000, 0)).length, 0, name)
    for (const [offset, length] of [
      [999, 2],
      [-1, 2],
      [0, -1],
      [Number.NaN, 1],
      [1001, 0],
    ])
      await rejects(() => source.read(offset, length), /has 1000 bytes/, `${name} ${offset} ${length}`)
    await source.close()
  }
})

test('what cannot be opened says why', async () => {
  await rejects(() => byteSource(join(folder, 'absent.bin')), /cannot open .*absent\.bin: ENOENT/)
  await rejects(() => byteSource(folder), /is a directory; pass a file/)
  await rejects(() => byteSource(url('/missing')), /answered 404/)
  await rejects(() => byteSource(url('/short')), /broke off after 1000 bytes|ended after 1000 of 2000 bytes/)
  await rejects(() => byteSource('http://127.0.0.1:1/x'), /cannot open http:\/\/127\.0\.0\.1:1\/x: /)
  await rejects(() => byteSource(stream('text')), /yields strings/)
  await rejects(() => byteSource(3 as unknown as string), /expected a path, URL, .* found number/)
  await rejects(() => byteSource(null as unknown as string), /found object/)
  const short = new Response(stream(DATA), { headers: { 'content-length': '1001' } })
  await rejects(() => byteSource(short), /ended after 1000 of 1001 bytes/)
})

test('a content-length of a terabyte allocates nothing of the kind', async () => {
  const response = new Response(stream(DATA), { headers: { 'content-length': String(2 ** 40) } })
  await rejects(() => byteSource(response), /ended after 1000 of 1099511627776 bytes/)
})

test('progress counts up to the total', async () => {
  const seen: [number, number | undefined][] = []
  const response = new Response(stream(DATA.slice(0, 400), DATA.slice(400)), {
    headers: { 'content-length': '1000' },
  })
  await byteSource(response, { onProgress: ({ loaded, total }) => seen.push([loaded, total]) })
  assert.equal(seen, [
    [400, 1000],
    [1000, 1000],
  ])
  seen.length = 0
  await byteSource(stream(DATA), { onProgress: ({ loaded, total }) => seen.push([loaded, total]) })
  assert.equal(seen, [[1000, undefined]])
})

test('a stream larger than the first buffer arrives whole', async () => {
  const chunk = new Uint8Array(700_000).fill(7)
  const source = await byteSource(stream(chunk, chunk, chunk, new Uint8Array([1, 2])))
  assert.is(source.size, 2_100_002)
  assert.equal(Array.from(await source.read(2_099_999, 3)), [7, 1, 2])
})

test('an abort ends a download, before and during', async () => {
  const gone = AbortSignal.abort()
  const during = () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 30)
    return controller.signal
  }
  const endless = () => new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) })
  for (const [input, signal] of [
    [url('/slow'), during()],
    [url('/slow'), gone],
    [endless(), during()],
    [path, gone],
  ] as const) {
    try {
      await byteSource(input, { signal })
      assert.unreachable('nothing was thrown')
    } catch (error) {
      assert.instance(error, AbortError)
    }
  }
})

test.run()
