import { CheckpointError } from '../errors.js'
import { bytesPerElement, type Dtype, type HalfWidener, widen } from './dtypes.js'
import type { BlockDtype } from './gguf-blocks.js'

// Bounds that no real checkpoint comes near; they keep hostile ones from costing time and memory.
export const MAX_NAME_LENGTH = 512
export const MAX_DIMENSIONS = 64 // PyTorch's own limit

const CHUNK_BYTES = 1 << 22
const SMALL_FILE = 1 << 24

/** Random access to the bytes of one file, wherever they are. */
export interface ByteSource {
  /** Bytes in all. */
  readonly size: number
  /** A path or address for messages. */
  readonly name?: string
  /** Exactly `length` bytes from `offset`; rejects where the file has fewer. The bytes may be the source's own: do not write to them. */
  read(offset: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** A small file read whole, once: reading 143 tensors one by one takes 10 ms longer. A large one as it is. */
export async function inMemory(file: ByteSource): Promise<ByteSource> {
  if (file.size > SMALL_FILE) return file
  const bytes = await file.read(0, file.size)
  return {
    size: file.size,
    name: file.name,
    close: () => file.close(),
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  }
}

/** What is stored under a name. `shape` is PyTorch's, slowest dimension first; [] is a scalar. */
export interface TensorInfo {
  readonly dtype: Dtype | BlockDtype
  readonly shape: readonly number[]
}

/** A tensor of single values, as all formats but GGUF have them. */
export interface PlainTensor extends TensorInfo {
  readonly dtype: Dtype
}

/** The tensors of a checkpoint behind one face, whatever the file format. Only what is read is fetched. */
export interface TensorSource {
  /** safetensors' `__metadata__`, a GGUF file's keys as text; empty for other formats. */
  readonly metadata: Readonly<Record<string, string>>
  names(): string[]
  has(name: string): boolean
  /** @throws CheckpointError if there is no such tensor or its description cannot be true. */
  info(name: string): TensorInfo
  /** The values converted to float32, row-major and contiguous whatever the stored dtype and strides. */
  read(name: string): Promise<Float32Array<ArrayBuffer>>
  /** As `read`, into `target`, whose length must be the number of elements and whose memory must stay in place meanwhile. */
  readInto(name: string, target: Float32Array): Promise<void>
  close(): Promise<void>
}

/** `read` in terms of `info` and `readInto`. */
export async function readTensor(source: Pick<TensorSource, 'info' | 'readInto'>, name: string) {
  const values = new Float32Array(elementCount(source.info(name).shape))
  await source.readInto(name, values)
  return values
}

/** Product of the dimensions; NaN where it is no safe integer. */
export function elementCount(shape: readonly number[]): number {
  if (shape.includes(0)) return 0
  let count = 1
  for (const size of shape) {
    count *= size
    if (!Number.isSafeInteger(count)) return Number.NaN
  }
  return count
}

export function showShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`
}

/** Refuses a target of another length than the tensor. */
export function checkTarget(name: string, shape: readonly number[], target: Float32Array): void {
  const count = elementCount(shape)
  if (target.length !== count)
    throw new CheckpointError(
      `'${name}' ${showShape(shape)} has ${count} values and the target holds ${target.length}`,
    )
}

/** Reads `target.length` consecutive elements at `offset`, a few MiB at a time. */
export async function readContiguous(
  file: ByteSource,
  offset: number,
  dtype: Dtype,
  target: Float32Array,
  widenHalves?: HalfWidener,
) {
  const size = bytesPerElement(dtype)
  const step = CHUNK_BYTES / size
  for (let i = 0; i < target.length; i += step) {
    const part = target.subarray(i, i + step)
    widen(dtype, await file.read(offset + i * size, part.length * size), part, widenHalves)
  }
}
