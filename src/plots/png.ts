// PNG files (W3C PNG, third edition) for pictures inside SVG: 8 bits a sample, no row filters (with few shades they make files larger), zlib
// by CompressionStream.

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

/** PNG's colour types by samples per pixel. */
const COLOUR_TYPE = { 1: 0, 3: 2 } as const

/** Pixels row by row from the top: one byte a pixel is grey, three are red, green, blue. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly samplesPerPixel: 1 | 3
  /** [height][width][samplesPerPixel] */
  readonly pixels: Uint8Array
}

/** The bytes of a PNG file. */
export async function encodePng(picture: Picture): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height, samplesPerPixel } = picture
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header.set([8, COLOUR_TYPE[samplesPerPixel], 0, 0, 0], 8)
  const parts = [
    Uint8Array.from(SIGNATURE),
    chunk('IHDR', header),
    chunk('IDAT', await zlib(rows(picture))),
    chunk('IEND', new Uint8Array(0)),
  ]
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

/** The same as an address that stands inside a document. */
export async function pngUrl(picture: Picture): Promise<string> {
  const bytes = await encodePng(picture)
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return `data:image/png;base64,${btoa(text)}`
}

/** Each row behind the number of its filter: 0, none. */
function rows({ width, height, samplesPerPixel, pixels }: Picture): Uint8Array<ArrayBuffer> {
  const size = width * samplesPerPixel
  const bytes = new Uint8Array(height * (size + 1))
  for (let y = 0; y < height; y++) bytes.set(pixels.subarray(y * size, (y + 1) * size), y * (size + 1) + 1)
  return bytes
}

async function zlib(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** Length, type, data, CRC of type and data. */
function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.length + 12)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, data.length)
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i)
  bytes.set(data, 8)
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)))
  return bytes
}

const CRC_POLYNOMIAL = 0xedb88320

function crc32(bytes: Uint8Array): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CRC_POLYNOMIAL : crc >>> 1
  }
  return ~crc >>> 0
}
