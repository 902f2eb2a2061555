import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { unpickle } from '../../src/checkpoints/pickle.js'
import {
  Opaque,
  PickleDict,
  PickleGlobal,
  type PickleValue,
  StorageRef,
  TensorRef,
} from '../../src/checkpoints/pickle-values.js'
import {
  type Bytes,
  bytes,
  call,
  dict,
  global,
  int,
  littleEndian,
  pickle,
  rejects,
  storage,
  tensor,
  text,
  tuple,
} from './build.js'

const NONE = bytes('N')
const value = (...body: Bytes[]): PickleValue => unpickle(pickle(...body))
const refuses = (pattern: RegExp, ...body: Bytes[]) => rejects(() => value(...body), pattern)
const isOpaque = (found: PickleValue, origin: string) => {
  assert.instance(found, Opaque)
  assert.is((found as Opaque).origin, origin)
}
/** Milliseconds until `file` was refused or read. */
const timed = (file: Uint8Array): number => {
  const start = performance.now()
  try {
    unpickle(file)
  } catch (error) {
    assert.is((error as Error).name, 'CheckpointError')
  }
  return performance.now() - start
}

test('numbers, texts and constants', () => {
  const cases: [body: Bytes, expected: PickleValue][] = [
    [bytes('N'), null],
    [bytes(0x88), true],
    [bytes(0x89), false],
    [bytes('K', 200), 200],
    [bytes('M', 1, 2), 513],
    [bytes('J', littleEndian(-2, 4)), -2],
    [bytes(0x8a, 0), 0],
    [bytes(0x8a, 1, 0xff), -1],
    [bytes(0x8a, 5, littleEndian(2 ** 33, 5)), 2 ** 33],
    [bytes(0x8b, littleEndian(2, 4), 0, 0x80), -32768],
    [bytes('G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0), 1.5],
    [text('abc'), 'abc'],
    [bytes(0x8c, 2, 0xc3, 0xbc), 'ü'],
    [bytes(0x8d, littleEndian(1, 8), 'x'), 'x'],
    [bytes('U', 2, 'hi'), 'hi'],
    [bytes('T', littleEndian(2, 4), 'hi'), 'hi'],
  ]
  for (const [body, expected] of cases) assert.is(value(body), expected, Array.from(body).join(' '))
  isOpaque(value(bytes(0x8a, 9, new Uint8Array(9))), 'an integer beyond 53 bits')
  isOpaque(value(bytes(0x8a, 8, littleEndian(2n ** 60n, 8))), 'an integer beyond 53 bits')
  isOpaque(value(bytes('C', 1, 'x')), 'builtins.bytes')
})

test('containers, marks and the memo', () => {
  assert.equal(value(bytes(']K', 1, 'aK', 2, 'a')), [1, 2])
  assert.equal(value(bytes('](K', 1, 'K', 2, 'e')), [1, 2])
  assert.equal(value(bytes('(K', 1, 'K', 2, 'l')), [1, 2])
  assert.equal(value(bytes('K', 1, 'K', 2, 0x86)), [1, 2])
  assert.equal(value(bytes('(K', 1, ')t')), [1, []])
  assert.equal(value(bytes('K', 7, 'q', 5, '0(h', 5, 'j', 5, 0, 0, 0, 't')), [7, 7])
  assert.equal(value(bytes('K', 7, 0x94, 'r', 1, 0, 0, 0, '0h', 0, 'h', 1, 0x86)), [7, 7])
  assert.equal(value(bytes('K', 1, '2', 0x86)), [1, 1])
  const entries = (value(bytes('}', text('a'), 'K', 1, 's(', text('b'), 'Nu')) as PickleDict).entries
  assert.equal(
    [...entries],
    [
      ['a', 1],
      ['b', null],
    ],
  )
  assert.equal([...(value(bytes('(', text('k'), 'Nd')) as PickleDict).entries], [['k', null]])
})

test('tensors of storages, parameters, sizes and ordered dicts are understood', () => {
  const built = value(tensor(storage('3', 6), [2, 3], [3, 1], 0)) as TensorRef
  assert.instance(built, TensorRef)
  assert.equal(built.storage, new StorageRef('torch.FloatStorage', '3', 6))
  assert.equal([built.offset, built.size, built.stride], [0, [2, 3], [3, 1]])
  const parameter = call(
    global('torch._utils', '_rebuild_parameter'),
    tensor(storage('0', 1), [], []),
    bytes(0x88),
    NONE,
  )
  assert.instance(value(parameter), TensorRef)
  assert.equal(value(call(global('torch', 'Size'), tuple(int(2), int(3)))), [2, 3])
  const ordered = bytes(
    global('collections', 'OrderedDict'),
    ')R(',
    text('a'),
    'Nu}',
    text('_metadata'),
    'Nsb',
  )
  assert.equal([...(value(ordered) as PickleDict).entries], [['a', null]])
  assert.equal(value(global('torch', 'bfloat16')), new PickleGlobal('torch.bfloat16'))
})

test('everything else stays an inert object that swallows what is done to it', () => {
  const system = call(global('os', 'system'), text('touch pickle-ran'))
  isOpaque(value(system), 'os.system')
  isOpaque(value(text('os'), text('system'), bytes(0x93), tuple(text('true')), bytes('R')), 'os.system')
  isOpaque(value(bytes('(', text('true'), 'ios\nsystem\n')), 'os.system')
  isOpaque(value(bytes('(', global('os', 'system'), text('true'), 'o')), 'os.system')
  isOpaque(value(global('m', 'C'), bytes(')', 0x81)), 'm.C')
  isOpaque(value(global('m', 'C'), bytes(')}', 0x92)), 'm.C')
  isOpaque(value(global('m', 'C'), bytes(')', 0x81), dict({ a: system }), bytes('b')), 'm.C')
  isOpaque(value(global('m', 'C'), bytes(')', 0x81), bytes('(', text('a'), 'Nu(Ne(N', 0x90)), 'm.C')
  isOpaque(value(call(call(global('builtins', 'getattr'), system), text('x'))), 'builtins.getattr')
  isOpaque(value(bytes(0x8f, '(K', 1, 0x90)), 'builtins.set')
  isOpaque(value(bytes('(K', 1, 0x91)), 'builtins.frozenset')
  isOpaque(value(bytes(0x82, 7)), 'extension 7')
  isOpaque(value(text('0'), bytes('Q')), 'an unknown persistent id')
  isOpaque(value(call(global('collections', 'OrderedDict'), bytes(']'))), 'collections.OrderedDict')
  isOpaque(
    value(call(global('torch._utils', '_rebuild_sparse_tensor'), NONE)),
    'torch._utils._rebuild_sparse_tensor',
  )
})

test('nonsense is refused with the place where it stands', async () => {
  await rejects(() => unpickle(bytes()), /byte 0 of 0: a pickle of protocol 2 to 5 begins with byte 0x80/)
  await rejects(() => unpickle(bytes('(dp0\n.')), /begins with byte 0x80/)
  await rejects(() => unpickle(bytes(0x80, 6, 'N.')), /protocol 6; readable are 2 to 5/)
  await rejects(() => unpickle(bytes(0x80, 1, 'N.')), /protocol 1/)
  await rejects(() => unpickle(bytes(0x80, 2, 'N')), /1 bytes expected, 0 are left/)
  await refuses(/opcode 0x50/, bytes('Pos\n'))
  await refuses(/opcode 0x97 is none that torch\.save writes/, bytes(0x97))
  await refuses(/opcode 0x49/, bytes('I1\n'))
  await refuses(/the stack is empty/)
  await refuses(/the stack is empty/, bytes('R'))
  await refuses(/the stack is empty/, bytes('K', 1, '(', 0x85))
  await refuses(/the stack is empty/, bytes('K', 1, '(R'))
  await refuses(/there is no mark/, bytes('}u'))
  await refuses(/memo 9 is empty/, bytes('h', 9))
  await refuses(/no dict/, bytes('](NNu'))
  await refuses(/no dict/, bytes('}(Nu'))
  await refuses(/no list/, bytes('}(Ne'))
  await refuses(/no function/, bytes('N)R'))
  await refuses(/without a tuple/, bytes(global('a', 'b'), 'NR'))
  await refuses(/name is no text/, bytes('NN', 0x93))
  await refuses(/name of a global does not end/, bytes('cos'))
  await refuses(/a global with a name too long/, text('m'.repeat(400)), text('n'), bytes(0x93))
  await refuses(/an integer of 2147483647 bytes/, bytes(0x8b, littleEndian(2 ** 31 - 1, 4)))
  await refuses(/-1 bytes expected/, bytes(0x8b, littleEndian(-1, 4)))
  await refuses(/-1 bytes expected/, bytes('T', littleEndian(-1, 4)))
  await refuses(/4294967295 bytes expected/, bytes('X', littleEndian(0xffffffff, 4)))
  await refuses(/18446744073709552000 bytes expected/, bytes(0x8d, littleEndian(-1, 8)))
  await refuses(/18446744073709552000 bytes expected/, bytes(0x96, littleEndian(-1, 8)))
  await refuses(/without a type, key and number/, bytes(tuple(text('storage'), NONE, NONE, NONE, NONE), 'Q'))
  await refuses(/without a type, key and number/, storage('0', -1))
  await refuses(/without a type, key and number/, storage('k'.repeat(300), 1))
  await refuses(/something that is no storage/, tensor(text('0'), [1], [1]))
  for (const [shape, stride, offset] of [
    [[2], [1], -1],
    [[-2], [1], 0],
    [[2], [-1], 0],
    [[2, 3], [1], 0],
    [new Array(65).fill(1), new Array(65).fill(1), 0],
  ] as const)
    await refuses(
      /impossible offset, size or stride/,
      tensor(storage('0', 9), [...shape], [...stride], offset),
    )
})

test('a pickle cut anywhere is refused', async () => {
  const whole = pickle(
    dict({ a: tensor(storage('0', 6), [2, 3], [3, 1]), b: call(global('m', 'f'), text('x')) }),
  )
  assert.instance(unpickle(whole), PickleDict)
  for (let length = 0; length < whole.length; length++)
    await rejects(() => unpickle(whole.subarray(0, length)), /bad pickle/, `cut at ${length}`)
})

test('bombs end soon, in bounded memory', async () => {
  const filled = (size: number, fill: Bytes, head = bytes(0x80, 2)) =>
    bytes(head, Buffer.alloc(size - head.length, fill))
  const size = 1 << 22
  await rejects(
    () => unpickle(filled((1 << 25) + 1, bytes('N'))),
    /has 33554433 bytes; at most 33554432 are read/,
  )
  await rejects(() => unpickle(filled(size, bytes('N'))), /more than 1048576 values on the stack/)
  await rejects(() => unpickle(filled(size, bytes('('))), /more than 1000 nested marks/)
  await rejects(() => unpickle(filled(size, bytes(']0'))), /more than 1048576 lists, tuples and objects/)
  await rejects(
    () => unpickle(filled(size, bytes('C', 0, '0'))),
    /more than 1048576 lists, tuples and objects/,
  )
  await rejects(
    () => unpickle(filled(size, bytes(0x94), bytes(0x80, 2, 'N'))),
    /more than 1048576 memoized values/,
  )
  const pairs = bytes(']q\x00(', new Uint8Array(1 << 19).fill(0x4e), 'e')
  const bombs: [name: string, file: Uint8Array][] = [
    [
      'a long list copied into a tuple again and again',
      filled(size, bytes('h', 0, 0x85, '0'), bytes(0x80, 2, pairs)),
    ],
    [
      'a long list as OrderedDict again and again',
      filled(size, bytes(global('collections', 'OrderedDict'), 'h', 0, 0x85, 'R0'), bytes(0x80, 2, pairs)),
    ],
    [
      'a long list as size again and again',
      filled(size, bytes(global('torch', 'Size'), 'h', 0, 0x85, 'R0'), bytes(0x80, 2, pairs)),
    ],
    [
      'doubling tuples',
      bytes(
        0x80,
        2,
        'N',
        new Uint8Array(400_000).map((_, i) => (i % 2 ? 0x86 : 0x32)),
        '.',
      ),
    ],
    [
      'a long name as global again and again',
      filled(size, bytes('h', 0, 'h', 0, 0x93, '0'), bytes(0x80, 2, text('m'.repeat(200_000)), 'q\x00')),
    ],
    ['empty texts', filled(size, bytes(0x8c, 0, '0'))],
    [
      'items stored in an object again and again',
      filled(size, bytes('(NNu'), bytes(0x80, 2, 'cm\nC\n)', 0x81)),
    ],
  ]
  for (const [name, file] of bombs) {
    const ms = timed(file)
    assert.ok(ms < 5000, `${name}: ${ms.toFixed(0)} ms`)
  }
})

test.run()
