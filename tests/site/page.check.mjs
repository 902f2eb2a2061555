// npm run test:site: the page in Chromium, from its build on. Needs what `npm run runtimes` installs.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { buildSite } from '../../scripts/site.mjs'
import { decodeWav } from '../../src/audio/index.js'
import { decodeTokens } from '../../src/codes/index.js'
import { launch } from '../runtimes/support/chromium.mjs'
import { serve } from '../runtimes/support/static-server.mjs'

const root = join(import.meta.dirname, '../..')
const fixture = name => join(root, 'tests/fixtures', name)
const axe = readFileSync(
  createRequire(join(root, 'tests/runtimes/package.json')).resolve('axe-core/axe.min.js'),
  'utf8',
)
/** JavaScript of the page and its worker with both builds of the core and every family, compressed; a visitor downloads one build and one family of it. */
const MAX_GZIP_BYTES = 150_000

const test = suite('page')
const folder = mkdtempSync(join(tmpdir(), 'wavtok-site-'))
let browser
let site
let scripts

test.before(async () => {
  scripts = await buildSite(join(folder, 'site'))
  site = await serve(join(folder, 'site'))
  browser = await launch()
})
test.after(async () => {
  await browser?.close()
  await site?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A test on a page of its own; errors in the page fail it. */
function onPage(name, visit) {
  test(name, async () => {
    const page = await browser.newPage()
    const errors = []
    page.on('pageerror', error => errors.push(error.message))
    page.setDefaultTimeout(30_000)
    await page.goto(`${site.address}/?deterministic`)
    await visit(page)
    assert.equal(errors, [])
    await page.close()
  })
}

async function openFile(page, name, input = '#file') {
  await page.setInputFiles(input, name)
  await settled(page)
}

/** Waits until nothing is computed any more. */
async function settled(page) {
  await page.waitForFunction(() => document.body.ariaBusy === 'false')
}

const tokenCount = async page => Number((await page.textContent('#facts dd')).split(' ')[0])
const seconds = async page => Number((await page.textContent('#time')).match(/^\d+:([\d.]+)/)[1])

async function downloaded(page, label) {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.click(`#downloads button:has-text("${label}")`),
  ])
  return readFileSync(await download.path())
}

test('scripts stay small', () => {
  const bytes = scripts.reduce((sum, [, , gzip]) => sum + gzip, 0)
  assert.ok(bytes < MAX_GZIP_BYTES, `${bytes} bytes`)
})

onPage('the example is encoded, decoded and shown', async page => {
  await page.click('#example')
  await page.waitForSelector('#stage:not([hidden])')
  await settled(page)
  assert.match(await page.textContent('#model-name'), /default model: mini, \d\.\d M parameters/)
  assert.is(await tokenCount(page), 386)
  assert.is(await page.textContent('#clip-name'), 'example.wav')
  assert.is(await page.locator('#sizes tr').count(), 5)
  assert.is(await page.evaluate(() => document.activeElement.id), 'play')
})

onPage('tokens are those of the command line, in every file', async page => {
  const file = join(folder, 'cli.json')
  const cli = [
    '--import',
    'tsx',
    'src/cli/main.ts',
    'encode',
    fixture('speech-16k.wav'),
    '-o',
    file,
    '--json',
  ]
  execFileSync(process.execPath, cli, { cwd: root })
  const expected = JSON.parse(readFileSync(file, 'utf8'))
  await openFile(page, fixture('speech-16k.wav'))
  const tokens = JSON.parse(await downloaded(page, 'speech-16k.json'))
  assert.equal(tokens, expected)
  for (const name of ['wtok', 'npy']) {
    const stored = decodeTokens(await downloaded(page, `speech-16k.${name}`))
    assert.equal([...stored.codes[0]], expected.codes[0])
  }
  const { channels, sampleRate } = decodeWav(await downloaded(page, 'decoded.wav'))
  assert.is(sampleRate, 24000)
  assert.is(channels[0].length, 320 * expected.codes[0].length)
  assert.ok(channels[0].some(sample => Math.abs(sample) > 0.05))
  assert.match((await downloaded(page, '.svg')).toString(), /^<svg .*speech-16k\.wav/s)
})

onPage('both sides play at the same place', async page => {
  await openFile(page, fixture('speech.wav'))
  await page.click('#play')
  await page.waitForFunction(() => document.documentElement.dataset.audio === 'running')
  await page.waitForFunction(() => Number(document.querySelector('#seek').value) > 0.3)
  const before = await seconds(page)
  await page.keyboard.press('x')
  assert.ok(await page.isChecked('input[value=decoded]'))
  const after = await seconds(page)
  assert.ok(after >= before && after < before + 1, `${before} s, then ${after} s`)
  await page.waitForFunction(at => Number(document.querySelector('#seek').value) > at + 0.2, after)
  assert.match(await page.textContent('#point'), /^token [1-9]\d* of 386/)
  await page.keyboard.press(' ')
  assert.is(await page.textContent('#play'), 'Play')
  const paused = await seconds(page)
  await page.waitForTimeout(150)
  assert.is(await seconds(page), paused)
})

onPage('tokens can be cut, repeated, replaced, and all of it undone', async page => {
  await openFile(page, fixture('speech.wav'))
  await page.focus('#strip')
  await page.keyboard.press('Home')
  for (let i = 0; i < 9; i++) await page.keyboard.press('Shift+ArrowRight')
  assert.match(await page.textContent('#selected'), /10 tokens, 0\.133 s/)
  const edit = async (action, count) => {
    await action()
    await settled(page)
    assert.is(await tokenCount(page), count)
  }
  await edit(() => page.click('#repeat'), 396)
  assert.match(await page.textContent('#selected'), /10 tokens/)
  assert.ok(await page.isChecked('input[value=decoded]'))
  const { codes } = JSON.parse(await downloaded(page, 'speech.json'))
  assert.equal(codes[0].slice(0, 10), codes[0].slice(10, 20))
  await page.focus('#strip')
  await edit(() => page.keyboard.press('Delete'), 386)
  await edit(() => page.keyboard.press('Control+z'), 396)
  await edit(() => page.keyboard.press('Control+Shift+z'), 386)
  await page.click('#replace')
  await page.setInputFiles('#donor-file', fixture('speech-de.wav'))
  await page.waitForSelector('#donor-apply:not([disabled])')
  assert.match(await page.textContent('#donor-name'), /speech-de\.wav/)
  await edit(() => page.click('#donor-apply'), 386 - 1 + 193)
  const wav = decodeWav(await downloaded(page, 'decoded.wav'))
  assert.is(wav.channels[0].length, 320 * 578)
  await edit(() => page.click('#undo'), 386)
})

onPage('a link carries a clip, and token files open', async page => {
  await openFile(page, fixture('speech-de.wav'))
  const expected = JSON.parse(await downloaded(page, 'speech-de.json'))
  await page.click('#link')
  await page.waitForFunction(() => /copied|address bar/.test(document.querySelector('#link').textContent))
  const address = page.url()
  assert.ok(address.length < 600, `${address.length} characters for 2.6 s`)
  await page.goto('about:blank')
  await page.goto(address)
  await page.waitForSelector('#stage:not([hidden])')
  await settled(page)
  assert.equal(JSON.parse(await downloaded(page, '.json')), expected)
  assert.ok(await page.isChecked('input[value=decoded]'))
  const bare = Buffer.from(JSON.stringify(expected.codes[0].slice(0, 20)))
  await openFile(page, { name: 'bare.json', mimeType: 'application/json', buffer: bare })
  assert.is(await tokenCount(page), 20)
  await page.evaluate(() => (location.hash = 'clip=*'))
  await page.waitForSelector('[role=alert]:not([hidden])')
  assert.match(await page.textContent('#alert-text'), /address of this page is damaged/)
})

onPage('tokens can be selected with the pointer, and hovering names them', async page => {
  await openFile(page, fixture('speech.wav'))
  const { x, y, width, height } = await page.locator('#strip').boundingBox()
  const to = share => [x + share * width, y + height / 2]
  await page.mouse.move(...to(0.5))
  assert.match(await page.textContent('#point'), /^token 19[23] of 386: code \d+, 2\.5[67]\d s$/)
  await page.mouse.move(...to(0.25))
  await page.mouse.down()
  await page.mouse.move(...to(0.75))
  await page.mouse.up()
  assert.match(await page.textContent('#selected'), /19[345] tokens, 2\.\d+ s/)
})

onPage('the microphone is recorded', async page => {
  await page.click('#record')
  await page.waitForFunction(() => document.querySelector('#recorded').textContent > '0:01.00')
  await page.click('#record')
  await page.waitForSelector('#stage:not([hidden])')
  await settled(page)
  assert.ok((await tokenCount(page)) >= 75)
  const { channels } = decodeWav(await downloaded(page, 'decoded.wav'))
  assert.ok(channels[0].length >= 24000)
})

onPage('what cannot be read is explained, and the page goes on', async page => {
  await openFile(page, { name: 'notes.pdf', mimeType: 'application/pdf', buffer: Buffer.from('no audio') })
  assert.match(await page.textContent('[role=alert]:visible'), /notes\.pdf is no audio file/)
  await openFile(
    page,
    { name: 'model.safetensors', mimeType: '', buffer: Buffer.from('none') },
    '#model-file',
  )
  assert.ok((await page.textContent('#alert-text')).length > 20)
  await openFile(page, fixture('speech-de.wav'))
  assert.is(await page.isVisible('[role=alert]'), false)
  assert.is(await tokenCount(page), 193)
})

onPage('a model file of one’s own takes the place of the default', async page => {
  await openFile(page, fixture('speech-de.wav'))
  const model = join(folder, 'site/weights/mini-24k-75.safetensors')
  await openFile(page, model, '#model-file')
  await page.waitForFunction(() =>
    document.querySelector('#model-name').textContent.startsWith('mini-24k-75.safetensors: mini'),
  )
  await settled(page)
  assert.is(await tokenCount(page), 193)
})

onPage('everything can be reached from the keyboard', async page => {
  const reached = []
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press('Tab')
    reached.push(await page.evaluate(() => document.activeElement.id || document.activeElement.className))
  }
  assert.equal(reached.slice(0, 5), ['skip', 'model-file', 'example', 'file', 'record'])
  await page.focus('#example')
  await page.keyboard.press('Enter')
  await page.waitForSelector('#stage:not([hidden])')
  await settled(page)
  const order = []
  for (let i = 0; i < 7; i++) {
    order.push(await page.evaluate(() => document.activeElement.id || document.activeElement.name))
    await page.keyboard.press('Tab')
  }
  assert.equal(order, ['play', 'side', 'seek', 'strip', 'cut', 'repeat', 'replace'])
})

onPage('nothing that assistive technology would trip over, light and dark', async page => {
  await openFile(page, fixture('speech.wav'))
  await page.click('#replace')
  await page.click('#donor-own')
  const backgrounds = []
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    backgrounds.push(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor))
    await page.evaluate(axe)
    const { violations, passes } = await page.evaluate(() => window.axe.run())
    assert.ok(passes.length > 20, `${passes.length} rules passed`)
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120))}`)
    assert.equal(found, [], colorScheme)
  }
  assert.is.not(backgrounds[0], backgrounds[1])
})

onPage('a telephone shows it without scrolling sideways', async page => {
  await page.setViewportSize({ width: 360, height: 740 })
  await openFile(page, fixture('speech.wav'))
  assert.is(await page.evaluate(() => document.documentElement.scrollWidth), 360)
})

test.run()
