// examples/worker in workerd.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { memoryOf, newestDate, startWorker } from '../support/workerd.mjs'
import { attachWorkspace } from '../support/workspace.mjs'

const MIB = 2 ** 20
const { app, library, model, wav } = await attachWorkspace()
const { AudioTokens, loadTokenizer } = await import(join(library, 'dist/index.js'))
const folder = join(app, 'examples/worker')
const configured = readFileSync(join(folder, 'wrangler.toml'), 'utf8').match(/date = "(.*)"/)[1]

for (const compatibilityDate of ['2024-09-01', configured, newestDate]) {
  const test = suite(`worker ${compatibilityDate}`)
  let worker
  const post = (path, body, headers) =>
    worker.dispatchFetch(`http://worker${path}`, { method: 'POST', body, headers })

  test.before(async () => {
    worker = await startWorker(join(folder, 'worker.js'), { compatibilityDate, inspectorPort: 0 })
  })
  test.after(() => worker.dispose())

  test('encodes to the tokens of the library and decodes to its samples, in pieces', async () => {
    const tokenizer = await loadTokenizer()
    const encoded = await post('/encode', wav)
    assert.is(encoded.status, 200)
    const tokens = AudioTokens.from(await encoded.json())
    assert.is(tokens.frames, 386)
    const decoded = await post('/decode', JSON.stringify(tokens))
    assert.is(decoded.headers.get('content-type'), 'audio/wav')
    let pieces = 0
    let length = 0
    for await (const piece of decoded.body) {
      pieces++
      length += piece.length
    }
    const { samples } = await tokenizer.decode(tokens)
    tokenizer.dispose()
    assert.is(length, 44 + 2 * samples.length)
    assert.ok(pieces > 1, `${pieces} pieces`)
  })

  test('writes and reads .npy', async () => {
    const json = await (await post('/encode', wav)).json()
    const byHeader = await post('/encode', wav, { accept: 'application/x-npy' })
    const npy = new Uint8Array(await (await post('/encode?format=npy', wav)).arrayBuffer())
    assert.equal(new Uint8Array(await byHeader.arrayBuffer()), npy)
    assert.is(String.fromCharCode(...npy.subarray(1, 6)), 'NUMPY')
    const [a, b] = await Promise.all([post('/decode', npy), post('/decode', JSON.stringify(json))])
    assert.equal(await a.arrayBuffer(), await b.arrayBuffer())
  })

  const refused = [
    ['no audio', 'POST', '/encode', 'hello', 400, /hel|68 65/],
    ['an empty body', 'POST', '/encode', '', 400, /empty/],
    ['a cut WAV header', 'POST', '/encode', wav.subarray(0, 20), 400, /WAV/],
    ['no tokens', 'POST', '/decode', wav, 400, /WAV file/],
    ['a code out of range', 'POST', '/decode', '[1, 2, 60000]', 400, /60000/],
    [
      "another model's tokens",
      'POST',
      '/decode',
      '{"model":"x","sampleRate":24000,"frameRate":75,"codebookSizes":[4096],"codes":[[1]]}',
      400,
      /made by x/,
    ],
    ['a large body', 'POST', '/encode', new Uint8Array(5 * MIB), 413, /4194304/],
    ['GET', 'GET', '/encode', undefined, 405, /POST/],
    ['an unknown path', 'GET', '/x', undefined, 404, /\/x/],
  ]
  for (const [what, method, path, body, status, message] of refused)
    test(`answers ${status} to ${what}`, async () => {
      const response = await worker.dispatchFetch(`http://worker${path}`, { method, body })
      const { error } = await response.json()
      assert.is(response.status, status, error)
      assert.match(error, message)
    })

  test('GET / explains', async () => {
    assert.match(await (await worker.dispatchFetch('http://worker/')).text(), /curl/)
  })

  test('serves a burst of 30 within 128 MB', async () => {
    const burst = Promise.all(
      Array.from({ length: 30 }, async () => {
        const encoded = await post('/encode', wav)
        const decoded = await post('/decode', await encoded.text())
        return [encoded.status, decoded.status, (await decoded.arrayBuffer()).byteLength].join()
      }),
    )
    const peak = await memoryOf(worker, burst)
    const answers = await burst
    assert.equal(answers, Array(30).fill(`200,200,${44 + 2 * 386 * 320}`))
    const { heap, buffers } = peak
    const weights = statSync(model).size // a data module, which the inspector does not count
    const inAll = heap + buffers + weights
    const [js, wasm, data, sum] = [heap, buffers, weights, inAll].map(bytes => (bytes / 1e6).toFixed(1))
    console.log(`  ${sum} MB: JS heap ${js}, WebAssembly memory and buffers ${wasm}, weights ${data}`)
    assert.ok(inAll < 128e6, `${sum} MB`)
  })

  test.run()
}
