// Files of the PyPI package `gguf` (tests/vectors/make_gguf.py), and files made by hand that no reader may accept.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openGguf } from '../../src/checkpoints/gguf.js'
import { narrowQ80 } from '../../src/checkpoints/gguf-blocks.js'
import { openCheckpoint } from '../../src/checkpoints/open.js'
import { identical } from '../support/compare.js'
import { vectors } from '../support/vectors.js'
import {
  type Bytes,
  bytes,
  counting,
  littleEndian,
  memory,
  readsOrRefuses,
  rejects,
  vector,
} from './build.js'

const TYPES = vector('gguf/types.gguf')
const expected = vectors('gguf/types-expected.safetensors')

test('every type has the values that the gguf package gives it, bit for bit', async () => {
  const source = await openGguf(await memory(TYPES))
  const names = source.names()
  assert.is(names.length, 18)
  for (const name of names) {
    const { shape, data } = expected.get(name)!
    assert.is(source.info(name).dtype, name)
    assert.equal(source.info(name).shape, shape)
    identical(await source.read(name), data, name)
    assert.ok(new Set(data).size > 5, name)
  }
})

test('Q8_0 is written as the gguf package quantizes', async () => {
  const source = expected.get('source.Q8_0')!.data
  const written = narrowQ80(source)
  const at = TYPES.findIndex((_, i) => written.every((byte, j) => TYPES[i + j] === byte))
  assert.ok(at > 0 && written.length === 204)
})

test('keys become metadata, as text; arrays say what they are', async () => {
  const { metadata } = await openCheckpoint(await memory(TYPES))
  assert.equal(metadata, {
    'general.architecture': 'none',
    'general.alignment': '64',
    'key.u8': '255',
    'key.i8': '-128',
    'key.u16': '65535',
    'key.i16': '-32768',
    'key.i32': '-2147483648',
    'key.f32': '0.000001',
    'key.f64': '0.1',
    'key.u64': '18446744073709551615',
    'key.i64': '-9223372036854775808',
    'key.bool': 'true',
    'key.text': 'größer: 音',
    'key.numbers': '[3 i32]',
    'key.texts': '[3 texts]',
    'key.nested': '[2 arrays]',
    family: 'nothing',
  })
})

test('only what is asked for is read', async () => {
  const file = vector('gguf/micro-f32.gguf')
  const { counted, ranges } = counting(await memory(file))
  const source = await openGguf(counted)
  assert.ok(ranges.every(([offset, length]) => offset + length <= 1 << 16))
  ranges.length = 0
  const { length } = await source.read('conv1d.weight')
  assert.equal(
    ranges.map(([, count]) => count),
    [4 * length],
  )
})

const u32 = (value: number) => littleEndian(value, 4)
const u64 = (value: number | bigint) => littleEndian(value, 8)
const text = (value: string) => bytes(u64(value.length), value)
const tensor = (name: string, sizes: number[], type: number, offset: number | bigint) =>
  bytes(text(name), u32(sizes.length), ...sizes.map(u64), u32(type), u64(offset))

interface Parts {
  version?: number
  keys?: ArrayLike<number>[]
  tensors?: ArrayLike<number>[]
  counts?: [tensors: number | bigint, keys: number | bigint]
  data?: number
}

/** A file of version 3 whose data are zeros. */
function gguf({ version = 3, keys = [], tensors = [], counts, data = 64 }: Parts): Bytes {
  const [tensorCount, keyCount] = counts ?? [tensors.length, keys.length]
  const head = bytes('GGUF', u32(version), u64(tensorCount), u64(keyCount), ...keys, ...tensors)
  return bytes(head, new Uint8Array((32 - (head.length % 32)) % 32), new Uint8Array(data))
}

const W = tensor('w', [4, 2], 0, 0)
const key = (name: string, type: number, ...value: (string | number | ArrayLike<number>)[]) =>
  bytes(text(name), u32(type), ...value)

test('versions 2 and 3, scalars, empty tensors and holes are read', async () => {
  for (const version of [2, 3]) {
    const scalar = tensor('scalar', [], 0, 64)
    const empty = tensor('empty', [0, 3], 8, 0)
    const file = gguf({ version, tensors: [W, scalar, empty], data: 68 })
    const source = await openGguf(await memory(file))
    assert.equal(source.info('w').shape, [2, 4])
    assert.equal([...(await source.read('w')), ...(await source.read('scalar'))], Array(9).fill(0))
    assert.is((await source.read('empty')).length, 0)
  }
  assert.equal((await openGguf(await memory(gguf({ data: 0 })))).names(), [])
})

const REFUSED: [what: Parts | Bytes, message: RegExp][] = [
  [bytes('GGUX', u32(3)), /begins with 'GGUF', found 'GGUX' at byte 0/],
  [gguf({ version: 1 }), /version at byte 4 is 1; versions 2 and 3/],
  [gguf({ version: 0x3000000 }), /big-endian/],
  [bytes('GGUF', u32(3), u64(1)), /ends within the number of keys: 8 bytes at byte 16 of 16/],
  [{ counts: [1 << 21, 0] }, /number of tensors at byte 8 is 2097152; at most/],
  [{ counts: [0, 2n ** 63n] }, /number of keys at byte 16 is 9223372036854775808/],
  [{ keys: [bytes(u64(1e9), 'x')] }, /length of key 1 of 1 at byte 24 is 1000000000/],
  [{ keys: [bytes(u64(2), 0xff, 0xfe, u32(7), 1)] }, /key 1 of 1 at byte 32 is not UTF-8/],
  [{ keys: [key('a', 7, 1), key('a', 7, 1)] }, /key 'a' at byte 38 occurs twice/],
  [{ keys: [key('a', 13, 1)] }, /value of 'a' has the unknown type 13 at byte 33/],
  [{ keys: [key('a', 8, u64(1e6))] }, /length of the value of 'a' at byte 37 is 1000000/],
  [{ keys: [key('a', 9, u32(4), u64(2n ** 40n))] }, /number of elements of the value of 'a' at byte 41/],
  [{ keys: [key('a', 9, u32(10), u64(60))] }, /value of 'a' at byte 49 takes 480 bytes and/],
  [{ keys: [key('a', 9, u32(99), u64(1))] }, /unknown type 99 at byte 37/],
  [{ keys: [key('a', 9, ...Array(9).fill(bytes(u32(9), u64(1))))] }, /arrays deep; at most/],
  [{ keys: [key('general.alignment', 4, u32(48))] }, /general.alignment is 48; expected a power of two/],
  [{ keys: [key('general.alignment', 4, u32(0))] }, /general.alignment is 0/],
  [{ keys: [key('general.alignment', 8, text('x'))] }, /general.alignment is x/],
  [{ tensors: [tensor('w', [1, 1, 1, 1, 1], 0, 0)] }, /'w' at byte 24 has 5 dimensions/],
  [
    { tensors: [tensor('w'.repeat(600), [1], 0, 0)] },
    /length of the name of tensor 1 of 1 at byte 24 is 600/,
  ],
  [{ tensors: [tensor('w', [4], 4, 0)] }, /'w' has the unknown type 4 at byte 45/],
  [{ tensors: [tensor('w', [33], 8, 0)] }, /sizes 33, which cannot be a tensor of Q8_0/],
  [{ tensors: [tensor('w', [2 ** 40, 2 ** 40], 0, 0)] }, /cannot be a tensor of F32/],
  [
    { tensors: [tensor('w', [4], 0, 4)] },
    /described at byte 24, begins at byte 4 of the data, .*alignment 32/,
  ],
  [{ tensors: [tensor('w', [17], 0, 0)] }, /takes bytes 64 to 132 and the file has 128; it is truncated/],
  [{ tensors: [tensor('w', [4], 0, 2n ** 52n)] }, /truncated/],
  [{ tensors: [tensor('w', [4], 0, 2n ** 63n)] }, /the offset of 'w' at byte 49 is/],
  [{ tensors: [tensor('a', [16], 0, 0), tensor('b', [4], 0, 32)] }, /'b' .* overlaps 'a'/],
  [{ tensors: [W, W] }, /tensor 'w' at byte 65 occurs twice/],
]

test('what is wrong is said, with its place', async () => {
  for (const [what, message] of REFUSED) {
    const file = what instanceof Uint8Array ? what : gguf(what)
    await rejects(async () => openGguf(await memory(file)), message)
  }
})

test('a type that cannot be read refuses its tensor, not the file', async () => {
  const source = await openGguf(await memory(gguf({ tensors: [tensor('w', [32], 20, 0)] })))
  assert.is(source.info('w').dtype, 'IQ4_NL')
  await rejects(() => source.read('w'), /'w' is stored as IQ4_NL; readable are U64, .*Q6_K/)
  await rejects(() => source.read('x'), /no tensor 'x' in this GGUF file/)
})

test('a file cut anywhere is refused', async () => {
  for (let length = 0; length < TYPES.length - 64; length += length < 2048 ? 1 : 101) {
    const cut = TYPES.subarray(0, length)
    assert.is(
      await readsOrRefuses(async () => openCheckpoint(await memory(cut)), `cut at ${length}`),
      'refused',
    )
  }
})

test.run()
