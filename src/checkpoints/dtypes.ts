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

let widened: Uint32Array | undefined

/** The f32 bits of every half: looking them up widens 3 times as fast as computing them, and starts sooner. */
function widenedHalves(): Uint32Array {
  if (widened) return widened
  widened = new Uint32Array(1 << 16)
  const values = new Float32Array(widened.buffer)
  for (let half = 0; half < widened.length; half++) {
    const sign = (half & 0x8000) << 16
    const exponent = (half >> 10) & 31
    const mantissa = half & 0x3ff
    if (exponent === 0) values[half] = (sign ? -mantissa : mantissa) * 2 ** -24
    else widened[half] = sign | (exponent === 31 ? 0x7f800000 : (exponent + 112) << 23) | (mantissa << 13)
  }
  return widened
}

/** The value of every half, by its bits. */
export function valuesOfHalves(): Float32Array {
  return new Float32Array(widenedHalves().buffer)
}

function widenF16(bytes: Uint8Array, target: Float32Array): void {
  const halves = view(bytes, Uint16Array, 2)
  const bits = bitsOf(target)
  const table = widenedHalves()
  for (let i = 0; i < halves.length; i++) bits[i] = table[halves[i]]
}

/** Widens the halves in some bytes, exactly, to as many places. */
export type HalfWidener = (bytes: Uint8Array, target: Float32Array) => void

/** Converts the elements in `bytes` to float32; `target` has one place for each. Integers beyond 2^24 and f64 are rounded. */
export function widen(
  dtype: Dtype,
  bytes: Uint8Array,
  target: Float32Array,
  widenHalves: HalfWidener = widenF16,
): void {
  if (dtype === 'F32') {
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(bytes)
  } else if (dtype === 'F16') {
    widenHalves(bytes, target)
  } else if (dtype === 'BF16') {
    const values = view(bytes, Uint16Array, 2)
    const bits = bitsOf(target)
    for (let i = 0; i < values.length; i++) bits[i] = values[i] << 16
  } else {
    const values = view(bytes, ARRAYS[dtype] as NumberArrayType, BYTES[dtype])
    if (dtype === 'I64' || dtype === 'U64')
      for (let i = 0; i < target.length; i++) target[i] = Number(values[i])
    else target.set(values as unknown as ArrayLike<number>)
  }
}

/** The nearest halves, ties to even; beyond 65504 infinity. */
export function narrowF16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(values.length)
  const bits = bitsOf(values)
  for (let i = 0; i < values.length; i++) {
    const magnitude = bits[i] & 0x7fffffff
    let half: number
    if (magnitude > 0x7f800000) half = 0x7e00
    else if (magnitude >= 0x477ff000) half = 0x7c00
    else if (magnitude >= 0x38800000)
      half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13
    else half = nearestEven(Math.abs(values[i]) * 2 ** 24)
    halves[i] = ((bits[i] >>> 16) & 0x8000) | half
  }
  return halves
}

function nearestEven(value: number): number {
  const rounded = Math.round(value)
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded
}
