// ggml's block formats: runs of 32 or 256 consecutive values that share scales. Layouts: ggml-common.h of llama.cpp.
//
// Scales are halves and integers have few bits, so that every product is exact in a double and each value is rounded to f32 once:
// the same bits as the `gguf` package computes in f32 (tests/vectors/make_gguf.py).
import { narrowF16, valuesOfHalves } from './dtypes.js'

/** A type in which a GGUF file may hold tensors in blocks. */
export interface BlockFormat {
  /** Values in a block. */
  readonly values: number
  readonly bytes: number
  /** Writes the values of the block at `at` to `target` from `to` on; missing where the type is known and not readable. */
  readonly read?: (block: Block, target: Float32Array, to: number) => void
}

/** Some blocks of one type, and the place of the one being read. */
class Block {
  private readonly view: DataView
  private readonly halves = valuesOfHalves()
  at = 0

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  byte(i: number): number {
    return this.bytes[this.at + i]
  }

  signed(i: number): number {
    return this.view.getInt8(this.at + i)
  }

  word(i: number): number {
    return this.view.getUint32(this.at + i, true)
  }

  half(i: number): number {
    return this.halves[this.view.getUint16(this.at + i, true)]
  }
}

/** Legacy formats: 32 values, low nibbles first, with the fifth bits in a word of their own where there are any. */
function readLegacy(block: Block, target: Float32Array, to: number, bits: 4 | 5, hasMinimum: boolean): void {
  const scale = block.half(0)
  const minimum = hasMinimum ? block.half(2) : -0 // which leaves the sign of a zero as it is
  const zero = hasMinimum ? 0 : 1 << (bits - 1)
  const fifths = hasMinimum ? 4 : 2
  const high = bits === 5 ? block.word(fifths) : 0
  const nibbles = fifths + (bits === 5 ? 4 : 0)
  for (let i = 0; i < 16; i++) {
    const pair = block.byte(nibbles + i)
    const low = (pair & 15) | (((high >>> i) & 1) << 4)
    const upper = (pair >> 4) | (((high >>> (i + 16)) & 1) << 4)
    target[to + i] = scale * (low - zero) + minimum
    target[to + i + 16] = scale * (upper - zero) + minimum
  }
}

function readQ80(block: Block, target: Float32Array, to: number): void {
  const scale = block.half(0)
  for (let i = 0; i < 32; i++) target[to + i] = scale * block.signed(2 + i)
}

/** 16 sub-blocks of 16 values of 2 bits, with scale and minimum of 4 bits each. */
function readQ2K(block: Block, target: Float32Array, to: number): void {
  const scale = block.half(80)
  const minimum = block.half(82)
  for (let i = 0; i < 256; i++) {
    const factors = block.byte(i >> 4)
    target[to + i] = scale * (factors & 15) * twoBits(block, 16, i) - minimum * (factors >> 4)
  }
}

/** 16 sub-blocks of 16 values: two bits together, the third in a mask of its own, a scale of 6 bits. */
function readQ3K(block: Block, target: Float32Array, to: number): void {
  const scale = block.half(108)
  for (let i = 0; i < 256; i++) {
    const sub = i >> 4
    const low = (block.byte(96 + (sub & 7)) >> (sub < 8 ? 0 : 4)) & 15
    const high = (block.byte(104 + (sub & 3)) >> (2 * (sub >> 2))) & 3
    const third = (block.byte(i & 31) >> (i >> 5)) & 1
    target[to + i] = scale * ((low | (high << 4)) - 32) * (twoBits(block, 32, i) - (third ? 0 : 4))
  }
}

/** 8 sub-blocks of 32 values of 4 or 5 bits, with scale and minimum of 6 bits each in 12 bytes. */
function readQ45K(block: Block, target: Float32Array, to: number, bits: 4 | 5): void {
  const scale = block.half(0)
  const minimum = block.half(2)
  const nibbles = bits === 5 ? 48 : 16
  for (let sub = 0; sub < 8; sub++) {
    const [factor, offset] = sixBits(block, sub)
    const [a, b] = [scale * factor, minimum * offset]
    for (let i = 0; i < 32; i++) {
      const nibble = (block.byte(nibbles + 32 * (sub >> 1) + i) >> (4 * (sub & 1))) & 15
      const fifth = bits === 5 ? (block.byte(16 + i) >> sub) & 1 : 0
      target[to + 32 * sub + i] = a * (nibble | (fifth << 4)) - b
    }
  }
}

/** Scale and minimum of sub-block `sub`: the last four keep their upper two bits with the first four. */
function sixBits(block: Block, sub: number): [scale: number, minimum: number] {
  const at = (i: number) => block.byte(4 + i)
  if (sub < 4) return [at(sub) & 63, at(sub + 4) & 63]
  return [(at(sub + 4) & 15) | ((at(sub - 4) >> 6) << 4), (at(sub + 4) >> 4) | ((at(sub) >> 6) << 4)]
}

/** 16 sub-blocks of 16 values of 6 bits: four together, two apart, a scale of 8 bits. */
function readQ6K(block: Block, target: Float32Array, to: number): void {
  const scale = block.half(208)
  for (let i = 0; i < 256; i++) {
    const [half, within] = [i >> 7, i & 127]
    const low = (block.byte(64 * half + (within & 63)) >> (within < 64 ? 0 : 4)) & 15
    const high = twoBits(block, 128, i)
    target[to + i] = scale * block.signed(192 + (i >> 4)) * ((low | (high << 4)) - 32)
  }
}

/** Two bits of value `i`, of which 128 share the 32 bytes from `at` on. */
function twoBits(block: Block, at: number, i: number): number {
  return (block.byte(at + 32 * (i >> 7) + (i & 31)) >> (2 * ((i & 127) >> 5))) & 3
}

const FORMATS = {
  Q4_0: { values: 32, bytes: 18, read: (block, target, to) => readLegacy(block, target, to, 4, false) },
  Q4_1: { values: 32, bytes: 20, read: (block, target, to) => readLegacy(block, target, to, 4, true) },
  Q5_0: { values: 32, bytes: 22, read: (block, target, to) => readLegacy(block, target, to, 5, false) },
  Q5_1: { values: 32, bytes: 24, read: (block, target, to) => readLegacy(block, target, to, 5, true) },
  Q8_0: { values: 32, bytes: 34, read: readQ80 },
  Q2_K: { values: 256, bytes: 84, read: readQ2K },
  Q3_K: { values: 256, bytes: 110, read: readQ3K },
  Q4_K: { values: 256, bytes: 144, read: (block, target, to) => readQ45K(block, target, to, 4) },
  Q5_K: { values: 256, bytes: 176, read: (block, target, to) => readQ45K(block, target, to, 5) },
  Q6_K: { values: 256, bytes: 210, read: readQ6K },
  // sized, so that a file is not refused for a tensor that nobody asks for
  Q8_1: { values: 32, bytes: 40 },
  Q8_K: { values: 256, bytes: 292 },
  IQ1_S: { values: 256, bytes: 50 },
  IQ1_M: { values: 256, bytes: 56 },
  IQ2_XXS: { values: 256, bytes: 66 },
  IQ2_XS: { values: 256, bytes: 74 },
  IQ2_S: { values: 256, bytes: 82 },
  IQ3_XXS: { values: 256, bytes: 98 },
  IQ3_S: { values: 256, bytes: 110 },
  IQ4_NL: { values: 32, bytes: 18 },
  IQ4_XS: { values: 256, bytes: 136 },
  TQ1_0: { values: 256, bytes: 54 },
  TQ2_0: { values: 256, bytes: 66 },
  MXFP4: { values: 32, bytes: 17 },
} satisfies Record<string, BlockFormat>

export type BlockDtype = keyof typeof FORMATS

/** The types that this library writes. */
export type WritableDtype = 'F32' | 'F16' | 'Q8_0'

export const BLOCK_FORMATS: Readonly<Record<BlockDtype, BlockFormat>> = FORMATS

export function isBlockDtype(dtype: string): dtype is BlockDtype {
  return Object.hasOwn(FORMATS, dtype)
}

/** The values of whole blocks; `target` has one place for each. The type must be a readable one. */
export function widenBlocks(dtype: BlockDtype, bytes: Uint8Array, target: Float32Array): void {
  const { values, bytes: step, read } = BLOCK_FORMATS[dtype]
  const block = new Block(bytes)
  for (let to = 0; to < target.length; to += values, block.at += step) read!(block, target, to)
}

/**
 * Q8_0 as ggml's reference rounds: scale = largest magnitude / 127, kept as a half; integers by the unrounded one, halves away from 0.
 * `values` are whole blocks. A block whose scale is no finite half gives one that is not.
 */
export function narrowQ80(values: Float32Array): Uint8Array<ArrayBuffer> {
  const blocks = values.length / 32
  const result = new Uint8Array(blocks * 34)
  const view = new DataView(result.buffer)
  const scales = new Float32Array(blocks)
  for (let block = 0; block < blocks; block++) {
    const part = values.subarray(32 * block, 32 * block + 32)
    scales[block] = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127
    const perScale = scales[block] === 0 ? 0 : Math.fround(1 / scales[block])
    for (let i = 0; i < 32; i++) {
      const quotient = Math.fround(part[i] * perScale)
      view.setInt8(34 * block + 2 + i, Math.sign(quotient) * Math.floor(Math.abs(quotient) + 0.5))
    }
  }
  const halves = narrowF16(scales)
  for (let block = 0; block < blocks; block++) view.setUint16(34 * block, halves[block], true)
  return result
}
