import type { Kernels } from './kernels.js'
import type { Team } from './team.js'

const ALIGNMENT = 64 // one cache line
const PAGE = 65536
const GROWTH = 1 << 20 // at least: each growth costs 0.1 ms and all views

interface Block {
  start: number
  size: number
}

/**
 * Allocator over the linear memory of one core: first fit over free blocks, neighbours joined again on free.
 * The kernels allocate nothing; every pointer they see comes from here.
 */
export class Heap {
  readonly kernels: Kernels
  /** The threads that share this memory, if there are several; set before anything is allocated. */
  team: Team | undefined
  /** Bytes in use now, and the most that ever were. */
  used = 0
  peak = 0
  private free: Block[] = []
  private readonly sizes = new Map<number, number>()
  private end: number

  constructor(kernels: Kernels) {
    this.kernels = kernels
    this.end = align(kernels.heapBase.value)
  }

  /** Address of `bytes` fresh bytes (contents undefined). Throws RangeError where the engine cannot grow the memory. */
  alloc(bytes: number): number {
    const size = align(Math.max(bytes, 1))
    const index = this.free.findIndex(block => block.size >= size)
    const start = index >= 0 ? this.take(index, size) : this.extend(size)
    this.sizes.set(start, size)
    this.used += size
    this.peak = Math.max(this.peak, this.used)
    return start
  }

  /** Gives back what `alloc` returned. */
  release(start: number): void {
    const size = this.sizes.get(start)
    if (size === undefined) throw new Error(`wavtok: release of ${start}, which is not an allocation`)
    this.sizes.delete(start)
    this.used -= size
    let at = this.free.findIndex(block => block.start > start)
    if (at < 0) at = this.free.length
    this.free.splice(at, 0, { start, size })
    this.join(at)
    if (at > 0) this.join(at - 1)
  }

  /** Float32 view of `length` elements; read anew after any alloc, since growth detaches it. */
  f32(start: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.kernels.memory.buffer, start, length)
  }

  /** Int32 view of `length` elements. */
  i32(start: number, length: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.kernels.memory.buffer, start, length)
  }

  /** Byte view. */
  bytes(start: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.kernels.memory.buffer, start, length)
  }

  /** Size of the linear memory, bytes. */
  get capacity(): number {
    return this.kernels.memory.buffer.byteLength
  }

  private take(index: number, size: number): number {
    const block = this.free[index]
    const start = block.start
    if (block.size === size) this.free.splice(index, 1)
    else {
      block.start += size
      block.size -= size
    }
    return start
  }

  private extend(size: number): number {
    const last = this.free.at(-1)
    const start = last && last.start + last.size === this.end ? last.start : this.end
    const missing = start + size - this.capacity
    if (missing > 0) this.grow(missing)
    if (start !== this.end) this.free.pop()
    this.end = start + size
    return start
  }

  private grow(bytes: number): void {
    try {
      this.kernels.memory.grow(Math.ceil(Math.max(bytes, GROWTH) / PAGE))
    } catch {
      throw new RangeError(
        `wavtok: no memory for ${Math.ceil(bytes / 2 ** 20)} MiB more (${this.capacity >> 20} MiB in use); use a smaller model or dtype, or shorter clips`,
      )
    }
  }

  private join(index: number): void {
    const block = this.free[index]
    const next = this.free[index + 1]
    if (!next || block.start + block.size !== next.start) return
    block.size += next.size
    this.free.splice(index + 1, 1)
  }
}

/** Allocations that live and die together: one model's weights, one call, one stream. */
export class Region {
  readonly heap: Heap
  private readonly blocks = new Set<number>()
  private readonly children = new Set<Region>()

  constructor(heap: Heap) {
    this.heap = heap
  }

  get kernels(): Kernels {
    return this.heap.kernels
  }

  /** Address of room for `length` 32-bit elements. */
  alloc(length: number): number {
    const start = this.heap.alloc(length * 4)
    this.blocks.add(start)
    return start
  }

  /** Address of a copy of `values`. */
  copy(values: ArrayLike<number>): number {
    const start = this.alloc(values.length)
    this.heap.f32(start, values.length).set(values)
    return start
  }

  /** Gives one allocation back early. */
  release(start: number): void {
    if (this.blocks.delete(start)) this.heap.release(start)
  }

  /** A region that may be freed earlier, and is freed with this one at the latest. */
  child(): Region {
    const child = new Region(this.heap)
    this.children.add(child)
    return child
  }

  /** Gives everything back. */
  free(): void {
    for (const child of this.children) child.free()
    for (const start of this.blocks) this.heap.release(start)
    this.children.clear()
    this.blocks.clear()
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}
