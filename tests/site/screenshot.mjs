// node tests/site/screenshot.mjs: docs/screenshot.png, the page with a real clip in it. Needs what `npm run runtimes` installs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSite } from '../../scripts/site.mjs'
import { launch } from '../runtimes/support/chromium.mjs'
import { serve } from '../runtimes/support/static-server.mjs'

const root = join(import.meta.dirname, '../..')
const require = createRequire(join(root, 'tests/runtimes/package.json'))
const WIDTH = 1120
const SCALE = 1.15

const folder = mkdtempSync(join(tmpdir(), 'wavtok-site-'))
await buildSite(folder)
const site = await serve(folder)
const browser = await launch()
try {
  const context = await browser.newContext({
    viewport: { width: WIDTH, height: 860 },
    deviceScaleFactor: SCALE,
    colorScheme: process.argv[2] === 'dark' ? 'dark' : 'light',
  })
  const page = await context.newPage()
  await page.goto(`${site.address}/`)
  await page.click('#example')
  await page.waitForSelector('#stage:not([hidden])')
  const strip = await page.locator('#strip').boundingBox()
  const to = share => [strip.x + share * strip.width, strip.y + strip.height / 2]
  await page.mouse.move(...to(0.345))
  await page.mouse.down()
  await page.mouse.move(...to(0.52))
  await page.mouse.up()
  await page.evaluate(() => document.activeElement.blur())
  const { y, height } = await page.locator('.editor').boundingBox()
  const top = await page.evaluate(() => scrollY)
  const picture = await page.screenshot({
    fullPage: true,
    clip: { x: 0, y: 0, width: WIDTH, height: top + y + height + 8 },
  })
  // 256 colours are enough for it, and a third of the bytes
  const small = await require('sharp')(picture).png({ palette: true, dither: 0, effort: 10 }).toBuffer()
  writeFileSync(join(root, 'docs/screenshot.png'), small)
  console.log(`docs/screenshot.png: ${small.length} bytes`)
} finally {
  await browser.close()
  await site.close()
  rmSync(folder, { recursive: true, force: true })
}
