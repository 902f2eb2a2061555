import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium as playwright } from 'playwright-core'
import { serve } from './static-server.mjs'
import { here } from './workspace.mjs'

const FLAGS = [
  '--headless',
  '--no-sandbox', // runs as root
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
]

/**
 * The browser of @sparticuz/chromium, unpacked once beside the modules. Its shared libraries (NSS and others that a bare machine
 * lacks) come along only where it believes to be in AWS Lambda, so it is told so while it unpacks.
 */
async function unpack() {
  const folder = join(here, 'node_modules/.cache/chromium')
  mkdirSync(folder, { recursive: true })
  const { TMPDIR, LD_LIBRARY_PATH, AWS_EXECUTION_ENV } = process.env
  Object.assign(process.env, { TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' })
  try {
    const { default: chromium } = await import('@sparticuz/chromium')
    const executablePath = await chromium.executablePath()
    const env = { ...process.env, TMPDIR: TMPDIR ?? '/tmp', FONTCONFIG_FILE: fontConfiguration(folder) }
    return { executablePath, env }
  } finally {
    for (const [name, value] of Object.entries({ TMPDIR, LD_LIBRARY_PATH, AWS_EXECUTION_ENV })) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

/** The package's own fonts.conf looks for them in /tmp alone; a machine without any font crashes at the first <input>. */
function fontConfiguration(folder) {
  const file = join(folder, 'fonts.conf')
  const lines = [
    '<fontconfig>',
    `<dir>${folder}/fonts</dir>`,
    `<cachedir>${folder}/fonts-cache</cachedir>`,
    '</fontconfig>',
  ]
  writeFileSync(
    file,
    `<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n${lines.join('\n')}\n`,
  )
  return file
}

/** Starts the browser, with a microphone that beeps. */
export async function launch() {
  return playwright.launch({ ...(await unpack()), args: FLAGS })
}

/** The address that examples import the package from. */
export const CDN = 'https://cdn.jsdelivr.net/npm/wavtok@0.1.0/'

/** Serves `folder`, opens its page and gives it to `visit`; `library`, the unpacked package, answers for the CDN. */
export async function withPage(browser, folder, library, visit) {
  const site = await serve(folder)
  const page = await browser.newPage()
  const errors = []
  page.on('pageerror', error => errors.push(error))
  try {
    await page.route(`${CDN}**`, route => {
      const path = join(library, route.request().url().slice(CDN.length))
      if (!existsSync(path)) return route.fulfill({ status: 404 })
      return route.fulfill({ path, headers: { 'access-control-allow-origin': '*' } })
    })
    await page.goto(`${site.address}/`)
    const result = await visit(page)
    if (errors.length) throw errors[0]
    return result
  } finally {
    await page.close()
    await site.close()
  }
}
