import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { widen } from '../src/checkpoints/dtypes.js'
import { halfWidener } from '../src/halves.js'
import { freshCore } from './support/core.js'

const { region } = await freshCore()
const widenInCore = halfWidener(region.heap)

/** Every half, NaN and infinity too, three times over and five more: more than the core takes at once, and a rest. */
const halves = Uint16Array.from({ length: 3 * 65_536 + 5 }, (_, i) => i)

test('the core widens every half to the bits that JavaScript gives', () => {
  const [expected, found] = [new Float32Array(halves.length), new Float32Array(halves.length)]
  const bytes = new Uint8Array(halves.buffer)
  widen('F16', bytes, expected)
  widen('F16', bytes, found, widenInCore)
  assert.is(found[0x3c00], 1)
  assert.ok(Buffer.from(found.buffer).equals(Buffer.from(expected.buffer)))
})

test('its memory is given back', () => {
  const before = region.heap.used
  for (const length of [0, 1, 2, 3, 4, 70_000])
    widenInCore(new Uint8Array(halves.buffer, 0, 2 * length), new Float32Array(length))
  assert.is(region.heap.used, before)
})

test.run()
