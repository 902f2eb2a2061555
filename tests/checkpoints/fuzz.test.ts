// Seeded damage to real files: every outcome is tensors or a CheckpointError, soon.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openCheckpoint } from '../../src/checkpoints/open.js'
import { writeSafetensors } from '../../src/checkpoints/safetensors.js'
import { openTorch } from '../../src/checkpoints/torch.js'
import { ZipArchive } from '../../src/checkpoints/zip.js'
import { random, randomArray } from '../support/random.js'
import { type Bytes, memory, readsOrRefuses, vector, zip } from './build.js'

const SLOWEST_MS = 2000
const INTERESTING = [0, 1, 0x7f, 0x80, 0xff]

/** One to six bytes set, removed, repeated or moved. */
function damaged(file: Uint8Array, next: () => number): Bytes {
  const below = (limit: number) => Math.floor(((next() + 1) / 2) * limit)
  const result = Array.from(file)
  for (let edits = 1 + below(6); edits > 0; edits--) {
    const at = below(result.length)
    const kind = below(10)
    if (kind < 5) result[at] = below(256)
    else if (kind < 7) result[at] = INTERESTING[below(INTERESTING.length)]
    else if (kind === 7) result.splice(at, 1 + below(4))
    else if (kind === 8) result.splice(at, 0, ...result.slice(at, at + 1 + below(16)))
    else result.splice(at, 0, result[below(result.length)])
  }
  return Uint8Array.from(result)
}

async function survives(
  what: string,
  seed: number,
  rounds: number,
  open: (next: () => number) => () => ReturnType<typeof openTorch>,
) {
  const next = random(seed)
  const outcomes = { read: 0, refused: 0 }
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    outcomes[await readsOrRefuses(open(next), `${what}, round ${round}`)]++
    const ms = performance.now() - start
    assert.ok(ms < SLOWEST_MS, `${what}, round ${round}: ${ms.toFixed(0)} ms`)
  }
  assert.ok(outcomes.read > 0 && outcomes.refused > 0, `${what}: ${JSON.stringify(outcomes)}`)
}

test('whole files of torch.save', async () => {
  for (const [seed, name] of ['views.pt', 'nested.pth', 'pytorch_model.bin'].entries()) {
    const file = vector(`torch/${name}`)
    await survives(name, seed, 700, next => {
      const bytes = damaged(file, next)
      return async () => openCheckpoint(await memory(bytes))
    })
  }
})

test('pickles inside sound archives', async () => {
  for (const [seed, name] of ['views.pt', 'nested.pth', 'protocol-4.pt'].entries()) {
    const archive = await ZipArchive.open(await memory(vector(`torch/${name}`)))
    const entries = [...archive.entries.values()]
    const items = await Promise.all(
      entries.map(async entry => ({ name: entry.name, data: await archive.read(entry) })),
    )
    const sound = items.find(item => item.name.endsWith('/data.pkl'))!
    await survives(`${name} data.pkl`, 100 + seed, 1000, next => {
      const file = zip(
        items.map(item => (item === sound ? { ...item, data: damaged(item.data, next) } : item)),
      )
      return async () => openTorch(await memory(file))
    })
  }
})

test('safetensors', async () => {
  const file = writeSafetensors(
    {
      weight: { dtype: 'F32', shape: [3, 4], data: randomArray(12, 1) },
      bias: { dtype: 'F16', shape: [3], data: new Uint16Array(3) },
      codes: { dtype: 'I64', shape: [2], data: new BigInt64Array(2) },
    },
    { config: '{"family": "x"}' },
  )
  await survives('safetensors', 7, 2000, next => {
    const bytes = damaged(file, next)
    return async () => openCheckpoint(await memory(bytes))
  })
})

test('GGUF', async () => {
  for (const [seed, name] of ['types', 'micro-q5_1'].entries()) {
    const file = vector(`gguf/${name}.gguf`)
    const header = file.subarray(0, seed === 0 ? 2300 : 6200) // where most damage matters
    await survives(name, 40 + seed, 1000, next => {
      const part = damaged(header, next)
      const bytes = new Uint8Array([...part, ...file.subarray(header.length)])
      return async () => openCheckpoint(await memory(next() > 0.5 ? damaged(file, next) : bytes))
    })
  }
})

test('a torch file cut at any byte is refused', async () => {
  const file = vector('torch/pytorch_model.bin')
  for (let length = 0; length < file.length; length++) {
    const cut = file.subarray(0, length)
    assert.is(
      await readsOrRefuses(async () => openCheckpoint(await memory(cut)), `cut at ${length}`),
      'refused',
    )
  }
})

test.run()
