// How a model's weights are held in memory: which part of it, and its matrices in which dtype.
import type { Region } from '../../bindings/memory.js'
import type { MatrixDtype } from '../checkpoints/reduced.js'
import type { TensorSource } from '../checkpoints/source.js'
import { ConfigError } from '../errors.js'
import { type WeightDtype, WeightRegion } from '../nn/weights.js'

export interface StorageOptions {
  /**
   * How the decoder's matrices are held. `f16`: half the memory, as fast as `f32`, nearly as exact. `q12` and `q8`: integers with a
   * scale per output, 1.7 times faster; `q12` takes half the memory, `q8` a quarter at 20 dB less. Biases, norms, depthwise
   * convolutions and the codebook stay f32.
   * Default: what the file was converted to, else f32.
   */
  dtype?: WeightDtype
  /** The same for the encoder, whose tokens change with it. Default: what the file was converted to, else the exact f32. */
  encoderDtype?: WeightDtype
  /** Load only the half that is needed: `encoder` cannot decode, `decoder` cannot encode (default: both). */
  parts?: ModelParts
}

export type ModelParts = 'both' | 'encoder' | 'decoder'

/** @internal The tensors that a family needs for inference, under the names that its files use. */
export interface Contents {
  readonly tensors: TensorSource
  readonly names: readonly string[]
}

/** @internal Names of the matrices that a family lets be reduced. */
export interface ReducibleMatrices {
  readonly encoder: RegExp
  readonly decoder: RegExp
}

/** @internal What files hold for each dtype. */
export const STORED: Readonly<Record<WeightDtype, MatrixDtype>> = {
  f32: 'F32',
  f16: 'F16',
  q8: 'I8',
  q12: 'I16',
}
const DTYPES: readonly WeightDtype[] = ['f32', 'f16', 'q8', 'q12']
const PARTS: readonly ModelParts[] = ['both', 'encoder', 'decoder']

/**
 * @internal
 * How each tensor is to be held, for options whose defaults the metadata of a converted file may set.
 * @throws ConfigError for unknown values
 */
export function matrixDtypes(
  matrices: ReducibleMatrices,
  options: StorageOptions,
  metadata: Readonly<Record<string, string>>,
) {
  const dtype = known('dtype', options.dtype ?? metadata.dtype ?? 'f32', DTYPES)
  const encoderDtype = known('encoderDtype', options.encoderDtype ?? metadata.encoder_dtype ?? 'f32', DTYPES)
  const parts = known('parts', options.parts ?? 'both', PARTS)
  const heldAs = (name: string): WeightDtype => {
    if (matrices.decoder.test(name)) return dtype
    return matrices.encoder.test(name) ? encoderDtype : 'f32'
  }
  return { dtype, encoderDtype, parts, heldAs, dtypeOf: (name: string) => STORED[heldAs(name)] }
}

function known<T extends string>(option: string, value: string, choices: readonly T[]): T {
  if ((choices as readonly string[]).includes(value)) return value as T
  throw new ConfigError(`${option} is '${value}'; expected ${choices.join(', ')}`)
}

/** @internal A half of a model that a call is about to use. Throws ConfigError where it was not loaded. */
export function needed<T>(part: T | undefined, name: 'encoder' | 'decoder'): T {
  if (part) return part
  throw new ConfigError(
    `this tokenizer has no ${name}; load it with \`parts: 'both'\`, or the file that carries the ${name} beside this one`,
  )
}

/** @internal Where each tensor of one model goes. */
export class Storage {
  readonly dtype: WeightDtype
  readonly encoderDtype: WeightDtype
  /** Where everything but reduced matrices lives. */
  readonly region: Region
  /** How tensor `name` is held. */
  readonly heldAs: (name: string) => WeightDtype
  /** The same in a file's terms, for WeightReader. */
  readonly storedAs: (name: string) => MatrixDtype
  private readonly parts: ModelParts
  private readonly regions = new Map<WeightDtype, Region>()

  constructor(
    region: Region,
    matrices: ReducibleMatrices,
    options: StorageOptions,
    metadata: Readonly<Record<string, string>>,
  ) {
    const { dtype, encoderDtype, parts, heldAs, dtypeOf } = matrixDtypes(matrices, options, metadata)
    this.region = region
    this.dtype = dtype
    this.encoderDtype = encoderDtype
    this.parts = parts
    this.heldAs = heldAs
    this.storedAs = dtypeOf
  }

  /** True if this half of the model is to be loaded. */
  wants(part: 'encoder' | 'decoder'): boolean {
    return this.parts === 'both' || this.parts === part
  }

  /** The region to pack tensor `name` into. */
  regionOf(name: string): Region {
    const dtype = this.heldAs(name)
    if (dtype === 'f32') return this.region
    let region = this.regions.get(dtype)
    if (!region) this.regions.set(dtype, (region = new WeightRegion(this.region, dtype)))
    return region
  }
}
