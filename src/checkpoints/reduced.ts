// Matrices in less than f32: halves, or bytes with one scale per row, in a second tensor `<name>.scale`.
import { CheckpointError } from '../errors.js'
import { narrowF16, widen } from './dtypes.js'
import { readTensor, showShape, type TensorSource } from './source.js'

/** What a matrix can be stored as. */
export type MatrixDtype = 'F32' | 'F16' | IntegerDtype

export type IntegerDtype = 'I8' | 'I16'

const LARGEST = { I8: 127, I16: 2047 } // int16 with 12 bits leaves room for sums of products
const LEAST_SCALE = 1e-37 // rows below count as zeros: smaller numbers are denormal

/** Name of the tensor that holds the scales of the rows of `name`. */
export function scaleName(name: string): string {
  return `${name}.scale`
}

/**
 * Each row as whole multiples, -127 to 127, of its own scale: its largest magnitude / 127.
 * @throws CheckpointError naming a row that holds NaN or infinity
 */
export function quantizeRows(dtype: IntegerDtype, name: string, values: Float32Array, rows: number) {
  const integers = dtype === 'I8' ? new Int8Array(values.length) : new Int16Array(values.length)
  const scales = new Float32Array(rows)
  const length = values.length / rows
  for (let row = 0; row < rows; row++) {
    const part = values.subarray(row * length, (row + 1) * length)
    const peak = largestMagnitude(part)
    if (!Number.isFinite(peak))
      throw new CheckpointError(`row ${row} of '${name}' holds ${peak}; only finite weights can be quantized`)
    const scale = Math.fround(peak / LARGEST[dtype])
    if (scale < LEAST_SCALE) continue
    scales[row] = scale
    const perScale = 1 / scale
    for (let i = 0, at = row * length; i < length; i++, at++)
      integers[at] = ((part[i] * perScale + 2048.5) | 0) - 2048 // to the nearest: three times faster than Math.round of a quotient
  }
  return { integers, scales }
}

/** NaN where there is one. */
function largestMagnitude(values: Float32Array): number {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length)
  let largest = 0 // floats without their sign order like integers, NaN above all
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i] & 0x7fffffff
    if (magnitude > largest) largest = magnitude
  }
  return new Float32Array(Int32Array.of(largest).buffer)[0]
}

/** Multiplies each row by its scale, in place. */
export function dequantizeRows(values: Float32Array, scales: Float32Array): void {
  const length = values.length / scales.length
  for (let row = 0; row < scales.length; row++) {
    const scale = scales[row]
    for (let i = row * length; i < (row + 1) * length; i++) values[i] *= scale
  }
}

/** Replaces the values by what a file would hold of them if they were stored as `dtype`. */
export function roundAs(dtype: MatrixDtype, name: string, values: Float32Array, rows: number): void {
  if (dtype === 'F16') {
    widen('F16', new Uint8Array(narrowF16(values).buffer), values)
  } else if (dtype !== 'F32') {
    const { integers, scales } = quantizeRows(dtype, name, values, rows)
    values.set(integers)
    dequantizeRows(values, scales)
  }
}

/** The same tensors with bytes and their scales multiplied out; the scales are no tensors of their own any more. */
export function dequantized(source: TensorSource): TensorSource {
  const quantized = new Set(
    source.names().filter(name => source.has(scaleName(name)) && /^I(8|16)$/.test(source.info(name).dtype)),
  )
  if (quantized.size === 0) return source
  const isScale = (name: string) => name.endsWith('.scale') && quantized.has(name.slice(0, -'.scale'.length))
  const readInto = async (name: string, target: Float32Array) => {
    await source.readInto(name, target)
    if (quantized.has(name)) dequantizeRows(target, await readScales(source, name))
  }
  return {
    metadata: source.metadata,
    names: () => source.names().filter(name => !isScale(name)),
    has: name => source.has(name) && !isScale(name),
    info: name => source.info(name),
    read: name => readTensor({ info: one => source.info(one), readInto }, name),
    readInto,
    close: () => source.close(),
  }
}

async function readScales(source: TensorSource, name: string): Promise<Float32Array> {
  const { shape } = source.info(name)
  const found = source.info(scaleName(name)).shape
  if (found.length !== 1 || found[0] !== shape[0])
    throw new CheckpointError(
      `'${scaleName(name)}' is ${showShape(found)}, expected one scale for each row of '${name}' ${showShape(shape)}`,
    )
  return source.read(scaleName(name))
}
