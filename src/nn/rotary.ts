import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'

const TURN = 2 * Math.PI

/**
 * Angles of rotary position embedding: position * base^(-2i / dim) for i < dim / 2. The products are exact and reduced to one turn
 * before they are rounded, so that the hundredth hour of a stream is as exact as its first second.
 */
export class RotaryAngles {
  /** dim / 2. */
  readonly half: number
  private readonly frequencies: readonly number[]

  /** `dim`: channels of a head, even. */
  constructor(dim: number, base: number) {
    this.half = dim / 2
    const ratio = 1 / root(base, this.half)
    let power = 1
    this.frequencies = Array.from({ length: this.half }, (_, i) =>
      Math.fround(i === 0 ? 1 : (power *= ratio)),
    )
  }

  /** Writes cosines and sines of `rows` positions from `position` on, each [rows][half]. */
  write(region: Region, cosines: Pointer, sines: Pointer, position: number, rows: number): void {
    const { half, frequencies } = this
    const angles = region.heap.f32(cosines, rows * half)
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < half; i++) {
        const angle = (position + row) * frequencies[i]
        angles[row * half + i] = angle - Math.round(angle / TURN) * TURN
      }
    region.kernels.sinF32(sines, cosines, rows * half)
    region.kernels.cosF32(cosines, cosines, rows * half)
  }
}

/** The `degree`-th root of value > 1 by Newton's method from above: the same bits on every engine, which Math.pow does not promise. */
function root(value: number, degree: number): number {
  let x = value
  for (;;) {
    let power = 1
    for (let i = 1; i < degree; i++) power *= x
    const next = x + (value / power - x) / degree
    if (!(next < x)) return x
    x = next
  }
}
