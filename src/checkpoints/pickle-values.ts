// What a pickle can become here: plain data, tensors that point into storages, and inert stand-ins for everything else.
import { CheckpointError } from '../errors.js'
import { MAX_DIMENSIONS } from './source.js'

export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleValue[] // lists and tuples
  | PickleDict
  | PickleGlobal
  | Opaque
  | StorageRef
  | TensorRef

export class PickleDict {
  readonly entries = new Map<PickleValue, PickleValue>()
}

/** A class or function by its name, 'module.name'. It is never imported nor called. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}

/** An object that only foreign code could build; `origin` is the name of that code. */
export class Opaque {
  constructor(readonly origin: string) {}
}

/** torch's persistent id ('storage', type, key, location, numel): `numel` elements in the archive's entry data/`key`. */
export class StorageRef {
  constructor(
    readonly type: string,
    readonly key: string,
    readonly numel: number,
  ) {}
}

/** A strided view of a storage; offset and strides count elements. Not yet checked against the storage's size. */
export class TensorRef {
  constructor(
    readonly storage: StorageRef,
    readonly offset: number,
    readonly size: readonly number[],
    readonly stride: readonly number[],
  ) {}
}

const MAX_KEY_LENGTH = 256

const isCount = (value: PickleValue): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const areCounts = (value: PickleValue): value is number[] =>
  Array.isArray(value) && value.length <= MAX_DIMENSIONS && value.every(isCount)

/** What calling `callable` would give, for the handful of callables that torch.save writes; anything else stays opaque. */
export function reduce(callable: PickleValue, args: PickleValue): PickleValue {
  if (callable instanceof Opaque) return callable
  if (!(callable instanceof PickleGlobal) || !Array.isArray(args))
    throw new CheckpointError(
      'the pickle calls something that is no function, or without a tuple of arguments',
    )
  switch (callable.name) {
    case 'collections.OrderedDict':
      return args.length === 0 ? new PickleDict() : new Opaque(callable.name)
    case 'torch.Size':
      return args.length === 1 && Array.isArray(args[0]) ? args[0] : new Opaque(callable.name)
    case 'torch._utils._rebuild_tensor_v2':
      return rebuildTensor(args)
    case 'torch._utils._rebuild_parameter':
      return args[0] instanceof TensorRef || args[0] instanceof Opaque ? args[0] : new Opaque(callable.name)
    default:
      return new Opaque(callable.name)
  }
}

function rebuildTensor([storage, offset, size, stride]: PickleValue[]): PickleValue {
  if (storage instanceof Opaque) return storage
  if (!(storage instanceof StorageRef))
    throw new CheckpointError('the pickle makes a tensor of something that is no storage')
  if (!isCount(offset) || !areCounts(size) || !areCounts(stride) || size.length !== stride.length)
    throw new CheckpointError(
      `the pickle describes a tensor of storage '${storage.key}' with an impossible offset, size or stride`,
    )
  return new TensorRef(storage, offset, [...size], [...stride])
}

/** torch's persistent ids name storages; other libraries' stay opaque. */
export function persistent(id: PickleValue): PickleValue {
  if (!Array.isArray(id) || id[0] !== 'storage') return new Opaque('an unknown persistent id')
  const [, type, key, , numel] = id
  if (
    !(type instanceof PickleGlobal) ||
    typeof key !== 'string' ||
    key.length > MAX_KEY_LENGTH ||
    !isCount(numel)
  )
    throw new CheckpointError('the pickle refers to a storage without a type, key and number of elements')
  return new StorageRef(type.name, key, numel)
}
