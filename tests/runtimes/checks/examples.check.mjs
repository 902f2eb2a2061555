// examples/ other than the worker: scripts in their runtimes, pages in Chromium.
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build } from 'vite'
import { runScript } from '../hosts/process.mjs'
import { launch, withPage } from '../support/chromium.mjs'
import { attachWorkspace, fixture, here } from '../support/workspace.mjs'

const { app, library } = await attachWorkspace()
const at = (...path) => join(app, 'examples', ...path)
const { codes } = JSON.parse(readFileSync(join(here, 'expected.json'), 'utf8'))
const expected = codes.split(' ')
const head = new RegExp(`${expected.length} tokens.*: ${expected.slice(0, 8).join(' ')}`)

const scripts = suite('example scripts')

for (const [runtime, script] of [
  ['node', 'node/roundtrip.js'],
  ['node24', 'node/roundtrip.js'],
  ['deno', 'deno/roundtrip.ts'],
  ['bun', 'bun/roundtrip.ts'],
])
  scripts(`${script} in ${runtime}`, async () => {
    const output = at(`${runtime}.wav`)
    assert.match(await runScript(runtime, at(script), [fixture, output], app), head)
    assert.is(statSync(output).size, 44 + 2 * 320 * expected.length)
  })

scripts('node/stream.js', () => {
  const pcm = readFileSync(fixture).subarray(44)
  const { stdout, stderr } = spawnSync(process.execPath, [at('node/stream.js')], {
    input: pcm,
    encoding: 'utf8',
  })
  assert.is(stderr, '')
  const lines = stdout.trim().split('\n')
  assert.ok(lines.length > 3, `${lines.length} lines`)
  assert.is(lines.join(' '), codes)
})

scripts.run()

const pages = suite('example pages')
let browser

pages.before(async () => {
  browser = await launch()
})
pages.after(() => browser.close())

/** Waits for a text in #status. */
const status = (page, pattern) =>
  page.waitForFunction(
    source => {
      const element = document.getElementById('status')
      const text = element.value ?? element.textContent
      return new RegExp(source).test(text) && text
    },
    pattern,
    { timeout: 20_000 },
  )

async function chooseFile(page) {
  await page.setInputFiles('#file', fixture)
  const shown = await (await status(page, '^(?!Working|Choose)')).jsonValue()
  assert.match(shown, head)
  const duration = await page.waitForFunction(() => document.querySelector('audio').duration || undefined)
  assert.ok(Math.abs((await duration.jsonValue()) - (320 * expected.length) / 24_000) < 0.01)
}

pages('script-tag', () => withPage(browser, at('script-tag'), library, chooseFile))

pages('vite', async () => {
  const outDir = at('vite/dist')
  await build({ root: at('vite'), base: './', logLevel: 'warn', build: { outDir, emptyOutDir: true } })
  await withPage(browser, outDir, library, chooseFile)
})

pages('microphone', () =>
  withPage(browser, at('microphone'), library, async page => {
    await page.click('#record')
    await status(page, '^[1-9][0-9]+ tokens$')
    await page.waitForTimeout(1000)
    await page.click('#record')
    const done = await (await status(page, 'tokens, ')).jsonValue()
    const [, tokens, seconds] = done.match(/^(\d+) tokens, ([\d.]+) s$/)
    assert.ok(seconds >= 1 && tokens >= 75, done)
    await page.click('#play')
    await status(page, '^Playing')
  }),
)

pages.run()
