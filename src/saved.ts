// The envelope of a stream's saved state: who it belongs to, and that it is whole.
//
//   "wavtok s1" | bytes of the description u32 | CRC-32 of all behind u32 | description, JSON | state
import { crc32 } from './codes/crc32.js'
import { ConfigError } from './errors.js'

const MAGIC = new TextEncoder().encode('wavtok s1')
const HEAD = MAGIC.length + 8

/** @internal */
export function sealed(state: Uint8Array, description: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(description)
  const bytes = new Uint8Array(HEAD + text.length + state.length)
  bytes.set(MAGIC)
  bytes.set(text, HEAD)
  bytes.set(state, HEAD + text.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(MAGIC.length, text.length, true)
  view.setUint32(MAGIC.length + 4, crc32(bytes.subarray(HEAD)), true)
  return bytes
}

/** @internal The state inside. @throws ConfigError for bytes that are damaged or were sealed with another description */
export function unsealed(bytes: Uint8Array, description: string): Uint8Array {
  if (!(bytes instanceof Uint8Array) || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw new ConfigError('this is no saved stream; expected the bytes that save() gave')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const isWhole =
    bytes.length >= HEAD && view.getUint32(MAGIC.length + 4, true) === crc32(bytes.subarray(HEAD))
  const length = isWhole ? view.getUint32(MAGIC.length, true) : 0
  if (!isWhole || HEAD + length > bytes.length)
    throw new ConfigError('the saved stream is damaged; its checksum does not fit')
  const found = new TextDecoder().decode(bytes.subarray(HEAD, HEAD + length))
  if (found !== description)
    throw new ConfigError(
      `the stream was saved by another model, kind of session, sample rate or number of codebooks:\n  ${shown(found)}\n  this one is\n  ${shown(description)}`,
    )
  return bytes.subarray(HEAD + length)
}

function shown(description: string): string {
  return description.length > 300 ? `${description.slice(0, 300)} ...` : description
}
