import { launch } from '../support/chromium.mjs'
import { serve } from '../support/static-server.mjs'

/** Runs in the page. The package comes by URL from another origin, as from a CDN, and finds its weights beside itself. */
async function inPage({ address, deterministic }) {
  const { runSmoke } = await import('/smoke.mjs')
  const wav = new Uint8Array(await (await fetch('/speech.wav')).arrayBuffer())
  return runSmoke(() => import(`${address}/dist/browser.js`), { wav, deterministic })
}

export const hosts = [
  {
    name: 'Chromium, by URL',
    missing: () => (process.platform === 'linux' ? undefined : '@sparticuz/chromium is for Linux alone'),
    async run({ app, library }, deterministic) {
      const [site, cdn, browser] = await Promise.all([serve(app), serve(library), launch()])
      try {
        const page = await browser.newPage()
        await page.goto(`${site.address}/blank.html`)
        const result = await page.evaluate(inPage, { address: cdn.address, deterministic })
        return { version: browser.version(), ...result }
      } finally {
        await Promise.all([browser.close(), site.close(), cdn.close()])
      }
    },
  },
]
