// Browsers, Workers and edge runtimes: no file system. Bundled on its own, so plain Errors; callers wrap them.

export async function openFile(path: string | URL): Promise<never> {
  throw new Error(
    `there is no file system here to open '${path}' from; pass a URL, a Blob or File, or the bytes`,
  )
}

export function defaultWeights(name: string): URL {
  const here: string | undefined = import.meta.url // kept out of `new URL(..., import.meta.url)`, which bundlers try to resolve
  if (!here || !URL.canParse(`../weights/${name}`, here))
    throw new Error(
      `this bundle does not know its own address, so weights/${name} cannot be found beside it; pass the model's URL or bytes`,
    )
  return new URL(`../weights/${name}`, here)
}

export function canHash(): boolean {
  return globalThis.crypto?.subtle !== undefined
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const subtle = globalThis.crypto?.subtle
  if (!subtle)
    throw new Error('SHA-256 needs crypto.subtle, which web pages have only over HTTPS or on localhost')
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes))
  return Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('')
}

export async function sha256OfFile(file: {
  size: number
  read(offset: number, length: number): Promise<Uint8Array>
}): Promise<string> {
  return sha256((await file.read(0, file.size)) as Uint8Array<ArrayBuffer>)
}

export function modelFolder(): undefined {
  return undefined
}

export function startWorker(url?: string | URL): Worker {
  if (typeof Worker === 'undefined')
    throw new Error('this runtime has no Worker; use loadTokenizer, which runs where it is called')
  if (url !== undefined) return new Worker(url, { type: 'module' })
  const here: string | undefined = import.meta.url
  try {
    // bundlers look for these very words
    return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
  } catch (error) {
    if (!here || (error as Error)?.name !== 'SecurityError') throw error
    return workerFromElsewhere(here.replace(/[^/]*$/, 'worker.js'))
  }
}

/** Scripts of workers must come from the page's own origin; modules that they import need not. */
export function workerFromElsewhere(address: string): Worker {
  const script = new Blob([`import ${JSON.stringify(address)}`], { type: 'text/javascript' })
  return new Worker(URL.createObjectURL(script), { type: 'module' })
}

export function workerPort(): unknown {
  return globalThis
}
