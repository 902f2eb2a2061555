import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError, TokenError } from '../../src/errors.js'
import {
  bytesToCodes,
  codesToBytes,
  loadQuantizer,
  type MultiCodebookSpec,
  openQuantizer,
} from '../../src/quantizers/index.js'
import { lowest } from '../../src/quantizers/mvq_search.js'
import { maxError } from '../support/compare.js'
import { randomArray } from '../support/random.js'
import { cases, vectors } from '../support/vectors.js'

const test = suite('quantizers/mvq')
const FILE = 'quantizers/mvq.safetensors'
const known = vectors(FILE)

function specOf(name: string, about: Record<string, number>, refinements?: number): MultiCodebookSpec {
  const centers = known.get(`${name}.centers`)!
  const [codebooks, size, columns] = centers.shape
  const rows = codebooks * size
  return {
    kind: 'mvq',
    centers: { data: centers.data, rows, columns },
    toLogits: {
      weight: { data: known.get(`${name}.weight`)!.data, rows, columns },
      bias: known.get(`${name}.bias`)!.data,
    },
    codebooks,
    logitsScale: about.logitsScale,
    centersScale: about.centersScale,
    refinements,
  }
}

for (const { name, about } of cases(FILE, 'mvq_')) {
  const x = known.get(`${name}.x`)!
  const [frames] = x.shape
  for (const passes of [0, 1, 5])
    test(`${name}: codes after ${passes} refinements as multi-quantization`, async () => {
      const quantizer = await openQuantizer(specOf(name, about, passes))
      const codes = quantizer.encode(x.data, frames)
      assert.equal(
        codes.flatMap(row => [...row]),
        [...known.get(`${name}.codes${passes}`)!.integers],
      )
      if (passes !== 5) return
      assert.ok(maxError(quantizer.decode(codes), known.get(`${name}.decoded`)!.data) < 2e-6)
      const bytes = known.get(`${name}.bytes`)?.integers ?? codes[0]
      assert.equal([...codesToBytes(codes, about.size)], [...bytes])
      assert.equal(bytesToCodes(Uint8Array.from(bytes), about.codebooks, about.size), codes)
    })

  test(`${name}: the same frame by frame, saved and loaded, for fewer codebooks`, async () => {
    const quantizer = await openQuantizer(specOf(name, about))
    const whole = quantizer.encode(x.data, frames)
    const dim = x.shape[1]
    for (let t = 0; t < frames; t += 9) {
      const codes = quantizer.encode(x.data.subarray(t * dim, (t + 1) * dim), 1)
      assert.equal(
        codes.map(row => row[0]),
        whole.map(row => row[t]),
      )
    }
    const again = await loadQuantizer(quantizer.save())
    assert.equal(again.encode(x.data, frames), whole)
    assert.equal(quantizer.encode(x.data, frames, 1), whole.slice(0, 1))
  })
}

test('two codebooks of four: one refinement finds the best of all pairs', async () => {
  const dim = 3
  const centers = { data: randomArray(8 * dim, 50), rows: 8, columns: dim }
  const toLogits = { weight: { data: randomArray(8 * dim, 51), rows: 8, columns: dim } }
  const x = randomArray(40 * dim, 52, 2)
  const spec = { kind: 'mvq', centers, toLogits, codebooks: 2, logitsScale: 0, centersScale: 0 } as const
  const codes = (await openQuantizer({ ...spec, refinements: 1 })).encode(x, 40)
  for (let t = 0; t < 40; t++) {
    const error = (pair: number) => {
      let sum = 0
      for (let d = 0; d < dim; d++) {
        const first = centers.data[Math.floor(pair / 4) * dim + d]
        sum += (first + centers.data[(4 + (pair % 4)) * dim + d] - x[t * dim + d]) ** 2
      }
      return sum
    }
    const best = Array.from({ length: 16 }, (_, i) => i).reduce((a, b) => (error(b) < error(a) ? b : a))
    assert.is(codes[0][t] * 4 + codes[1][t], best, `frame ${t}`)
  }
})

test('the lowest of values are as sorting finds them', () => {
  for (const [length, count] of [
    [1, 1],
    [16, 8],
    [256, 16],
    [1000, 128],
  ]) {
    const values = Float64Array.from(randomArray(length, count), value => Math.round(20 * value))
    const sorted = Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b] || a - b)
    if (count < length) assert.equal([...lowest(values, count)], sorted.slice(0, count))
    else assert.equal([...lowest(values, count)], [...values.keys()])
  }
})

test('errors say what is wrong', async () => {
  const [{ name, about }] = cases(FILE, 'mvq_')
  const error = await openQuantizer({ ...specOf(name, about), codebooks: 3 }).catch(reason => reason)
  assert.ok(error instanceof ConfigError && /powers of two/.test(error.message))
  assert.throws(
    () => codesToBytes([[1], [1, 2]], 16),
    (reason: unknown) => reason instanceof TokenError,
  )
})

test.run()
