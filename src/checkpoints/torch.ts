// torch.save's zip files: data.pkl describes tensors as views of storages, which are the entries data/<key>.
import { CheckpointError } from '../errors.js'
import { bytesPerElement, type Dtype } from './dtypes.js'
import { unpickle } from './pickle.js'
import { Opaque, PickleDict, type PickleValue, TensorRef } from './pickle-values.js'
import {
  type ByteSource,
  checkTarget,
  elementCount,
  MAX_NAME_LENGTH,
  type PlainTensor,
  readContiguous,
  readTensor,
  showShape,
  type TensorSource,
} from './source.js'
import { ZipArchive, type ZipEntry } from './zip.js'

// Bounds on hostile files; real state dicts nest twice and hold some thousand tensors.
const MAX_NESTING = 32
const MAX_ITEMS = 1 << 20
const MAX_EXPANDED = 1 << 24 // elements of a view larger than its storage (stride 0)

const STORAGE_DTYPES = new Map<string, Dtype>([
  ['torch.DoubleStorage', 'F64'],
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
])

/** The values of a state dict by dotted name: tensors, and objects that would need foreign code. */
type StateDict = Map<string, TensorRef | Opaque>

/** A tensor whose description was held against the file. */
interface StoredTensor extends PlainTensor {
  readonly entry: ZipEntry
  readonly offset: number
  readonly stride: readonly number[]
}

/**
 * Opens a zip file written by torch.save (.pt, .pth, .ckpt, .bin). Only data.pkl is read here, and nothing in it is run;
 * storages are read when their tensors are. The tensors are those of `state_dict` or `model_state_dict` where the file has
 * one, else all of it; nested dicts become dotted names.
 * @throws CheckpointError if the file is damaged or holds no state dict.
 */
export async function openTorch(file: ByteSource): Promise<TensorSource> {
  const zip = await ZipArchive.open(file)
  const root = findRoot(zip)
  await checkByteOrder(zip, root)
  const pickle = zip.entries.get(`${root}data.pkl`) as ZipEntry
  const top = unpickle(await zip.read(pickle))
  const state = flatten(stateDict(top))
  const find = (name: string) => locate(zip, root, name, state.get(name))
  const source: TensorSource = {
    metadata: metadataOf(top),
    names: () => [...state.keys()],
    has: name => state.has(name),
    info(name) {
      const { dtype, shape } = find(name)
      return { dtype, shape }
    },
    read: name => readTensor(source, name),
    async readInto(name, target) {
      const tensor = find(name)
      checkTarget(name, tensor.shape, target)
      if (target.length > 0) await readView(file, await zip.dataOffset(tensor.entry), tensor, target)
    },
    close: () => file.close(),
  }
  return source
}

/** What the package of DAC keeps beside its weights, metadata.kwargs, as the text of a configuration. */
function metadataOf(top: PickleValue): Record<string, string> {
  const metadata = top instanceof PickleDict ? top.entries.get('metadata') : undefined
  const kwargs = metadata instanceof PickleDict ? metadata.entries.get('kwargs') : undefined
  if (!(kwargs instanceof PickleDict)) return {}
  const plain = [...kwargs.entries].filter(([, value]) => isPlain(value))
  return { config: JSON.stringify(Object.fromEntries(plain)) }
}

function isPlain(value: PickleValue): boolean {
  return (
    ['number', 'string', 'boolean'].includes(typeof value) || (Array.isArray(value) && value.every(isPlain))
  )
}

/** The archive's only directory, with its slash. */
function findRoot(zip: ZipArchive): string {
  const roots = [...zip.entries.keys()].filter(name => /^[^/]+\/data\.pkl$/.test(name))
  if (roots.length === 1) {
    const root = roots[0].slice(0, -'data.pkl'.length)
    if (zip.entries.has(`${root}constants.pkl`))
      throw new CheckpointError(
        'this is a TorchScript program; save its weights with torch.save(model.state_dict(), path)',
      )
    return root
  }
  const found = [...zip.entries.keys()].slice(0, 5).join(', ').slice(0, 200)
  throw new CheckpointError(
    `a zip file, but not one of torch.save: ${roots.length} entries named */data.pkl, expected 1; it holds ${found || 'nothing'}`,
  )
}

async function checkByteOrder(zip: ZipArchive, root: string): Promise<void> {
  const entry = zip.entries.get(`${root}byteorder`)
  if (!entry || entry.size > 16) return
  const order = new TextDecoder().decode(await zip.read(entry))
  if (order !== 'little')
    throw new CheckpointError(
      `the checkpoint's byte order is '${order}', expected 'little'; save it on a little-endian machine`,
    )
}

function stateDict(top: PickleValue): PickleDict {
  if (top instanceof PickleDict) {
    for (const key of ['state_dict', 'model_state_dict']) {
      const inner = top.entries.get(key)
      if (inner instanceof PickleDict) return inner
      if (inner instanceof Opaque) throw needsCode(`'${key}'`, inner)
    }
    return top
  }
  if (top instanceof Opaque) throw needsCode('the file', top)
  throw new CheckpointError(
    'the file holds no dict of tensors; save the weights with torch.save(model.state_dict(), path)',
  )
}

function needsCode(what: string, { origin }: Opaque): CheckpointError {
  return new CheckpointError(
    `${what} depends on '${origin}', which this reader never runs; save the weights with torch.save(model.state_dict(), path)`,
  )
}

/** Dotted names. An opaque value counts as a tensor that cannot be read if it stands among tensors, else as no tensor. */
function flatten(dict: PickleDict): StateDict {
  const state: StateDict = new Map()
  let items = 0
  let opaque: [name: string, value: Opaque] | undefined
  const visit = ({ entries }: PickleDict, prefix: string, depth: number) => {
    if (depth > MAX_NESTING)
      throw new CheckpointError(`dicts are nested more than ${MAX_NESTING} deep in the checkpoint`)
    const amongTensors = [...entries.values()].some(value => value instanceof TensorRef)
    for (const [key, value] of entries) {
      if (++items > MAX_ITEMS) throw new CheckpointError(`more than ${MAX_ITEMS} items in the checkpoint`)
      if (typeof key !== 'string' && typeof key !== 'number') continue
      if (value instanceof PickleDict) visit(value, `${checkName(`${prefix}${key}`)}.`, depth + 1)
      else if (value instanceof TensorRef || value instanceof Opaque) {
        const name = checkName(`${prefix}${key}`)
        if (value instanceof Opaque) opaque ??= [name, value]
        if (value instanceof Opaque && !amongTensors) continue
        if (state.has(name)) throw new CheckpointError(`two tensors of the checkpoint are named '${name}'`)
        state.set(name, value)
      }
    }
  }
  visit(dict, '', 1)
  if (state.size > 0) return state
  throw opaque
    ? needsCode(`'${opaque[0]}'`, opaque[1])
    : new CheckpointError('there are no tensors in the checkpoint')
}

function checkName(name: string): string {
  if (name.length <= MAX_NAME_LENGTH) return name
  throw new CheckpointError(`a tensor name of ${name.length} characters; at most ${MAX_NAME_LENGTH} are read`)
}

function locate(
  zip: ZipArchive,
  root: string,
  name: string,
  tensor: TensorRef | Opaque | undefined,
): StoredTensor {
  if (!tensor) throw new CheckpointError(`there is no tensor '${name}' in this torch file`)
  if (tensor instanceof Opaque) throw needsCode(`'${name}'`, tensor)
  const { storage, offset, size: shape, stride } = tensor
  const dtype = STORAGE_DTYPES.get(storage.type)
  if (!dtype)
    throw new CheckpointError(
      `'${name}' is stored as ${storage.type}; readable are ${[...STORAGE_DTYPES.keys()].join(', ')}`,
    )
  const entry = zip.entries.get(`${root}data/${storage.key}`)
  if (!entry) throw new CheckpointError(`the storage of '${name}', data/${storage.key}, is not in the file`)
  const needed = storage.numel * bytesPerElement(dtype)
  if (entry.size < needed)
    throw new CheckpointError(
      `the storage of '${name}' has ${entry.size} bytes, expected ${needed}; the file is damaged`,
    )
  const count = elementCount(shape)
  const end = count === 0 ? 0 : offset + extent(shape, stride)
  if (!(end <= storage.numel))
    throw new CheckpointError(
      `'${name}' ${showShape(shape)} ends at element ${end} of a storage of ${storage.numel}; the file is damaged`,
    )
  if (!(count <= Math.max(storage.numel, MAX_EXPANDED)))
    throw new CheckpointError(
      `'${name}' ${showShape(shape)} claims ${count} values from a storage of ${storage.numel}`,
    )
  return { entry, dtype, shape, offset, stride }
}

/** Elements from a view's first to its last, inclusive. */
function extent(shape: readonly number[], stride: readonly number[]): number {
  return shape.reduce((sum, size, i) => sum + (size - 1) * stride[i], 1)
}

function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && stride[i] !== expected) return false
    expected *= shape[i]
  }
  return true
}

async function readView(
  file: ByteSource,
  start: number,
  tensor: StoredTensor,
  target: Float32Array,
): Promise<void> {
  const { dtype, shape, stride } = tensor
  const first = start + tensor.offset * bytesPerElement(dtype)
  if (isContiguous(shape, stride)) return readContiguous(file, first, dtype, target)
  const span = new Float32Array(extent(shape, stride))
  await readContiguous(file, first, dtype, span)
  gather(span, shape, stride, target)
}

/** Row-major copy of a strided view. */
function gather(
  span: Float32Array,
  shape: readonly number[],
  stride: readonly number[],
  target: Float32Array,
): void {
  const last = shape.length - 1
  const index = new Array(shape.length).fill(0)
  let from = 0
  for (let to = 0; to < target.length; ) {
    for (let i = 0; i < shape[last]; i++) target[to++] = span[from + i * stride[last]]
    for (let axis = last - 1; axis >= 0; axis--) {
      from += stride[axis]
      if (++index[axis] < shape[axis]) break
      from -= stride[axis] * shape[axis]
      index[axis] = 0
    }
  }
}
