import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Region } from '../../bindings/memory.js'
import { freshCore } from '../support/core.js'
import { random } from '../support/random.js'

test('allocations never overlap, and everything comes back', async () => {
  const { heap } = await freshCore()
  const next = random(5)
  const held = new Map<number, number>()
  for (let i = 0; i < 3000; i++) {
    if (held.size > 40 || (held.size && next() < -0.2)) {
      const [start] = [...held.keys()].slice(Math.floor(((next() + 1) / 2) * held.size))
      heap.release(start)
      held.delete(start)
    } else {
      const bytes = 1 + Math.floor(((next() + 1) / 2) ** 4 * 300_000)
      const start = heap.alloc(bytes)
      assert.is(start % 64, 0)
      for (const [other, size] of held)
        assert.ok(
          start + bytes <= other || other + size <= start,
          `${start}+${bytes} overlaps ${other}+${size}`,
        )
      held.set(start, bytes)
    }
  }
  for (const start of held.keys()) heap.release(start)
  assert.is(heap.used, 0)
  const capacity = heap.capacity
  heap.release(heap.alloc(capacity / 2))
  assert.is(heap.capacity, capacity, 'freed memory is joined and used again')
})

test('a region gives back what it and its children hold', async () => {
  const { heap } = await freshCore()
  const region = new Region(heap)
  region.alloc(1000)
  const child = region.child()
  child.alloc(50)
  child.free()
  child.alloc(70)
  region.release(region.alloc(10))
  region.free()
  assert.is(heap.used, 0)
})

test('views hold what was copied in, across growth', async () => {
  const { heap } = await freshCore()
  const region = new Region(heap)
  const pointer = region.copy([1.5, -2, 3])
  region.alloc(10_000_000)
  assert.equal([...heap.f32(pointer, 3)], [1.5, -2, 3])
})

test('releasing what was not allocated is an error, and so is more memory than there is', async () => {
  const { heap } = await freshCore()
  assert.throws(() => heap.release(64), /not an allocation/)
  assert.throws(() => heap.alloc(5 * 2 ** 30), RangeError)
})

test.run()
