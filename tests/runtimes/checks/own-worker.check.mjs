// createWorkerTokenizer from the packed package: worker_threads, Deno's and Bun's workers, by URL from another origin, built by Vite.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build } from 'vite'
import { runScript } from '../hosts/process.mjs'
import { CDN, launch, withPage } from '../support/chromium.mjs'
import { attachWorkspace, fixture, here } from '../support/workspace.mjs'

const { app, library } = await attachWorkspace()
const { codes } = JSON.parse(readFileSync(join(here, 'expected.json'), 'utf8'))
const test = suite('createWorkerTokenizer')
let browser

const encode = (library, wav, source) => `
import { createWorkerTokenizer } from '${library}'
const tokenizer = await createWorkerTokenizer(${source}, { deterministic: true })
const tokens = await tokenizer.encode(${wav})
tokenizer.dispose()
`

for (const runtime of ['node', 'node24', 'deno', 'bun'])
  test(runtime, async () => {
    const script = join(app, `own-worker-${runtime}.mjs`)
    const wav = `readFileSync('${fixture}')`
    const code = encode('wavtok', wav, 'undefined')
    writeFileSync(
      script,
      `import { readFileSync } from 'node:fs'${code}console.log(tokens.codes[0].join(' '))`,
    )
    assert.is((await runScript(runtime, script, [], app)).trim(), codes)
  })

/** A page that puts its tokens into its title. */
function writePage(name, code) {
  const folder = join(app, name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><title>-</title><script type="module" src="./main.js"></script>',
  )
  writeFileSync(join(folder, 'main.js'), `${code}document.title = tokens.codes[0].join(' ')`)
  writeFileSync(join(folder, 'speech.wav'), readFileSync(fixture))
  return folder
}

async function title(page) {
  await page.waitForFunction(() => document.title !== '-', undefined, { timeout: 20_000 })
  return page.title()
}

const fetched = "new Uint8Array(await (await fetch('./speech.wav')).arrayBuffer())"

test.before(async () => {
  browser = await launch()
})
test.after(() => browser.close())

test('by URL, from another origin', async () => {
  const folder = writePage('own-worker-url', encode(`${CDN}dist/browser.js`, fetched, 'undefined'))
  assert.is(await withPage(browser, folder, library, title), codes)
})

test('Vite', async () => {
  const weights = "import weights from 'wavtok/weights/mini-24k-75.safetensors?url'\n"
  const source = 'new URL(weights, import.meta.url)'
  const root = writePage('own-worker-vite', weights + encode('wavtok', fetched, source))
  const outDir = join(root, 'dist')
  await build({ root, base: './', logLevel: 'warn', build: { outDir, target: 'es2022' } })
  writeFileSync(join(outDir, 'speech.wav'), readFileSync(fixture))
  assert.is(await withPage(browser, outDir, library, title), codes)
})

test.run()
