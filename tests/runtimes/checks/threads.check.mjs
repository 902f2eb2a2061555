// `threads: 2` from the packed package: the bytes of one thread in every runtime, with and without dispose; one thread where memory cannot be shared.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runScript } from '../hosts/process.mjs'
import { launch } from '../support/chromium.mjs'
import { serve } from '../support/static-server.mjs'
import { attachWorkspace, fixture, here } from '../support/workspace.mjs'

const { app, library } = await attachWorkspace()
const expected = JSON.parse(readFileSync(join(here, 'expected.json'), 'utf8'))
const test = suite('threads')

const program = dispose => `import { readFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { loadTokenizer } from 'wavtok'
const tokenizer = await loadTokenizer(undefined, { deterministic: true, threads: 2 })
const tokens = await tokenizer.encode(readFileSync('${fixture}'))
const { samples } = await tokenizer.decode(tokens)
const { threads } = tokenizer.info
${dispose ? 'tokenizer.dispose()' : ''}
const hash = createHash('sha256').update(new Uint8Array(samples.buffer)).digest('hex')
console.log(JSON.stringify({ threads, codes: tokens.codes[0].join(' '), hash }))`

for (const runtime of ['node', 'node24', 'deno', 'bun'])
  for (const dispose of [true, false])
    test(`${runtime}, ${dispose ? 'disposed' : 'left to the end of the process'}`, async () => {
      const script = join(app, `threads-${runtime}-${dispose}.mjs`)
      writeFileSync(script, program(dispose))
      const { threads, codes, hash } = JSON.parse(await runScript(runtime, script, [], app))
      assert.is(threads, 2)
      assert.is(codes, expected.codes)
      assert.is(hash, expected.samples)
    })

async function inPage(address) {
  const { loadTokenizer } = await import(`${address}/dist/browser.js`)
  const tokenizer = await loadTokenizer(undefined, { deterministic: true, threads: 2 })
  const wav = new Uint8Array(await (await fetch('/speech.wav')).arrayBuffer())
  const tokens = await tokenizer.encode(wav)
  const { samples } = await tokenizer.decode(tokens)
  const { threads } = tokenizer.info
  tokenizer.dispose()
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', samples))
  const hash = Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('')
  return { threads, codes: tokens.codes[0].join(' '), hash }
}

const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'cross-origin',
}

for (const [kind, headers, threads] of [
  ['a cross-origin isolated page', ISOLATED, 2],
  ['another page', {}, 1],
])
  test(`Chromium, ${kind}`, async () => {
    const [site, cdn, browser] = await Promise.all([serve(app, headers), serve(library, headers), launch()])
    try {
      const page = await browser.newPage()
      await page.goto(`${site.address}/blank.html`)
      const result = await page.evaluate(inPage, cdn.address)
      assert.is(result.threads, threads)
      assert.is(result.codes, expected.codes)
      assert.is(result.hash, expected.samples)
    } finally {
      await Promise.all([browser.close(), site.close(), cdn.close()])
    }
  })

test.run()
