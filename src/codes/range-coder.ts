/** Codes one bit whose probability of being 1 is `probability` / 65536, and gives the bit. */
export interface BitCoder {
  code(bit: number, probability: number): number
}

/** Where an interval of 32-bit numbers is cut so that the lower part, which stands for 1, has its share. */
function cut(low: number, high: number, probability: number): number {
  const range = high - low
  return low + (range >>> 16) * probability + (((range & 0xffff) * probability) >>> 16)
}

/** Binary arithmetic coder, carry-less: bytes go out as soon as both ends of the interval agree on them. */
export class RangeEncoder implements BitCoder {
  readonly bytes: number[] = []
  #low = 0
  #high = 0xffffffff

  code(bit: number, probability: number): number {
    const middle = cut(this.#low, this.#high, probability)
    if (bit) this.#high = middle
    else this.#low = middle + 1
    while (((this.#low ^ this.#high) & 0xff000000) === 0) {
      this.bytes.push(this.#high >>> 24)
      this.#low = (this.#low << 8) >>> 0
      this.#high = ((this.#high << 8) | 0xff) >>> 0
    }
    return bit
  }

  /** The fewest bytes that, followed by zeros, lie within the interval. */
  end(): Uint8Array {
    for (let kept = 0; kept <= 32; kept += 8) {
      const value = kept === 0 ? 0 : (this.#high & (0xffffffff << (32 - kept))) >>> 0
      if (value < this.#low) continue
      for (let shift = 24; shift >= 32 - kept; shift -= 8) this.bytes.push((value >>> shift) & 0xff)
      break
    }
    return Uint8Array.from(this.bytes)
  }
}

/** Reads what {@link RangeEncoder} wrote; zeros follow the last byte. */
export class RangeDecoder implements BitCoder {
  readonly #bytes: Uint8Array
  #at = 0
  #value = 0
  #low = 0
  #high = 0xffffffff

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    for (let i = 0; i < 4; i++) this.#value = ((this.#value << 8) | this.#next()) >>> 0
  }

  code(_bit: number, probability: number): number {
    const middle = cut(this.#low, this.#high, probability)
    const bit = this.#value <= middle ? 1 : 0
    if (bit) this.#high = middle
    else this.#low = middle + 1
    while (((this.#low ^ this.#high) & 0xff000000) === 0) {
      this.#low = (this.#low << 8) >>> 0
      this.#high = ((this.#high << 8) | 0xff) >>> 0
      this.#value = ((this.#value << 8) | this.#next()) >>> 0
    }
    return bit
  }

  #next(): number {
    return this.#at < this.#bytes.length ? this.#bytes[this.#at++] : 0
  }
}

/** Writes nothing: lets a model learn from codes that are stored otherwise. */
export const LEARNER: BitCoder = { code: bit => bit }
