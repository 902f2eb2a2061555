import { crc32 } from './crc32.js'

/** Bytes that grow at their end. Numbers are little-endian. */
export class ByteSink {
  #bytes = new Uint8Array(64)
  #length = 0

  get length(): number {
    return this.#length
  }

  u8(value: number): void {
    this.#room(1)
    this.#bytes[this.#length++] = value
  }

  u16(value: number): void {
    this.u8(value & 0xff)
    this.u8(value >>> 8)
  }

  u32(value: number): void {
    this.u16(value & 0xffff)
    this.u16(value >>> 16)
  }

  /** Seven bits a byte, low ones first; the top bit says that more follow. */
  varint(value: number): void {
    for (; value > 0x7f; value >>>= 7) this.u8((value & 0x7f) | 0x80)
    this.u8(value)
  }

  put(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Ends a section: the CRC-32 of everything from `start` on. */
  seal(start: number): void {
    this.u32(crc32(this.#bytes.subarray(start, this.#length)))
  }

  /** A copy of everything; the sink is empty afterwards. */
  take(): Uint8Array<ArrayBuffer> {
    const result = this.#bytes.slice(0, this.#length)
    this.#length = 0
    return result
  }

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
