import type { Heap } from '../bindings/memory.js'
import type { HalfWidener } from './checkpoints/dtypes.js'

const AT_ONCE = 1 << 16

/** Widens in the core: JavaScript that has just started takes 8 ns for each of the default model's halves. */
export function halfWidener(heap: Heap): HalfWidener {
  return (bytes, target) => {
    const most = Math.min(target.length, AT_ONCE)
    const halves = heap.alloc(2 * most + 6)
    const values = heap.alloc(4 * most + 12)
    for (let first = 0; first < target.length; first += most) {
      const count = Math.min(most, target.length - first)
      heap.bytes(halves, 2 * count).set(bytes.subarray(2 * first, 2 * (first + count)))
      heap.kernels.widenF16(values, halves, count)
      target.set(heap.f32(values, count), first)
    }
    heap.release(halves)
    heap.release(values)
  }
}
