import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ZipArchive } from '../../src/checkpoints/zip.js'
import { bytes, counting, littleEndian, memory, rejects, type ZipItem, zip } from './build.js'

const open = async (file: Uint8Array) => ZipArchive.open(await memory(file))
const ITEMS: ZipItem[] = [
  { name: 'a/data.pkl', data: bytes('pickle') },
  { name: 'a/data/0', data: bytes('storage zero') },
  { name: 'a/empty', data: [] },
]
const read = async (file: Uint8Array, name = 'a/data/0') => {
  const archive = await open(file)
  return String.fromCharCode(...(await archive.read(archive.entries.get(name)!)))
}
/** An archive whose second entry is described by `claims`. */
const lying = (claims: ZipItem['claims'], item: Partial<ZipItem> = {}, options = {}) =>
  zip([ITEMS[0], { ...ITEMS[1], ...item, claims }, ITEMS[2]], options)

test('entries are found through the directory, zip64 or not, with a comment or not', async () => {
  for (const options of [
    {},
    { zip64: true },
    { comment: 'PK\x05\x06 is no end record here' },
    { zip64: true, comment: 'x' },
  ]) {
    const file = zip(ITEMS, options)
    assert.equal(
      [...(await open(file)).entries.keys()],
      ITEMS.map(item => item.name),
    )
    assert.is(await read(file), 'storage zero')
    assert.is(await read(file, 'a/empty'), '')
  }
})

test('opening reads the directory alone', async () => {
  const big: ZipItem = { name: 'a/data/1', data: new Uint8Array(300_000) }
  const { counted, total } = counting(await memory(zip([...ITEMS, big])))
  await ZipArchive.open(counted)
  assert.ok(total() < 300, `${total()} bytes`)
})

test('compressed and encrypted entries are refused when they are needed, not before', async () => {
  const deflated = lying(undefined, { method: 8 })
  assert.is(await read(deflated, 'a/data.pkl'), 'pickle')
  await rejects(
    () => read(deflated),
    /'a\/data\/0' in the zip file is compressed \(method 8, deflate\).*torch\.save/,
  )
  await rejects(() => read(lying(undefined, { method: 99 })), /compressed \(method 99\)/)
  await rejects(() => read(lying(undefined, { flags: 1 })), /is encrypted/)
  await rejects(() => read(lying({ size: 2 ** 40, storedBytes: 12 }, {}, { zip64: true })), /is compressed/)
})

test('entries that claim to lie elsewhere', async () => {
  await rejects(() => read(lying({ size: 1_000_000 })), /claims 1000000 bytes at \d+, beyond the file's data/)
  await rejects(() => read(lying({ size: 2 ** 52 }, {}, { zip64: true })), /claims 4503599627370496 bytes/)
  await rejects(() => read(lying({ localOffset: 1_000_000 })), /lies outside the file \(offset 1000000\)/)
  await rejects(() => read(lying({ localOffset: 3 })), /does not begin with a local header/)
  const impossible = bytes(littleEndian(2n ** 64n - 1n, 8))
  const file = lying({ size: 0x123456789 }, {}, { zip64: true })
  const at = Buffer.from(file).lastIndexOf(Buffer.from(littleEndian(0x123456789, 8)))
  file.set(impossible, at)
  await rejects(() => open(file), /ZIP64 record holds the impossible number/)
})

test('directories that are not what they say', async () => {
  const file = zip(ITEMS)
  const end = file.length - 22
  const edited = (at: number, values: number[]) => {
    const copy = file.slice()
    copy.set(values, at)
    return copy
  }
  await rejects(() => open(zip(ITEMS, { count: 4 })), /breaks off at entry 3 of 4/)
  await rejects(
    () => open(zip(ITEMS, { count: 2 ** 40, zip64: true })),
    /breaks off at entry 3 of 1099511627776/,
  )
  await rejects(
    () => open(edited(end + 12, littleEndian(0xfffffff0, 4))),
    /claims 4294967280 bytes at \d+, beyond its place/,
  )
  await rejects(() => open(edited(end + 16, littleEndian(file.length, 4))), /beyond its place/)
  await rejects(() => open(edited(end + 16, littleEndian(1, 4))), /breaks off at entry 0/)
  await rejects(() => open(zip([...ITEMS, ITEMS[0]])), /has 'a\/data.pkl' twice/)
  const zip64 = zip(ITEMS, { zip64: true })
  const locator = zip64.length - 22 - 20
  const copy = zip64.slice()
  copy.set(littleEndian(2 ** 50, 8), locator + 8)
  await rejects(() => open(copy), /locator points to 1125899906842624, beyond its place/)
  copy.set(littleEndian(5, 8), locator + 8)
  await rejects(() => open(copy), /points to 5, where no ZIP64 record is/)
})

test('an archive cut anywhere is refused', async () => {
  for (const options of [{}, { zip64: true }]) {
    const file = zip(ITEMS, options)
    for (let length = 0; length < file.length; length++)
      await rejects(() => open(file.subarray(0, length)), /truncated/, `cut at ${length}`)
  }
})

test.run()
