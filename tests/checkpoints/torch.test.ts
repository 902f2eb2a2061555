import { existsSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { byteSource } from '../../src/checkpoints/bytes.js'
import { bytesPerElement, type Dtype } from '../../src/checkpoints/dtypes.js'
import { openCheckpoint } from '../../src/checkpoints/open.js'
import type { TensorSource } from '../../src/checkpoints/source.js'
import { openTorch } from '../../src/checkpoints/torch.js'
import { identical } from '../support/compare.js'
import {
  type Bytes,
  bytes,
  call,
  counting,
  dict,
  global,
  int,
  memory,
  pickle,
  rejects,
  storage,
  tensor,
  text,
  torchFile,
  vector,
  vectorPath,
  zip,
} from './build.js'

interface Expected {
  kind: 'sound' | 'refused' | 'inert' | 'either'
  tensors: Record<string, { dtype: string; shape: number[]; rule?: string; values?: string[] }>
}

const DTYPES: Record<string, string> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
}
const FILES: [file: string, about: Expected][] = Object.entries(
  JSON.parse(new TextDecoder().decode(vector('torch/expected.json'))),
)
const open = async (file: Uint8Array) => openTorch(await memory(file))

/** Holds every tensor of a file made by make_torch_files.py against its values; returns how many there were. */
async function compare(
  file: string,
  source: TensorSource,
  about: Expected,
  values: TensorSource,
): Promise<number> {
  const inState = Object.keys(about.tensors).some(name => name.startsWith('state_dict/'))
  let compared = 0
  for (const [path, { dtype, shape, rule, values: listed }] of Object.entries(about.tensors)) {
    if (inState && !path.startsWith('state_dict/')) continue // beside the state dict: not part of the model
    const name = path.replace('state_dict/', '').replaceAll('/', '.')
    assert.equal(source.info(name), { dtype: DTYPES[dtype], shape }, `${file} ${name}`)
    const expected = rule
      ? Float32Array.from({ length: shape[0] }, (_, n) => n / 2 - 100)
      : listed
        ? Float32Array.from(listed, Number)
        : await values.read(`${file}/${path}`)
    identical(await source.read(name), expected, `${file} ${name}`)
    compared++
  }
  return compared
}

test('files of PyTorch, sound, damaged and hostile', async () => {
  const values = await openCheckpoint(await byteSource(vectorPath('torch/expected.safetensors')))
  const counts = { sound: 0, refused: 0, inert: 0, either: 0 }
  for (const [file, about] of FILES) {
    const input = await byteSource(vectorPath(`torch/${file}`))
    counts[about.kind]++
    const start = performance.now()
    if (about.kind === 'refused' || ['legacy.pt', 'deflated.pt'].includes(file)) {
      await rejects(
        async () => {
          const source = await openCheckpoint(input)
          for (const name of source.names()) await source.read(name)
        },
        /torch\/[^/]+: |^'weight' |^the storage of 'weight'|in the zip file/,
        file,
      )
    } else {
      assert.ok((await compare(file, await openCheckpoint(input), about, values)) > 0, file)
    }
    await input.close()
    assert.ok(performance.now() - start < 2000, `${file} took ${performance.now() - start} ms`)
  }
  assert.ok(counts.sound >= 9 && counts.refused >= 50 && counts.inert >= 3, JSON.stringify(counts))
  await values.close()
  assert.not.ok(existsSync('wavtok-hostile-pickle-ran'), 'a pickle was executed')
  assert.is(({} as { polluted?: boolean }).polluted, undefined)
  assert.is((globalThis as { hostile?: number }).hostile, undefined)
})

test('what is refused says what to do', async () => {
  const message = async (file: string, pattern: RegExp) =>
    rejects(async () => openCheckpoint(await memory(vector(`torch/${file}`))), pattern, file)
  await message('legacy.pt', /format of PyTorch before 1\.6 .*torch\.save\(state_dict, path\)/)
  await message('deflated.pt', /is compressed \(method 8, deflate\)/)
  await message('big-endian.pt', /byte order is 'big', expected 'little'/)
  await message('hostile-os-system.pt', /'weight' depends on 'os\.system', which this reader never runs/)
  await message('bomb-itself.pt', /nested more than 32 deep/)
  await message('truncated.pt', /truncated/)
})

test('a Lightning checkpoint is read without touching discriminators and optimizer state', async () => {
  const { counted, ranges, total } = counting(await memory(vector('wavtokenizer/tiny-75.ckpt')))
  const source = await openTorch(counted)
  const opening = total()
  const wanted = source
    .names()
    .filter(name => /^(backbone|head\.out|feature_extractor\.encodec\.encoder)\./.test(name))
  assert.ok(wanted.length > 100 && wanted.length < source.names().length - 60)
  assert.ok(source.has('multiperioddisc.discriminators.0.convs.0.bias'))
  ranges.length = 0
  let stored = 0
  for (const name of wanted)
    stored += (await source.read(name)).length * bytesPerElement(source.info(name).dtype as Dtype)
  const LOCAL_HEADER = 30
  assert.is(total(), stored + LOCAL_HEADER * wanted.length)
  assert.ok(opening < 90_000, `${opening} bytes to open: data.pkl and the directory`)
})

test('what is not asked for is never read, however large', async () => {
  const moments = new Float32Array(1 << 20)
  const weight = tensor(storage('0', 2), [2], [1])
  const big = tensor(storage('1', moments.length), [moments.length], [1])
  const state = dict({
    state_dict: dict({ w: weight, discriminator: big }),
    optimizer_states: dict({ exp_avg: big }),
  })
  const file = torchFile(pickle(state), { 0: Float32Array.of(1, 2), 1: moments })
  const { counted, total } = counting(await memory(file))
  const source = await openTorch(counted)
  assert.equal(Array.from(await source.read('w')), [1, 2])
  assert.is(source.info('discriminator').shape[0], moments.length)
  assert.ok(total() < 1500, `${total()} of ${file.length} bytes`)
})

test('names come from state_dict, model_state_dict or the file itself', async () => {
  const weight = tensor(storage('0', 2), [2], [1])
  const data = { 0: Float32Array.of(3, 4) }
  const named = async (top: Bytes) => (await open(torchFile(pickle(top), data))).names()
  assert.equal(await named(dict({ w: weight })), ['w'])
  assert.equal(await named(dict({ state_dict: dict({ w: weight }), other: weight })), ['w'])
  assert.equal(await named(dict({ model_state_dict: dict({ 'a.b': weight }), codebook_weights: weight })), [
    'a.b',
  ])
  assert.equal(
    await named(dict({ generator: dict({ 'a.b': weight, inner: dict({ c: weight }) }), step: int(3) })),
    ['generator.a.b', 'generator.inner.c'],
  )
  assert.equal(await named(bytes('}(K', 0, weight, text('1'), weight, 'u')), ['0', '1'])
  await rejects(
    () => named(bytes('}(K', 1, weight, text('1'), weight, 'u')),
    /two tensors of the checkpoint are named '1'/,
  )
  await rejects(() => named(dict({ 'a.b': weight, a: dict({ b: weight }) })), /two tensors .* 'a\.b'/)
  await rejects(() => named(dict({})), /there are no tensors/)
  await rejects(() => named(dict({ ['x'.repeat(513)]: weight })), /a tensor name of 513 characters/)
  await rejects(() => named(bytes(']', weight, 'a')), /no dict of tensors; save the weights with/)
})

test('objects of foreign code: named when a tensor depends on them, ignored elsewhere', async () => {
  const weight = tensor(storage('0', 2), [2], [1])
  const quantized = call(global('torch._utils', '_rebuild_qtensor'), storage('0', 2))
  const file = (top: Bytes) => torchFile(pickle(top), { 0: Float32Array.of(3, 4) })
  const mixed = await open(
    file(
      dict({ state_dict: dict({ w: weight, q: quantized }), args: call(global('argparse', 'Namespace')) }),
    ),
  )
  assert.equal(Array.from(await mixed.read('w')), [3, 4])
  assert.ok(mixed.has('q'))
  await rejects(
    () => mixed.read('q'),
    /'q' depends on 'torch\._utils\._rebuild_qtensor', which this reader never runs/,
  )
  const bare = await open(
    file(dict({ model: dict({ w: weight }), args: call(global('argparse', 'Namespace')) })),
  )
  assert.equal(bare.names(), ['model.w'])
  const instance = bytes(global('my.models', 'Codec'), ')', 0x81, dict({ w: weight }), 'b')
  await rejects(() => open(file(instance)), /the file depends on 'my\.models\.Codec'/)
  await rejects(
    () => open(file(dict({ state_dict: instance }))),
    /'state_dict' depends on 'my\.models\.Codec'/,
  )
})

test('views of one storage', async () => {
  const base = Float32Array.from({ length: 24 }, (_, i) => i)
  const views: Record<string, [shape: number[], stride: number[], offset: number, expected: number[]]> = {
    scalar: [[], [], 7, [7]],
    row: [[4], [1], 8, [8, 9, 10, 11]],
    column: [[3], [8], 2, [2, 10, 18]],
    transposed: [[2, 3], [1, 2], 0, [0, 2, 4, 1, 3, 5]],
    expanded: [[2, 2], [0, 1], 5, [5, 6, 5, 6]],
    permuted: [[2, 2, 2], [1, 12, 4], 3, [3, 7, 15, 19, 4, 8, 16, 20]],
    unit: [[1, 3, 1], [99, 1, 55], 0, [0, 1, 2]],
    empty: [[3, 0], [1, 1], 99, []],
    overlapping: [[3, 2], [1, 1], 0, [0, 1, 1, 2, 2, 3]],
  }
  const items = Object.entries(views).map(([name, [shape, stride, offset]]) => [
    name,
    tensor(storage('0', 24), shape, stride, offset),
  ])
  const source = await open(torchFile(pickle(dict(Object.fromEntries(items))), { 0: base }))
  for (const [name, [shape, , , expected]] of Object.entries(views)) {
    assert.equal(source.info(name).shape, shape)
    assert.equal(Array.from(await source.read(name)), expected, name)
  }
})

test('descriptions that the file cannot keep', async () => {
  const refuses = async (body: Bytes, pattern: RegExp, data: ArrayBufferView = new Float32Array(6)) => {
    const source = await open(torchFile(pickle(dict({ w: body })), { 0: data }))
    await rejects(() => source.info('w'), pattern)
    await rejects(() => source.read('w'), pattern)
  }
  await refuses(tensor(storage('0', 6), [7], [1]), /'w' \[7\] ends at element 7 of a storage of 6/)
  await refuses(tensor(storage('0', 6), [2], [2 ** 30]), /ends at element 1073741825 of a storage of 6/)
  await refuses(tensor(storage('0', 6), [3], [1], 4), /ends at element 7/)
  await refuses(tensor(storage('0', 7), [2], [1]), /the storage of 'w' has 24 bytes, expected 28/)
  await refuses(tensor(storage('1', 6), [2], [1]), /the storage of 'w', data\/1, is not in the file/)
  await refuses(
    tensor(storage('0', 6, 'ComplexFloatStorage'), [2], [1]),
    /stored as torch\.ComplexFloatStorage; readable are/,
  )
  await refuses(tensor(storage('0', 6), [2 ** 25], [0]), /claims 33554432 values from a storage of 6/)
  await refuses(
    tensor(storage('0', 6), new Array(60).fill(2 ** 30), new Array(60).fill(0)),
    /claims NaN values/,
  )
  const source = await open(
    torchFile(pickle(dict({ w: tensor(storage('0', 2), [2], [1]) })), { 0: Float32Array.of(1, 2) }),
  )
  await rejects(() => source.readInto('w', new Float32Array(3)), /has 2 values and the target holds 3/)
  await rejects(() => source.read('x'), /there is no tensor 'x'/)
})

test('zip files that are not of torch.save', async () => {
  const data = pickle(dict({ w: tensor(storage('0', 1), [1], [1]) }))
  await rejects(
    () => open(zip([{ name: 'word/document.xml', data: [] }])),
    /0 entries named \*\/data\.pkl, expected 1; it holds word/,
  )
  await rejects(() => open(zip([])), /it holds nothing/)
  await rejects(() => open(zip([{ name: 'data.pkl', data }])), /0 entries/)
  await rejects(
    () =>
      open(
        zip([
          { name: 'a/data.pkl', data },
          { name: 'b/data.pkl', data },
        ]),
      ),
    /2 entries/,
  )
  await rejects(
    () =>
      open(
        zip([
          { name: 'a/data.pkl', data },
          { name: 'a/constants.pkl', data },
        ]),
      ),
    /TorchScript/,
  )
})

test('zip64 archives, as torch writes them beyond 4 GiB', async () => {
  const data = pickle(dict({ w: tensor(storage('0', 2), [2], [1]) }))
  const source = await open(torchFile(data, { 0: Float32Array.of(5, 6) }, { zip64: true }))
  assert.equal(Array.from(await source.read('w')), [5, 6])
})

test.run()
