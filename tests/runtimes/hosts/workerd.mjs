import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { timedSmoke } from '../smoke.mjs'
import { newestDate, startWorker } from '../support/workerd.mjs'

/** A step as a request: `/load` carries the model, `/encode` the audio. */
export function stepsByRequest(fetch, { model, wav }, deterministic) {
  const bodies = { load: () => readFileSync(model), encode: () => wav }
  return async name => {
    const url = `http://smoke/${name}${deterministic ? '?deterministic' : ''}`
    const response = await fetch(url, { method: 'POST', body: bodies[name]?.() ?? '' })
    if (!response.ok) throw new Error(await response.text())
    return response.json()
  }
}

const { version } = createRequire(import.meta.url)('workerd/package.json')

const host = compatibilityDate => ({
  name: `workerd ${compatibilityDate}`,
  async run(workspace, deterministic) {
    const worker = await startWorker(join(workspace.app, 'hosts/workerd-main.mjs'), { compatibilityDate })
    try {
      const step = stepsByRequest((...request) => worker.dispatchFetch(...request), workspace, deterministic)
      return { version, ...(await timedSmoke(step)) }
    } finally {
      await worker.dispose()
    }
  },
})

export const hosts = [host('2024-09-01'), host(newestDate)]
