import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openSafetensors, type TensorData, writeSafetensors } from '../../src/checkpoints/safetensors.js'
import { identical } from '../support/compare.js'
import { randomArray } from '../support/random.js'
import { bytes, counting, littleEndian, memory, rejects, vector } from './build.js'

const open = async (file: Uint8Array) => openSafetensors(await memory(file))
const withHeader = (header: string | number[], data: ArrayLike<number> = []) =>
  bytes(littleEndian(header.length, 8), header, data)
const refuses = async (header: unknown, pattern: RegExp, data: ArrayLike<number> = new Uint8Array(8)) => {
  const text = typeof header === 'string' ? header : JSON.stringify(header)
  await rejects(() => open(withHeader(text, data)), pattern)
}
const entry = (dtype: unknown, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
})

test('what is written is read', async () => {
  const matrix = randomArray(6, 1)
  const tensors: Record<string, TensorData> = {
    matrix: { dtype: 'F32', shape: [2, 3], data: matrix },
    scalar: { dtype: 'F64', shape: [], data: Float64Array.of(0.1) },
    nothing: { dtype: 'F32', shape: [4, 0, 2], data: new Float32Array() },
    'möbius 世界': { dtype: 'I8', shape: [3], data: Int8Array.of(-1, 2, 3) },
    __proto__x: { dtype: 'BOOL', shape: [1], data: Uint8Array.of(1) },
  }
  const file = writeSafetensors(tensors, { config: '{"a": 1}' })
  const source = await open(file)
  assert.equal(source.metadata, { config: '{"a": 1}' })
  assert.equal(new Set(source.names()), new Set(Object.keys(tensors)))
  assert.equal(source.info('matrix'), { dtype: 'F32', shape: [2, 3] })
  identical(await source.read('matrix'), matrix)
  identical(await source.read('scalar'), Float32Array.of(0.1))
  assert.is((await source.read('nothing')).length, 0)
  assert.equal(Array.from(await source.read('möbius 世界')), [-1, 2, 3])
  assert.ok(source.has('__proto__x') && !source.has('toString') && !source.has('__proto__'))
  const inPlace = new Float32Array(8).fill(5)
  await source.readInto('matrix', inPlace.subarray(1, 7))
  identical(inPlace, Float32Array.of(5, ...matrix, 5))
  await rejects(() => source.readInto('matrix', new Float32Array(5)), /has 6 values and the target holds 5/)
  await rejects(() => source.read('absent'), /no tensor 'absent'/)
  await rejects(() => source.info('toString'), /no tensor 'toString'/)
})

test('a file of the reference implementation is written back byte for byte', async () => {
  const file = vector('torch/expected.safetensors')
  const source = await open(file)
  const tensors: Record<string, TensorData> = {}
  for (const name of source.names()) {
    const { dtype, shape } = source.info(name)
    assert.ok(dtype === 'F32' || dtype === 'I32')
    const values = await source.read(name)
    tensors[name] = { dtype, shape, data: dtype === 'F32' ? values : Int32Array.from(values) }
  }
  assert.ok(source.names().length > 20)
  const written = writeSafetensors(tensors, source.metadata)
  assert.ok(Buffer.from(written).equals(Buffer.from(file)))
})

test('a large tensor is read in pieces and only when asked for', async () => {
  const big = randomArray(3_000_000, 2)
  const file = writeSafetensors({
    big: { dtype: 'F32', shape: [big.length], data: big },
    other: { dtype: 'F32', shape: [big.length], data: big },
  })
  const { counted, ranges, total } = counting(await memory(file))
  const source = await openSafetensors(counted)
  assert.ok(total() < 300, `${total()} bytes read to open`)
  ranges.length = 0
  identical(await source.read('big'), big)
  assert.is(total(), big.byteLength)
  assert.ok(Math.max(...ranges.map(([, length]) => length)) <= 1 << 22)
})

test('half-precision tensors widen exactly across piece boundaries', async () => {
  const count = (1 << 21) + 3
  const data = Uint16Array.from({ length: count }, (_, i) => i & 0x7bff)
  const source = await open(writeSafetensors({ half: { dtype: 'F16', shape: [count], data } }))
  const values = await source.read('half')
  assert.is(values[1 << 21], values[0])
  assert.is(values[(1 << 21) + 2], 2 * 2 ** -24)
})

test('headers that lie about their length', async () => {
  await rejects(
    () => open(bytes([1, 2, 3])),
    /has 3 bytes; a safetensors file begins with an 8-byte header length/,
  )
  await rejects(
    () => open(bytes(littleEndian(2 ** 30, 8), '{}')),
    /claims 1073741824 bytes; at most 100000000 .* the file has 10/,
  )
  await rejects(() => open(bytes(littleEndian(-1, 8), '{}')), /claims 18446744073709552000 bytes/)
  await rejects(
    () => open(bytes(littleEndian(3, 8), '{}')),
    /claims 3 bytes and 2 follow; the file is truncated/,
  )
  await rejects(() => open(bytes(littleEndian(0, 8))), /begins with byte none, expected '{'/)
})

test('headers that are no table of tensors', async () => {
  await refuses('[]', /begins with byte 91, expected '{'/)
  await refuses('{"a":', /not JSON/)
  await refuses('{"a": 1}', /must have dtype, shape and data_offsets, found 1/)
  await refuses('{"a": null}', /must have dtype, shape and data_offsets, found null/)
  await rejects(() => open(withHeader([...bytes('{"'), 0xff, ...bytes('": 1}')])), /not UTF-8/)
  await refuses({ a: entry(3, [1], 0, 4) }, /must have dtype/)
  await refuses({ a: entry('F32', 'x', 0, 4) }, /must have dtype/)
  await refuses({ a: entry('F32', [-1], 0, 4) }, /must have dtype/)
  await refuses({ a: entry('F32', [1.5], 0, 6) }, /must have dtype/)
  await refuses({ a: entry('F32', [2 ** 53], 0, 8) }, /must have dtype/)
  await refuses({ a: entry('F32', new Array(65).fill(1), 0, 4) }, /must have dtype/)
  await refuses({ a: entry('F32', [2 ** 40, 2 ** 40], 0, 8) }, /needs NaN bytes and has 8/)
  await refuses({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 8] } }, /must have dtype/)
  await refuses({ a: entry('F31', [2], 0, 8) }, /unknown dtype 'F31'; known are U64, I64/)
  await refuses({ a: entry('toString', [2], 0, 8) }, /unknown dtype/)
  await refuses({ a: entry('F32', [3], 0, 8) }, /'a' F32 \[3\] needs 12 bytes and has 8 \(0 to 8\)/)
  await refuses({ a: entry('F32', [2], 8, 0) }, /needs 8 bytes and has -8/)
  await refuses({ __metadata__: { a: 1 } }, /must map text to text/, [])
  await refuses({ __metadata__: ['a'] }, /must map text to text/, [])
  await refuses(
    { ['n'.repeat(600)]: entry('F32', [2], 0, 8) },
    /a tensor name of 600 characters; at most 512/,
  )
})

test('tensors must cover the data exactly', async () => {
  await refuses(
    { a: entry('F32', [2], 0, 8), b: entry('F32', [1], 4, 8) },
    /'b' overlaps the tensor before it: .* byte 4 .* expected 8/,
  )
  await refuses({ a: entry('F32', [2], 0, 8), b: entry('F32', [2], 0, 8) }, /overlaps/)
  await refuses({ a: entry('F32', [1], 4, 8) }, /'a' leaves a hole before it/)
  await refuses(
    { a: entry('F32', [3], 0, 12) },
    /take 12 bytes and the file holds 8 of them; it is truncated/,
  )
  await refuses({ a: entry('F32', [1], 0, 4) }, /take 4 bytes and 4 unexplained bytes follow/)
  await refuses({}, /8 unexplained bytes/)
})

test('a key that occurs twice, however it is spelled', async () => {
  const a = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
  await refuses(`{"a":${a},"a":${a}}`, /has 'a' twice/, [0, 0, 0, 0])
  await refuses(`{"a":${a},"\\u0061":${a}}`, /has 'a' twice/, [0, 0, 0, 0])
  await refuses(`{"a":${a.replace('"shape"', '"dtype":"I32","shape"')}}`, /has 'dtype' twice/, [0, 0, 0, 0])
  await refuses(`{"__metadata__":{"x":"1","x":"2"}}`, /has 'x' twice/, [])
  const fine =
    '{"__metadata__":{"a":"\\"a\\",{[","\\\\":"}"},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}'
  assert.equal((await open(withHeader(fine, [0, 0, 0, 0]))).names(), ['a'])
})

test('F8 is listed and not converted', async () => {
  const header = { a: entry('F8_E4M3', [4], 0, 4), b: entry('F32', [1], 4, 8) }
  const source = await open(withHeader(JSON.stringify(header), [0, 0, 0, 0, 0, 0, 128, 63]))
  assert.equal(Array.from(await source.read('b')), [1])
  await rejects(() => source.read('a'), /'a' is stored as F8_E4M3; readable are U64/)
})

test('a file cut anywhere is refused', async () => {
  const file = writeSafetensors({ a: { dtype: 'F32', shape: [5], data: randomArray(5, 3) } }, { k: 'v' })
  for (let length = 0; length < file.length; length++)
    await rejects(() => open(file.subarray(0, length)), /./, `cut at ${length}`)
})

test('nothing is written that could not be read', async () => {
  const data = new Float32Array(2)
  await rejects(
    () => writeSafetensors({ a: { dtype: 'F32', shape: [3], data } }),
    /'a' F32 \[3\] needs 12 bytes, found 8/,
  )
  await rejects(() => writeSafetensors({ __metadata__: { dtype: 'F32', shape: [2], data } }), /__metadata__/)
})

test.run()
