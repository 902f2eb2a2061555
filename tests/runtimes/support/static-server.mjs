import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { join, normalize } from 'node:path'

// Scripts and pages need their types; all else is what a server without a list of types sends, which nothing may depend on.
const TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  mjs: 'text/javascript',
  css: 'text/css',
}

/** Serves a folder to any origin, as CDNs do, with `headers` beside the usual; gives its address (no slash at the end) and what was asked for. */
export async function serve(folder, headers = {}) {
  const requests = []
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname))
    requests.push(path)
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path)
    const found = statSync(file, { throwIfNoEntry: false })
    if (!found?.isFile()) return response.writeHead(404).end()
    response.writeHead(200, {
      'content-type': TYPES[file.split('.').at(-1)] ?? 'text/plain',
      'content-length': found.size,
      'access-control-allow-origin': '*',
      ...headers,
    })
    createReadStream(file).pipe(response)
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${server.address().port}`,
    requests,
    close: () => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(resolve))
    },
  }
}
