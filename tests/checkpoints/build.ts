// Files made by hand for the checkpoint tests: zip archives, pickles, and sources that count what is read.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { byteSource } from '../../src/checkpoints/bytes.js'
import type { ByteSource, TensorSource } from '../../src/checkpoints/source.js'
import { CheckpointError } from '../../src/errors.js'

export type Bytes = Uint8Array<ArrayBuffer>

export const vectorPath = (path: string) => fileURLToPath(new URL(`../vectors/${path}`, import.meta.url))
export const vector = (path: string): Bytes => new Uint8Array(readFileSync(vectorPath(path)))
export const memory = (bytes: ArrayBuffer | ArrayBufferView): Promise<ByteSource> => byteSource(bytes)

/** ASCII text, numbers (one byte each) and byte arrays, one after the other. */
export function bytes(...parts: (string | number | ArrayLike<number>)[]): Bytes {
  const arrays = parts.map(part => {
    if (typeof part === 'number') return [part]
    return typeof part === 'string' ? Array.from(part, letter => letter.charCodeAt(0)) : part
  })
  const joined = new Uint8Array(arrays.reduce((sum, array) => sum + array.length, 0))
  let end = 0
  for (const array of arrays) {
    joined.set(array, end)
    end += array.length
  }
  return joined
}

export function littleEndian(value: number | bigint, size: number): number[] {
  return Array.from({ length: size }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 255n))
}

export async function rejects(step: () => unknown, pattern: RegExp, what = String(pattern)): Promise<void> {
  try {
    await step()
  } catch (error) {
    assert.instance(error, CheckpointError, `${what}: ${(error as Error)?.stack}`)
    assert.match((error as Error).message, pattern, what)
    return
  }
  assert.unreachable(`${what}: nothing was thrown`)
}

/** Opens and reads everything; whatever goes wrong must be a CheckpointError. Returns what happened. */
export async function readsOrRefuses(
  open: () => Promise<TensorSource>,
  what: string,
): Promise<'read' | 'refused'> {
  try {
    const source = await open()
    for (const name of source.names()) await source.read(name)
    return 'read'
  } catch (error) {
    assert.instance(error, CheckpointError, `${what}: ${(error as Error)?.stack}`)
    return 'refused'
  }
}

/** The same bytes; `ranges` collects what is read as [offset, length]. */
export function counting(source: ByteSource) {
  const ranges: [offset: number, length: number][] = []
  const counted: ByteSource = {
    ...source,
    read(offset, length) {
      ranges.push([offset, length])
      return source.read(offset, length)
    },
  }
  return { counted, ranges, total: () => ranges.reduce((sum, [, length]) => sum + length, 0) }
}

export interface ZipItem {
  name: string
  data: ArrayLike<number>
  method?: number
  flags?: number
  /** What the directory claims instead of the truth. */
  claims?: { size?: number; storedBytes?: number; localOffset?: number }
}

/** A stored zip archive. `zip64` writes every size and offset as ZIP64, as torch does beyond 4 GiB. */
export function zip(items: ZipItem[], { zip64 = false, comment = '', count = items.length } = {}): Bytes {
  const u32 = (value: number) => littleEndian(zip64 ? 0xffffffff : value, 4)
  const files: Bytes[] = []
  const directory: Bytes[] = []
  let offset = 0
  for (const { name, data, method = 0, flags = 0, claims = {} } of items) {
    const { size = data.length, storedBytes = size, localOffset = offset } = claims
    const extra = zip64
      ? bytes(
          [1, 0, 24, 0],
          littleEndian(size, 8),
          littleEndian(storedBytes, 8),
          littleEndian(localOffset, 8),
        )
      : []
    const common = bytes([20, 0], littleEndian(flags, 2), littleEndian(method, 2), littleEndian(0, 8))
    const tail = bytes(
      u32(storedBytes),
      u32(size),
      littleEndian(name.length, 2),
      littleEndian(extra.length, 2),
    )
    directory.push(
      bytes('PK\x01\x02', [20, 0], common, tail, littleEndian(0, 10), u32(localOffset), name, extra),
    )
    files.push(bytes('PK\x03\x04', common, tail, name, extra, data))
    offset += files[files.length - 1].length
  }
  const central = bytes(...directory)
  const end64 = zip64 ? zip64End(count, central.length, offset) : []
  const counts = littleEndian(zip64 ? 0xffff : count, 2)
  const end = bytes('PK\x05\x06', littleEndian(0, 4), counts, counts, u32(central.length), u32(offset))
  return bytes(...files, central, end64, end, littleEndian(comment.length, 2), comment)
}

function zip64End(count: number, length: number, offset: number): Bytes {
  const numbers = [count, count, length, offset].map(value => littleEndian(value, 8))
  const record = bytes('PK\x06\x06', littleEndian(44, 8), [45, 0, 45, 0], littleEndian(0, 8), ...numbers)
  return bytes(record, 'PK\x06\x07', littleEndian(0, 4), littleEndian(offset + length, 8), littleEndian(1, 4))
}

// Pickle opcodes, enough to write what torch.save writes and what it never would.
export const text = (value: string) => bytes('X', littleEndian(value.length, 4), value)
export const int = (value: number) => bytes('J', littleEndian(value, 4))
export const global = (module: string, name: string) => bytes(`c${module}\n${name}\n`)
export const tuple = (...items: Bytes[]) => bytes('(', ...items, 't')
export const call = (callable: Bytes, ...args: Bytes[]) => bytes(callable, tuple(...args), 'R')
export const dict = (items: Record<string, Bytes>) =>
  bytes('}(', ...Object.entries(items).map(([key, value]) => bytes(text(key), value)), 'u')
export const pickle = (...body: Bytes[]) => bytes(0x80, 2, ...body, '.')

export const storage = (key: string, numel: number, type = 'FloatStorage') =>
  bytes(tuple(text('storage'), global('torch', type), text(key), text('cpu'), int(numel)), 'Q')

export function tensor(base: Bytes, shape: number[], stride: number[], offset = 0): Bytes {
  const hooks = bytes(global('collections', 'OrderedDict'), ')R')
  const sizes = [shape, stride].map(values => tuple(...values.map(int)))
  return call(global('torch._utils', '_rebuild_tensor_v2'), base, int(offset), ...sizes, bytes(0x89), hooks)
}

/** torch.save's archive around a pickle, with storages data/<key>. */
export function torchFile(data: Bytes, storages: Record<string, ArrayBufferView> = {}, options = {}): Bytes {
  const items = Object.entries(storages).map(([key, view]) => ({
    name: `archive/data/${key}`,
    data: new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
  }))
  return zip(
    [{ name: 'archive/data.pkl', data }, { name: 'archive/byteorder', data: bytes('little') }, ...items],
    options,
  )
}
