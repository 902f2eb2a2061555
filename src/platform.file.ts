import { open } from 'node:fs/promises'

const MAX_READ = 1 << 30 // one call takes less than 2 GiB

export async function openFile(path: string | URL) {
  const handle = await open(path, 'r')
  const name = String(path)
  const stat = await handle.stat()
  if (!stat.isFile()) {
    await handle.close()
    throw new Error(`${name} is ${stat.isDirectory() ? 'a directory' : 'no regular file'}; pass a file`)
  }
  return {
    size: stat.size,
    name,
    async read(offset: number, length: number): Promise<Uint8Array> {
      const bytes = new Uint8Array(length)
      for (let filled = 0; filled < length; ) {
        const count = Math.min(length - filled, MAX_READ)
        const { bytesRead } = await handle.read(bytes, filled, count, offset + filled)
        if (bytesRead === 0) throw new Error(`${name} became shorter while it was read`)
        filled += bytesRead
      }
      return bytes
    },
    close: () => handle.close(),
  }
}
