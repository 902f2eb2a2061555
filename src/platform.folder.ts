// Downloaded models in a directory. A file appears under its name only when it is complete; several processes may share the directory.

import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openFile } from './platform.file.js'

const MAX_FILE_NAME = 240
const IDLE = 'idle'
/** A draft that its process has not written to for so long was left behind by a crash. */
const ABANDONED_MS = 10 * 60_000

/** `nameOf`: a file name for an address, unique and free of '~'. */
export function folderAt(place: string, nameOf: (url: string) => string) {
  const at = (name: string) => join(place, name)
  const find = async (url: string) => {
    try {
      return await openFile(at(nameOf(url)))
    } catch {
      return undefined
    }
  }
  return {
    place,
    find,
    remove: (url: string) => rm(at(nameOf(url)), { force: true }),
    async resume(url: string) {
      const prefix = `${nameOf(url)}~`
      const drafts = (await readdir(place).catch(() => [])).filter(name => name.startsWith(prefix))
      for (const name of drafts) {
        const [, etag, owner] = name.split('~')
        if (owner !== IDLE && !(await isAbandoned(at(name)))) continue
        const own = `${prefix}${etag}~${token()}`
        // renaming succeeds in one process only
        const isMine = await rename(at(name), at(own)).then(
          () => true,
          () => false,
        )
        if (isMine) return draft(place, nameOf(url), own, Buffer.from(etag, 'base64url').toString())
      }
      return undefined
    },
    async begin(url: string, etag: string | undefined) {
      await mkdir(place, { recursive: true })
      const name = nameOf(url)
      const code = Buffer.from(etag ?? '').toString('base64url')
      const own = `${name}~${code}~${token()}`
      if (own.length <= MAX_FILE_NAME) return draft(place, name, own, etag)
      return draft(place, name, `${name}~~${token()}`, undefined)
    },
  }
}

function token(): string {
  return process.getBuiltinModule('node:crypto').randomBytes(6).toString('hex')
}

async function isAbandoned(path: string): Promise<boolean> {
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }))
  return mtimeMs < Date.now() - ABANDONED_MS
}

async function draft(place: string, name: string, own: string, etag: string | undefined) {
  const path = join(place, own)
  const handle = await open(path, 'a')
  let { size } = await handle.stat()
  const discard = async () => {
    await handle.close()
    await rm(path, { force: true })
  }
  return {
    get size() {
      return size
    },
    etag,
    async append(bytes: Uint8Array) {
      await handle.appendFile(bytes)
      size += bytes.length
    },
    open: () => openFile(path),
    async publish() {
      await handle.sync()
      await handle.close()
      await rename(path, join(place, name))
    },
    async suspend() {
      if (!etag || size === 0) return discard()
      await handle.close()
      await rename(path, path.replace(/[^~]*$/, IDLE))
    },
    discard,
  }
}
