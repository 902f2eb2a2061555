// GGUF, ggml's format of weights (docs/gguf.md of the ggml repository): keys with values, tensor descriptions, aligned data.
import { CheckpointError } from '../errors.js'
import { bytesPerElement, DTYPES, type Dtype, isDtype } from './dtypes.js'
import { BLOCK_FORMATS, type BlockDtype, isBlockDtype, widenBlocks } from './gguf-blocks.js'
import { type GgufHeader, readHeader, type StoredTensor } from './gguf-header.js'
import {
  type ByteSource,
  checkTarget,
  readContiguous,
  readTensor,
  showShape,
  type TensorSource,
} from './source.js'

const BLOCKS_AT_ONCE = 1 << 14

/** Keys under which this library keeps what safetensors has in its metadata. */
export const OWN_KEYS = 'wavtok.'

/**
 * Opens a GGUF file, version 2 or 3; only what stands before the data is read here. Values of any type but arrays become metadata, as
 * text; keys that this library wrote without their prefix.
 * @throws CheckpointError naming the byte at which the file is not what it should be
 */
export async function openGguf(file: ByteSource): Promise<TensorSource> {
  const header = await readHeader(file)
  const tensors = checkedLayout(header, file.size)
  const find = (name: string): StoredTensor => {
    const tensor = tensors.get(name)
    if (!tensor) throw new CheckpointError(`there is no tensor '${name}' in this GGUF file`)
    return tensor
  }
  const source: TensorSource = {
    metadata: Object.fromEntries(
      Array.from(header.keys, ([key, value]) => [
        key.startsWith(OWN_KEYS) ? key.slice(OWN_KEYS.length) : key,
        value,
      ]),
    ),
    names: () => [...tensors.keys()],
    has: name => tensors.has(name),
    info(name) {
      const { dtype, shape } = find(name)
      return { dtype, shape }
    },
    read: name => readTensor(source, name),
    async readInto(name, target) {
      const { dtype, shape, offset } = find(name)
      checkTarget(name, shape, target)
      const at = header.dataStart + offset
      if (isDtype(dtype)) await readContiguous(file, at, dtype, target)
      else await readBlocks(file, at, name, dtype, target)
    },
    close: () => file.close(),
  }
  return source
}

async function readBlocks(
  file: ByteSource,
  offset: number,
  name: string,
  dtype: BlockDtype,
  target: Float32Array,
): Promise<void> {
  const { values, bytes, read } = BLOCK_FORMATS[dtype]
  if (!read)
    throw new CheckpointError(`'${name}' is stored as ${dtype}; readable are ${readableDtypes().join(', ')}`)
  const blocks = target.length / values
  for (let block = 0; block < blocks; block += BLOCKS_AT_ONCE) {
    const count = Math.min(BLOCKS_AT_ONCE, blocks - block)
    const part = target.subarray(block * values, (block + count) * values)
    widenBlocks(dtype, await file.read(offset + block * bytes, count * bytes), part)
  }
}

function readableDtypes(): string[] {
  const blocks = Object.entries(BLOCK_FORMATS).filter(([, { read }]) => read)
  return [...DTYPES, ...blocks.map(([name]) => name)]
}

/** Bytes that `count` values take; they are whole blocks. */
export function storedBytes(dtype: Dtype | BlockDtype, count: number): number {
  if (!isBlockDtype(dtype)) return count * bytesPerElement(dtype)
  const { values, bytes } = BLOCK_FORMATS[dtype]
  return (count / values) * bytes
}

/** The tensors by name: aligned, inside the file, none over another. Between them there may be anything. */
function checkedLayout(
  { tensors, dataStart, alignment }: GgufHeader,
  size: number,
): Map<string, StoredTensor> {
  let covered = 0
  let before = ''
  for (const [name, { dtype, shape, count, offset, at }] of [...tensors].sort(
    ([, a], [, b]) => a.offset - b.offset,
  )) {
    const bytes = storedBytes(dtype, count)
    const what = `'${name}' ${dtype} ${showShape(shape)}, described at byte ${at},`
    if (offset % alignment !== 0)
      throw new CheckpointError(
        `${what} begins at byte ${offset} of the data, which is no multiple of the alignment ${alignment}`,
      )
    if (dataStart + offset + bytes > size)
      throw new CheckpointError(
        `${what} takes bytes ${dataStart + offset} to ${dataStart + offset + bytes} and the file has ${size}; it is truncated, get it again`,
      )
    if (offset < covered && bytes > 0)
      throw new CheckpointError(
        `${what} overlaps '${before}': it begins at byte ${offset} of the data, expected ${covered} or more`,
      )
    if (bytes > 0) before = name
    covered = Math.max(covered, offset + bytes)
  }
  return tensors
}
