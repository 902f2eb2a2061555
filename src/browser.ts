/**
 * The library as one file for pages without a bundler: `import { loadTokenizer } from 'https://CDN/wavtok/dist/browser.js'`.
 *
 * @module
 */
import { workerPort } from '#platform'
import { linkTo } from './worker/link.js'
import { serve } from './worker/serve.js'

export * from './index.js'

/** What dist/worker.js calls: answers the page that started this worker. */
export function serveWorker(): void {
  serve(linkTo(workerPort()))
}
