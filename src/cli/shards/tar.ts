// Tar files of WebDataset: POSIX ustar, the same bytes for the same samples.
import { encodeNpy } from '../../codes/npy.js'
import { describe, type Sample } from './sample.js'

const BLOCK = 512
const NAME_BYTES = 100
const PREFIX_BYTES = 155

/** Files of one sample: `key.npy` (uint16 [codebooks, frames]; a file each where codebooks have rates of their own) and `key.json`. */
function filesOf(sample: Sample): [name: string, bytes: Uint8Array][] {
  const key = sample.key.replaceAll('.', '_') // WebDataset takes what is behind the first dot for the extension
  const json: [string, Uint8Array] = [`${key}.json`, Buffer.from(`${describe(sample)}\n`)]
  if (!sample.strides) return [json, [`${key}.npy`, encodeNpy(sample.codes)]]
  return [
    json,
    ...sample.codes.map((codes, i): [string, Uint8Array] => [`${key}.${i}.npy`, encodeNpy([codes])]),
  ]
}

/** The bytes that a sample takes in the file. */
export function tarBytes(sample: Sample): number {
  return filesOf(sample).reduce((sum, [name, { length }]) => sum + entrySize(name, length), 0)
}

function entrySize(name: string, length: number): number {
  const long = split(name) ? 0 : 2 * BLOCK + padded(Buffer.byteLength(name) + 32) - BLOCK
  return long + BLOCK + padded(length)
}

/** The file, piece by piece. */
export async function* tarFile(samples: AsyncIterable<Sample>): AsyncGenerator<Uint8Array> {
  for await (const sample of samples) for (const [name, bytes] of filesOf(sample)) yield* entry(name, bytes)
  yield new Uint8Array(2 * BLOCK)
}

function* entry(name: string, bytes: Uint8Array): Generator<Uint8Array> {
  const parts = split(name)
  if (!parts) yield* paxName(name)
  yield header(parts ?? ['', `${name.length}-${name.slice(-60)}`.slice(0, NAME_BYTES)], bytes.length, '0')
  yield bytes
  yield new Uint8Array(padded(bytes.length) - bytes.length)
}

/** Prefix and name as ustar has them; undefined where they do not fit. */
function split(name: string): [prefix: string, name: string] | undefined {
  const bytes = Buffer.byteLength
  if (bytes(name) <= NAME_BYTES) return ['', name]
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) {
    const [prefix, rest] = [name.slice(0, at), name.slice(at + 1)]
    if (bytes(prefix) <= PREFIX_BYTES && bytes(rest) <= NAME_BYTES) return [prefix, rest]
  }
  return undefined
}

/** An extended header with the whole path (POSIX.1-2001, pax). */
function* paxName(name: string): Generator<Uint8Array> {
  const record = (length: number) => `${length} path=${name}\n`
  let length = Buffer.byteLength(record(0))
  while (Buffer.byteLength(record(length)) !== length) length = Buffer.byteLength(record(length))
  const text = Buffer.from(record(length))
  yield header(['', 'PaxHeader'], text.length, 'x')
  yield text
  yield new Uint8Array(padded(text.length) - text.length)
}

function header([prefix, name]: [string, string], size: number, type: '0' | 'x'): Uint8Array {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, length: number) =>
    block.write(value.toString(8).padStart(length - 1, '0'), at)
  block.write(name, 0)
  octal(0o644, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  block.write('        ', 148)
  block.write(type, 156)
  block.write('ustar\x0000', 257, 'latin1')
  block.write(prefix, 345)
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  )
  block[154] = 0
  return block
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK
}
