// A quantizer over rows in linear memory, a block at a time. Every stage works row by row, and every kernel's result is independent of
// the other rows of its call, so codes do not depend on how features were cut.
import type { Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { ConfigError } from '../errors.js'
import { type PackedWeights, packLinear } from '../nn/linear.js'
import { checkMatrix, type Projection } from './spec.js'

/** Rows of a block, and the distance between the codes of two codebooks. */
export const BLOCK = 64

/** Codes are stored as Uint16. */
export const MAX_SIZE = 65536

/** `codes` point to [codebooks][BLOCK] i32; `books`, 1 to all, says how many of the codebooks count, first ones first. */
export interface Stage {
  /** Columns of the features. */
  readonly inputs: number
  /** Columns of what codes stand for. */
  readonly outputs: number
  /** Size of each codebook. */
  readonly sizes: readonly number[]
  /** Codes of rows [rows][inputs], and unless `out` is 0 what they stand for, [rows][outputs]. */
  encode(codes: Pointer, input: Pointer, rows: number, books: number, out: Pointer): void
  decode(out: Pointer, codes: Pointer, rows: number, books: number): void
}

/** Panels of a projection. */
export function packed(region: Region, projection: Projection, path: string): PackedWeights {
  const { weight, bias } = projection ?? {}
  checkMatrix(weight, `${path}.weight`)
  if (bias && bias.length !== weight.rows)
    throw new ConfigError(`${path}.bias has ${bias.length} values; its weight has ${weight.rows} rows`)
  return packLinear(region, weight.data, bias, weight.rows, weight.columns)
}
