// dist/browser.js: the web's answers where no bundler has been. `new URL(..., import.meta.url)` must not be written here: dist/worker.js
// imports dist/browser.js, and bundlers that build it would find the worker in itself.
import { workerFromElsewhere } from './platform.web.js'

export {
  canHash,
  defaultWeights,
  modelFolder,
  openFile,
  sha256,
  sha256OfFile,
  workerPort,
} from './platform.web.js'

export function startWorker(url?: string | URL): Worker {
  if (url !== undefined) return new Worker(url, { type: 'module' })
  return workerFromElsewhere(import.meta.url.replace(/[^/]*$/, 'worker.js'))
}
