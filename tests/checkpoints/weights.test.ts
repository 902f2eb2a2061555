import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openCheckpoint } from '../../src/checkpoints/open.js'
import { openSafetensors, type TensorData, writeSafetensors } from '../../src/checkpoints/safetensors.js'
import { elementCount } from '../../src/checkpoints/source.js'
import { merged, renamed } from '../../src/checkpoints/views.js'
import { foldWeightNorm, WeightReader, weightShape } from '../../src/checkpoints/weights.js'
import { identical } from '../support/compare.js'
import { randomArray } from '../support/random.js'
import { bytes, dict, global, memory, pickle, rejects, storage, tensor, torchFile, vector } from './build.js'

/** A source of float32 tensors: given values, or random ones of a shape. */
async function source(tensors: Record<string, number[] | { shape: number[]; values?: ArrayLike<number> }>) {
  const data: Record<string, TensorData> = {}
  for (const [i, [name, given]] of Object.entries(tensors).entries()) {
    const { shape, values } = Array.isArray(given) ? { shape: given, values: undefined } : given
    data[name] = {
      dtype: 'F32',
      shape,
      data: Float32Array.from(values ?? randomArray(elementCount(shape), 50 + i)),
    }
  }
  return openSafetensors(await memory(writeSafetensors(data)))
}

/** Distance in units of the last place. */
function ulps(a: number, b: number): number {
  const [x, y] = new Int32Array(Float32Array.of(a, b).buffer)
  return a === b ? 0 : Math.sign(a) === Math.sign(b) ? Math.abs(x - y) : Number.POSITIVE_INFINITY
}

test("folding equals PyTorch's weight norm", async () => {
  const normed = await openCheckpoint(await memory(vector('wavtokenizer/micro.pt')))
  const folded = await openCheckpoint(await memory(vector('wavtokenizer/micro-folded.safetensors')))
  const layers = normed
    .names()
    .filter(name => /encoder\..*\.weight_v$/.test(name))
    .map(name => name.slice(0, -'.weight_v'.length))
  let values = 0
  let exact = 0
  for (const layer of layers) {
    const expected = await folded.read(`${layer}.weight`)
    const actual = await foldWeightNorm(normed, layer)
    assert.is(actual.length, expected.length, layer)
    for (let i = 0; i < actual.length; i++) {
      const distance = ulps(actual[i], expected[i])
      assert.ok(distance <= 2, `${layer}[${i}]: ${actual[i]}, PyTorch ${expected[i]}`)
      if (distance === 0) exact++
    }
    values += actual.length
    identical(await foldWeightNorm(folded, layer), expected, `${layer}, already folded`)
    assert.equal(weightShape(normed, layer), folded.info(`${layer}.weight`).shape)
  }
  assert.ok(
    layers.length >= 18 && exact > 0.8 * values,
    `${layers.length} layers, ${exact} of ${values} exact`,
  )
})

test('both spellings of weight norm fold alike; the norm is over all dimensions but the first', async () => {
  const v = { shape: [2, 1, 2], values: [3, 4, 0, -5] }
  const g = { shape: [2, 1, 1], values: [10, 2] }
  const old = await source({ 'a.weight_g': g, 'a.weight_v': v })
  const recent = await source({
    'a.parametrizations.weight.original0': g,
    'a.parametrizations.weight.original1': v,
  })
  for (const tensors of [old, recent]) {
    assert.equal(Array.from(await foldWeightNorm(tensors, 'a')), [6, 8, 0, -2])
    assert.equal(weightShape(tensors, 'a'), [2, 1, 2])
  }
  assert.is(weightShape(old, 'b'), undefined)
})

test('weight norm that cannot be folded', async () => {
  const v = { shape: [2, 1, 2], values: [3, 4, 0, 0] }
  await rejects(
    async () => foldWeightNorm(await source({ 'a.weight_g': [2, 1, 1], 'a.weight_v': v }), 'a'),
    /row 1 of 'a\.weight_v' is all zeros/,
  )
  const misfit = await source({ 'a.weight_g': [3, 1, 1], 'a.weight_v': [2, 1, 2] })
  await rejects(
    () => foldWeightNorm(misfit, 'a'),
    /'a\.weight_g' \[3, 1, 1\] does not fit 'a\.weight_v' \[2, 1, 2\]/,
  )
  const perTap = await source({ 'a.weight_g': [1, 1, 2], 'a.weight_v': [2, 1, 2] })
  await rejects(() => foldWeightNorm(perTap, 'a'), /does not fit/)
  await rejects(
    async () => foldWeightNorm(await source({ 'a.weight_v': [2, 1, 2] }), 'a'),
    /no tensor 'a\.weight_g'/,
  )
  await rejects(async () => foldWeightNorm(await source({ x: [1] }), 'a'), /no tensor 'a\.weight'/)
})

test('the reader hands out what fits and counts parameters', async () => {
  const tensors = await source({
    'c.weight_g': [2, 1, 1],
    'c.weight_v': [2, 3, 2],
    'c.bias': [2],
    'd.weight': [4, 1, 1],
    skip: [9],
  })
  const reader = new WeightReader(tensors, { strict: true, ignore: ['sk'] })
  identical(await reader.conv('c', [2, 3, 2]), await foldWeightNorm(tensors, 'c'))
  identical(await reader.conv('d', [4, 1, 1]), await tensors.read('d.weight'))
  identical(await reader.tensor('c.bias', [2]), await tensors.read('c.bias'))
  assert.is(reader.parameters, 12 + 4 + 2)
  reader.finish()
})

test('one error lists everything that does not fit', async () => {
  const tensors = await source({ a: [2, 3], 'c.weight_v': [2, 3, 2], extra: [1], 'ignored.x': [1] })
  const reader = new WeightReader(tensors, { strict: true, ignore: ['ignored.'] })
  assert.equal(await reader.tensor('a', [3, 2]), new Float32Array(6))
  assert.is((await reader.tensor('b', [4])).length, 4)
  assert.is((await reader.conv('c', [2, 3, 3])).length, 18)
  assert.is((await reader.conv('d', [1, 1, 1])).length, 1)
  await rejects(
    () => reader.finish(),
    /^the checkpoint does not fit the model \(tensors: 3 missing, 2 mis-shaped, 1 extra\)\n {2}missing: b \[4\]\n {2}missing: c\.weight_g \[2, 1, 1\]\n {2}missing: d\.weight \[1, 1, 1\]\n {2}mis-shaped: a is \[2, 3\], expected \[3, 2\]\n {2}mis-shaped: c\.weight_v is \[2, 3, 2\], expected \[2, 3, 3\]\n {2}extra: extra$/,
  )
})

test('extra tensors matter only to a strict reader', async () => {
  const tensors = await source({ a: [1], extra: [1] })
  for (const strict of [false, true]) {
    const reader = new WeightReader(tensors, { strict })
    await reader.tensor('a', [1])
    if (strict) await rejects(() => reader.finish(), /0 missing, 0 mis-shaped, 1 extra/)
    else reader.finish()
  }
})

test('a long list is cut, and a checkpoint of something else is described', async () => {
  const reader = new WeightReader(await source({ x: [1], y: [1], z: [1], zz: [1] }))
  for (let i = 0; i < 50; i++) await reader.tensor(`layer.${i}`, [2])
  await rejects(
    () => reader.finish(),
    /50 missing, .*; its names are x, y, z and 1 others\n {2}missing: layer\.0 \[2\]\n(.*\n){19} {2}and 30 more$/,
  )
})

test('the reason comes along when a tensor is there but cannot be read', async () => {
  const weight = tensor(storage('0', 2), [2], [1])
  const sparse = bytes(global('torch._utils', '_rebuild_sparse_tensor'), ')R')
  const file = torchFile(pickle(dict({ w: weight, s: sparse, short: tensor(storage('0', 2), [3], [1]) })), {
    0: new Float32Array(2),
  })
  const reader = new WeightReader(renamed(await openCheckpoint(await memory(file)), [['s', 'S']]))
  await reader.tensor('w', [2])
  await reader.tensor('S', [2])
  await reader.tensor('Short', [3])
  await rejects(
    () => reader.finish(),
    /missing: S \[2\]: 's' depends on 'torch\._utils\._rebuild_sparse_tensor'/,
  )
  await rejects(() => reader.finish(), /missing: Short \[3\]: .* ends at element 3 of a storage of 2/)
})

test('renamed: prefixes and patterns, one after the other', async () => {
  const tensors = await source({
    'encoder.layers.0.conv.weight': [1],
    'encoder.layers.12.conv.bias': [2],
    other: [3],
  })
  const view = renamed(tensors, [
    ['encoder.layers.', 'model.'],
    [/^(model\.\d+)\.conv\./, '$1.conv.conv.'],
    ['layers', 'never at the start'],
  ])
  assert.equal(
    new Set(view.names()),
    new Set(['model.0.conv.conv.weight', 'model.12.conv.conv.bias', 'other']),
  )
  assert.equal(view.info('model.12.conv.conv.bias').shape, [2])
  identical(await view.read('other'), await tensors.read('other'))
  const target = new Float32Array(2)
  await view.readInto('model.12.conv.conv.bias', target)
  identical(target, await tensors.read('encoder.layers.12.conv.bias'))
  assert.not.ok(view.has('encoder.layers.12.conv.bias'))
  await rejects(
    () => view.read('encoder.layers.12.conv.bias'),
    /no tensor 'encoder\.layers\.12\.conv\.bias' \(after renaming\)/,
  )
  await rejects(() => renamed(tensors, [[/.*/, 'same']]), /are both 'same' here/)
})

test('merged: several files as one', async () => {
  let closed = 0
  const close = async () => void closed++
  const first = { ...(await source({ a: [1] })), metadata: { x: '1' }, close }
  const second = { ...(await source({ b: [2] })), metadata: { y: '2' }, close }
  const all = merged([first, second])
  assert.equal(all.names(), ['a', 'b'])
  assert.equal(all.metadata, { x: '1', y: '2' })
  assert.equal(all.info('b').shape, [2])
  identical(await all.read('b'), await second.read('b'))
  await rejects(() => all.read('c'), /no tensor 'c' in these 2 files/)
  await rejects(() => merged([first, second, first]), /two of the files have a tensor 'a'/)
  await all.close()
  assert.is(closed, 2)
})

test.run()
