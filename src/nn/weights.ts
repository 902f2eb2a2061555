import type { Pointer } from '../../bindings/kernels.js'
import { Region } from '../../bindings/memory.js'

/** How a weight matrix is held in memory: exactly, as halves, or as integers of 8 or 12 bits with one scale per output. */
export type WeightDtype = 'f32' | 'f16' | IntegerDtype

export type IntegerDtype = 'q8' | 'q12'

/** @internal The largest weight of each column, and the bytes of one. */
export const INTEGERS = { q8: { most: 127, size: 1 }, q12: { most: 2047, size: 2 } } as const

/** @internal Memory that products work in. They run one at a time, so those of one region share it. */
export class Scratch {
  pointer: Pointer = 0
  private bytes = 0
  private readonly region: Region

  constructor(region: Region) {
    this.region = region
  }

  /** Makes room for at least `bytes`; nothing in it survives. */
  reserve(bytes: number): void {
    if (bytes <= this.bytes) return
    if (this.bytes) this.region.release(this.pointer)
    this.pointer = this.region.alloc(Math.ceil(bytes / 4))
    this.bytes = bytes
  }
}

/** @internal A region as its layers see it while they are made: the matrices packed into it are held as `dtype`. */
export class WeightRegion extends Region {
  readonly dtype: WeightDtype
  readonly scratch: Scratch
  /** The region itself, where everything is f32. */
  readonly exact: Region

  constructor(region: Region, dtype: WeightDtype) {
    super(region.heap)
    this.dtype = dtype
    this.exact = region
    this.scratch = new Scratch(region)
  }

  override alloc(length: number): Pointer {
    return this.exact.alloc(length)
  }

  override release(start: Pointer): void {
    this.exact.release(start)
  }

  override child(): Region {
    return this.exact.child()
  }

  override free(): void {
    this.exact.free()
  }
}

/** @internal The region whose matrices are f32. */
export function exact(region: Region): Region {
  return region instanceof WeightRegion ? region.exact : region
}
