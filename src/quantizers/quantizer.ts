import { instantiateKernels, type KernelInput } from '../../bindings/load.js'
import { Heap, Region } from '../../bindings/memory.js'
import { byteSource } from '../checkpoints/bytes.js'
import { openSafetensors } from '../checkpoints/safetensors.js'
import { AudioError, ConfigError, DisposedError, TokenError } from '../errors.js'
import { buildStage } from './build.js'
import { quantizerFromTensors, quantizerToSafetensors } from './serialise.js'
import type { QuantizerSpec } from './spec.js'
import { BLOCK, type Stage } from './stage.js'

/** How the kernels run. */
export interface QuantizerOptions {
  /**
   * True (default): codes identical bit for bit on every engine. False: the relaxed build where the engine has it, faster, and vectors
   * that lie between two codewords may go to the other one.
   */
  deterministic?: boolean
  /** A compiled core, or its bytes, instead of the bundled one. */
  module?: KernelInput
}

/** Features to codes and back, without a model. Made by `openQuantizer` and `loadQuantizer`. */
export class FeatureQuantizer implements Disposable {
  /** What it was made from. */
  readonly spec: QuantizerSpec
  readonly #stage: Stage
  #region: Region | undefined
  readonly #codes: number
  readonly #input: number
  readonly #output: number

  /** Throws ConfigError where the parts of `spec` do not fit together. */
  constructor(region: Region, spec: QuantizerSpec) {
    this.spec = spec
    this.#region = region
    this.#stage = buildStage(region, spec)
    this.#codes = region.alloc(BLOCK * this.codebookSizes.length)
    this.#input = region.alloc(BLOCK * this.dim)
    this.#output = region.alloc(BLOCK * this.outputDim)
  }

  /** Columns of the features. */
  get dim(): number {
    return this.#stage.inputs
  }

  /** Columns of decoded vectors: `dim`, except where a projection has no way back (random projection). */
  get outputDim(): number {
    return this.#stage.outputs
  }

  /** Entries of each codebook. */
  get codebookSizes(): readonly number[] {
    return this.#stage.sizes
  }

  /**
   * Codes of features, one array per codebook. Rows are independent: any split of the features gives the same codes.
   *
   * @param features [frames][dim], row-major
   * @param codebooks how many codebooks to use, first ones first (default: all)
   * @throws AudioError for features of another size or not finite, TokenError for a wrong number of codebooks, DisposedError
   */
  encode(features: Float32Array, frames: number, codebooks = this.codebookSizes.length): Uint16Array[] {
    const { heap } = this.#open
    const { dim } = this
    if (features.length !== frames * dim)
      throw new AudioError(
        `${features.length} feature values for ${frames} frames; expected ${frames * dim}, ${dim} per frame`,
      )
    const broken = features.findIndex(value => !Number.isFinite(value))
    if (broken >= 0)
      throw new AudioError(`the features of frame ${Math.floor(broken / dim)} have a ${features[broken]}`)
    this.#checkCodebooks(codebooks)
    const codes = Array.from({ length: codebooks }, () => new Uint16Array(frames))
    for (let start = 0; start < frames; start += BLOCK) {
      const rows = Math.min(BLOCK, frames - start)
      heap.f32(this.#input, rows * dim).set(features.subarray(start * dim, (start + rows) * dim))
      this.#stage.encode(this.#codes, this.#input, rows, codebooks, 0)
      codes.forEach((row, book) => {
        row.set(heap.i32(this.#codes + 4 * book * BLOCK, rows), start)
      })
    }
    return codes
  }

  /**
   * What codes stand for: [frames][outputDim], row-major.
   *
   * @param codes one array per codebook; fewer than there are: the first ones
   * @throws TokenError for codes out of range, ragged, or of too many codebooks; DisposedError
   */
  decode(codes: readonly ArrayLike<number>[]): Float32Array<ArrayBuffer> {
    const { heap } = this.#open
    this.#checkCodebooks(codes.length)
    codes.forEach((row, book) => {
      checkCodes(row, book, codes[0].length, this.codebookSizes[book])
    })
    const frames = codes[0].length
    const result = new Float32Array(frames * this.outputDim)
    for (let start = 0; start < frames; start += BLOCK) {
      const rows = Math.min(BLOCK, frames - start)
      const block = heap.i32(this.#codes, codes.length * BLOCK)
      codes.forEach((row, book) => {
        for (let t = 0; t < rows; t++) block[book * BLOCK + t] = row[start + t]
      })
      this.#stage.decode(this.#output, this.#codes, rows, codes.length)
      result.set(heap.f32(this.#output, rows * this.outputDim), start * this.outputDim)
    }
    return result
  }

  /** A safetensors file that `loadQuantizer` reads: the tensors by their path in `spec`, the rest as JSON in its metadata. */
  save(): Uint8Array<ArrayBuffer> {
    return quantizerToSafetensors(this.spec)
  }

  /** Gives the memory back. Later calls fail with DisposedError. */
  dispose(): void {
    this.#region = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  get #open(): Region {
    if (!this.#region) throw new DisposedError('quantizer')
    return this.#region
  }

  #checkCodebooks(count: number): void {
    const { length } = this.codebookSizes
    if (!(Number.isInteger(count) && count >= 1 && count <= length))
      throw new TokenError(`${count} codebooks; this quantizer has ${length}: expected 1 to ${length}`)
  }
}

function checkCodes(codes: ArrayLike<number>, codebook: number, frames: number, size: number): void {
  if (codes.length !== frames)
    throw new TokenError(
      `codebook ${codebook} has ${codes.length} frames, codebook 0 has ${frames}; all must agree`,
    )
  for (let t = 0; t < frames; t++)
    if (!(Number.isInteger(codes[t]) && codes[t] >= 0 && codes[t] < size))
      throw new TokenError(
        `code ${codes[t]} at frame ${t} of codebook ${codebook} is out of range; expected 0 to ${size - 1}`,
      )
}

/**
 * Opens a quantizer described by `vq`, `rvq`, `splitRvq`, `factorizedRvq`, `groupedRvq`, `randomProjection` or a spec of your own.
 * @throws ConfigError where its parts do not fit together
 */
export async function openQuantizer(
  spec: QuantizerSpec,
  options: QuantizerOptions = {},
): Promise<FeatureQuantizer> {
  return new FeatureQuantizer(await openRegion(options), spec)
}

/**
 * Opens what `save` wrote.
 * @throws CheckpointError for bytes that are no safetensors file, ConfigError where it holds no quantizer
 */
export async function loadQuantizer(
  bytes: ArrayBuffer | ArrayBufferView,
  options: QuantizerOptions = {},
): Promise<FeatureQuantizer> {
  const tensors = await openSafetensors(await byteSource(bytes))
  const text = tensors.metadata.quantizer
  if (text === undefined)
    throw new ConfigError(
      `this safetensors file holds no quantizer (tensors ${tensors.names().slice(0, 4).join(', ')}); expected one written by save()`,
    )
  return openQuantizer(await quantizerFromTensors(text, tensors), options)
}

/** A fresh core for one quantizer or one training. */
export async function openRegion({ deterministic = true, module }: QuantizerOptions): Promise<Region> {
  const { kernels } = await instantiateKernels(deterministic, module)
  return new Region(new Heap(kernels))
}
