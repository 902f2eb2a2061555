/** A WAV writer for tests, written apart from the library's: chunk by chunk, so that a test can lie in any field. */
export function chunk(id: string, body: Uint8Array, claimed = body.length): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + body.length + (body.length % 2))
  for (let i = 0; i < 4; i++) bytes[i] = id.charCodeAt(i)
  new DataView(bytes.buffer).setUint32(4, claimed, true)
  bytes.set(body, 8)
  return bytes
}

export function riff(...chunks: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return join(
    text('RIFF'),
    u32(4 + chunks.reduce((sum, part) => sum + part.length, 0)),
    text('WAVE'),
    ...chunks,
  )
}

interface FormatFields {
  tag?: number
  channels?: number
  rate?: number
  bits?: number
  blockAlign?: number
}

export function format(fields: FormatFields = {}): Uint8Array<ArrayBuffer> {
  const { tag = 1, channels = 1, rate = 24000, bits = 16 } = fields
  const blockAlign = fields.blockAlign ?? channels * Math.ceil(bits / 8)
  return join(u16(tag), u16(channels), u32(rate), u32(rate * blockAlign), u16(blockAlign), u16(bits))
}

/** WAVE_FORMAT_EXTENSIBLE around the same fields: container bits, valid bits, speaker mask, sub-format GUID. */
export function extensible(fields: FormatFields, validBits: number): Uint8Array<ArrayBuffer> {
  const guidTail = new Uint8Array([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71])
  const extension = join(u16(22), u16(validBits), u32(0), u16(fields.tag ?? 1), guidTail)
  return join(format({ ...fields, tag: 0xfffe }), extension)
}

export function pcm16(...samples: number[]): Uint8Array<ArrayBuffer> {
  return join(...samples.map(sample => u16(sample & 0xffff)))
}

export function u16(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array([value & 255, (value >> 8) & 255])
}

export function u32(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array([value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24])
}

export function text(value: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(value, letter => letter.charCodeAt(0))
}

export function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
