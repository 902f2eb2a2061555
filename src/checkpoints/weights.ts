import { CheckpointError } from '../errors.js'
import { type MatrixDtype, roundAs } from './reduced.js'
import { elementCount, showShape, type TensorSource } from './source.js'

/** @internal A file about to be written: its beginning, and what follows, tensor by tensor. */
export interface FilePlan {
  readonly head: Uint8Array<ArrayBuffer>
  readonly names: readonly string[]
  /** Bytes of the whole file. */
  readonly size: number
  read(name: string): Promise<ArrayBufferView[]>
}

/** @internal A tensor of a new file: read when it is written, weight norm folded. */
export interface PlainWeights {
  readonly shape: readonly number[]
  read(): Promise<Float32Array>
}

const MAX_LISTED = 20

/** The two spellings of torch.nn.utils.weight_norm, old and new: g, v. */
const WEIGHT_NORM_SPELLINGS = [
  ['weight_g', 'weight_v'],
  ['parametrizations.weight.original0', 'parametrizations.weight.original1'],
] as const

/** Names of the weight-normed tensors of layer `prefix`; undefined where the weight is stored folded or not at all. */
function weightNorm(source: TensorSource, prefix: string): { g: string; v: string } | undefined {
  for (const [g, v] of WEIGHT_NORM_SPELLINGS)
    if (source.has(`${prefix}.${g}`) || source.has(`${prefix}.${v}`))
      return { g: `${prefix}.${g}`, v: `${prefix}.${v}` }
  return undefined
}

/** Shape of the weight of layer `prefix`, however it is spelled; undefined if the checkpoint has none. */
export function weightShape(source: TensorSource, prefix: string): readonly number[] | undefined {
  const name = weightNorm(source, prefix)?.v ?? `${prefix}.weight`
  return source.has(name) ? source.info(name).shape : undefined
}

/**
 * The weight of layer `prefix`, multiplied out: `g * v / ||v||`, the norm over every dimension but the first, from
 * `weight_g`/`weight_v` or `parametrizations.weight.original0`/`original1`; else `prefix.weight` as it is.
 * @throws CheckpointError if the tensors are missing, do not fit each other, or a row of v is all zeros.
 */
export async function foldWeightNorm(
  source: TensorSource,
  prefix: string,
): Promise<Float32Array<ArrayBuffer>> {
  const names = weightNorm(source, prefix)
  if (!names) return source.read(`${prefix}.weight`)
  const { shape } = source.info(names.v)
  const gShape = source.info(names.g).shape
  const rows = shape[0] ?? 1
  if (elementCount(gShape) !== rows || (gShape[0] ?? 1) !== rows)
    throw new CheckpointError(
      `'${names.g}' ${showShape(gShape)} does not fit '${names.v}' ${showShape(shape)}; one factor for each of the ${rows} rows is expected`,
    )
  const g = await source.read(names.g)
  const weight = await source.read(names.v)
  const rowLength = rows > 0 ? weight.length / rows : 0
  for (let row = 0; row < rows; row++) {
    const values = weight.subarray(row * rowLength, (row + 1) * rowLength)
    let squares = 0
    for (const value of values) squares += value * value
    if (squares === 0)
      throw new CheckpointError(`row ${row} of '${names.v}' is all zeros, so its direction is undefined`)
    const factor = Math.fround(g[row] / Math.fround(Math.sqrt(squares)))
    for (let i = 0; i < values.length; i++) values[i] *= factor
  }
  return weight
}

export interface WeightReaderOptions {
  /** Tensors that nobody asked for are a problem, except those whose names begin with one of `ignore`. */
  strict?: boolean
  ignore?: readonly string[]
  /** How a tensor is meant to be stored: its values are rounded to that, whatever the file holds. Default: F32. */
  storedAs?: (name: string, shape: readonly number[]) => MatrixDtype
}

/**
 * Hands a model its weights and collects what does not fit, so that one error lists everything:
 * ask for every tensor, then call `finish()` before using any of them.
 */
export class WeightReader {
  /** Values handed out so far, weight norm folded: the model's parameters. */
  parameters = 0
  private readonly asked = new Set<string>()
  private readonly missing: string[] = []
  private readonly misfits: string[] = []

  constructor(
    readonly source: TensorSource,
    private readonly options: WeightReaderOptions = {},
  ) {}

  /** The tensor `name`, which must have `shape`; zeros once a problem is known. */
  async tensor(name: string, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    this.check(name, shape)
    this.parameters += elementCount(shape)
    return this.fits ? this.rounded(name, shape, await this.source.read(name)) : zeros(shape)
  }

  /** The weight of convolution `prefix` with weight norm folded; `shape` is [out, in, taps] ([in, out, taps] if transposed). */
  async conv(prefix: string, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const names = weightNorm(this.source, prefix)
    this.parameters += elementCount(shape)
    this.check(names?.v ?? `${prefix}.weight`, shape)
    if (names) this.check(names.g, [shape[0], ...shape.slice(1).map(() => 1)])
    return this.fits
      ? this.rounded(`${prefix}.weight`, shape, await foldWeightNorm(this.source, prefix))
      : zeros(shape)
  }

  /** @throws CheckpointError with every missing, mis-shaped and (if strict) extra tensor. */
  finish(): void {
    const extra = this.options.strict ? this.extra() : []
    const problems = [...this.missing, ...this.misfits, ...extra]
    if (problems.length === 0) return
    const lines = problems.slice(0, MAX_LISTED)
    if (problems.length > MAX_LISTED) lines.push(`and ${problems.length - MAX_LISTED} more`)
    const counts = `${this.missing.length} missing, ${this.misfits.length} mis-shaped, ${extra.length} extra`
    const nothing = this.missing.length === this.asked.size ? `; its names are ${this.someNames()}` : ''
    throw new CheckpointError(
      `the checkpoint does not fit the model (tensors: ${counts})${nothing}\n  ${lines.join('\n  ')}`,
    )
  }

  private rounded<T extends Float32Array>(name: string, shape: readonly number[], values: T): T {
    const dtype = this.options.storedAs?.(name, shape) ?? 'F32'
    const isRounded = this.source.has(name) && this.source.info(name).dtype === dtype
    if (!isRounded) roundAs(dtype, name, values, shape[0])
    return values
  }

  private get fits(): boolean {
    return this.missing.length + this.misfits.length === 0
  }

  private check(name: string, shape: readonly number[]): void {
    this.asked.add(name)
    try {
      const found = this.source.info(name).shape
      if (found.length !== shape.length || found.some((size, i) => size !== shape[i]))
        this.misfits.push(`mis-shaped: ${name} is ${showShape(found)}, expected ${showShape(shape)}`)
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error
      const reason = this.source.has(name) ? `: ${error.message}` : ''
      this.missing.push(`missing: ${name} ${showShape(shape)}${reason}`)
    }
  }

  private extra(): string[] {
    const ignore = this.options.ignore ?? []
    return this.source
      .names()
      .filter(name => !this.asked.has(name) && !ignore.some(prefix => name.startsWith(prefix)))
      .map(name => `extra: ${name}`)
  }

  private someNames(): string {
    const names = this.source.names()
    return `${names.slice(0, 3).join(', ') || 'none'}${names.length > 3 ? ` and ${names.length - 3} others` : ''}`
  }
}

function zeros(shape: readonly number[]): Float32Array<ArrayBuffer> {
  return new Float32Array(elementCount(shape))
}
