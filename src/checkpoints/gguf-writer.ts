// GGUF files about to be written: version 3, little-endian, as the `gguf` package of Python lays them out.
import { ConfigError } from '../errors.js'
import { storedBytes } from './gguf.js'
import type { WritableDtype } from './gguf-blocks.js'
import { typeNumber } from './gguf-header.js'
import { elementCount, MAX_NAME_LENGTH } from './source.js'
import type { PlainWeights } from './weights.js'

const ALIGNMENT = 32
const VERSION = 3
const KEY_TYPES = { u32: 4, f32: 6, bool: 7, text: 8 } as const

/** A key with its value. */
export type GgufKey =
  | readonly [name: string, type: 'u32' | 'f32', value: number]
  | readonly [name: string, type: 'bool', value: boolean]
  | readonly [name: string, type: 'text', value: string]

/** How another program names the tensors, and what it wants to be told. */
export interface GgufLayout {
  readonly architecture: string
  readonly keys: readonly GgufKey[]
  readonly tensors: ReadonlyMap<string, PlainWeights>
  /** True for what stays f32 whatever the matrices are. */
  isExact(name: string, shape: readonly number[]): boolean
}

/** A tensor as the file holds it; shape as PyTorch's. */
export interface GgufTensor {
  readonly dtype: WritableDtype
  readonly shape: readonly number[]
}

/** Its beginning, and what follows: the tensors' data in the order in which they were given, each followed by its padding. */
export interface GgufPlan {
  readonly head: Uint8Array<ArrayBuffer>
  readonly names: readonly string[]
  /** Zeros behind the data of a tensor. */
  paddingOf(name: string): number
  /** Bytes of the whole file. */
  readonly size: number
}

/** Lays out a GGUF file. @throws ConfigError for a tensor that the format cannot name or hold */
export function planGguf(tensors: ReadonlyMap<string, GgufTensor>, keys: readonly GgufKey[]): GgufPlan {
  const head = new Writer()
  head.bytes(new TextEncoder().encode('GGUF'))
  head.u32(VERSION)
  head.u64(tensors.size)
  head.u64(keys.length)
  for (const key of keys) writeKey(head, key)
  let offset = 0
  for (const [name, { dtype, shape }] of tensors) {
    if (name.length > MAX_NAME_LENGTH || shape.length > 4)
      throw new ConfigError(`'${name}' with ${shape.length} dimensions does not fit into a GGUF file`)
    head.text(name)
    head.u32(shape.length)
    for (const size of shape.toReversed()) head.u64(size)
    head.u32(typeNumber(dtype))
    head.u64(offset)
    offset += aligned(sizeOf({ dtype, shape }))
  }
  head.bytes(new Uint8Array(aligned(head.length) - head.length))
  return {
    head: head.take(),
    names: [...tensors.keys()],
    paddingOf(name) {
      const size = sizeOf(tensors.get(name)!)
      return aligned(size) - size
    },
    size: head.length + offset,
  }
}

function sizeOf({ dtype, shape }: GgufTensor): number {
  return storedBytes(dtype, elementCount(shape))
}

function aligned(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT
}

function writeKey(head: Writer, [name, type, value]: GgufKey): void {
  head.text(name)
  head.u32(KEY_TYPES[type])
  if (type === 'text') head.text(value)
  else if (type === 'bool') head.bytes(Uint8Array.of(Number(value)))
  else if (type === 'f32') head.bytes(new Uint8Array(Float32Array.of(value).buffer))
  else head.u32(value)
}

class Writer {
  length = 0
  readonly #parts: Uint8Array[] = []

  bytes(bytes: Uint8Array): void {
    this.#parts.push(bytes)
    this.length += bytes.length
  }

  u32(value: number): void {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, value, true)
    this.bytes(bytes)
  }

  u64(value: number): void {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true)
    this.bytes(bytes)
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value)
    this.u64(bytes.length)
    this.bytes(bytes)
  }

  take(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.length)
    let at = 0
    for (const part of this.#parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }
}
