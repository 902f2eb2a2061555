// Little-endian bytes to float32. WebAssembly engines run on little-endian machines, so typed arrays read files directly.

// Widest first; safetensors' reference implementation writes tensors in this order.
const BYTES = {
  U64: 8,
  I64: 8,
  F64: 8,
  F32: 4,
  U32: 4,
  I32: 4,
  BF16: 2,
  F16: 2,
  U16: 2,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
}

/** Element types, by safetensors' names. */
export type Dtype = keyof typeof BYTES

export const DTYPES = Object.keys(BYTES) as Dtype[]

export function isDtype(name: unknown): name is Dtype {
  return typeof name === 'string' && Object.hasOwn(BYTES, name)
}

export function bytesPerElement(dtype: Dtype): number {
  return BYTES[dtype]
}

type NumberArray = { [index: number]: number | bigint }
type NumberArrayType = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => NumberArray

const ARRAYS: { [dtype in Dtype]?: NumberArrayType } = {
  F64: Float64Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
}

function view<T>(
  bytes: Uint8Array,
  type: new (buffer: ArrayBufferLike, offset: number, length: number) => T,
  size: number,
): T {
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice()
  return new type(aligned.buffer, aligned.byteOffset, aligned.byteLength / size)
}

function bitsOf(target: Float32Array): Uint32Array {
  return new Uint32Array(target.buffer, target.byteOffset, target.length)
}

function widenF16(halves: Uint16Array, target: Float32Array): void {
  const bits = bitsOf(target)
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]
    const sign = (half & 0x8000) << 16
    const exponent = (half >> 10) & 31
    const mantissa = half & 0x3ff
    if (exponent === 0) target[i] = (sign ? -mantissa : mantissa) * 2 ** -24
    else bits[i] = sign | (exponent === 31 ? 0x7f800000 : (exponent + 112) << 23) | (mantissa << 13)
  }
}

/** Converts the elements in `bytes` to float32; `target` has one place for each. Integers beyond 2^24 and f64 are rounded. */
export function widen(dtype: Dtype, bytes: Uint8Array, target: Float32Array): void {
  if (dtype === 'F32') {
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(bytes)
  } else if (dtype === 'F16') {
    widenF16(view(bytes, Uint16Array, 2), target)
  } else if (dtype === 'BF16') {
    const values = view(bytes, Uint16Array, 2)
    const bits = bitsOf(target)
    for (let i = 0; i < values.length; i++) bits[i] = values[i] << 16
  } else {
    const values = view(bytes, ARRAYS[dtype] as NumberArrayType, BYTES[dtype])
    for (let i = 0; i < target.length; i++) target[i] = Number(values[i])
  }
}
