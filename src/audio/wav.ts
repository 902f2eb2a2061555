import { AudioError } from '../errors.js'
import { A_LAW, FLOAT, MU_LAW, PCM, type SampleType } from './pcm.js'
import { ascii, describeNotWav, isWav } from './recognise.js'

/** How the samples of a WAV file are stored. */
export type WavFormat = 'pcm' | 'float' | 'a-law' | 'mu-law'

/** A decoded WAV file. */
export interface WavAudio {
  /** Hz. */
  readonly sampleRate: number
  /** One array per channel, all of the same length; integers are scaled to [-1, 1). */
  readonly channels: Float32Array<ArrayBuffer>[]
  /** As the file says: 16 for CD audio. */
  readonly bitsPerSample: number
  readonly format: WavFormat
  /** What was wrong with the file and how it was read all the same; empty for a sound file. */
  readonly warnings: string[]
}

interface Header {
  sampleRate: number
  channelCount: number
  bitsPerSample: number
  format: WavFormat
  sample: SampleType
  frameBytes: number
}

interface Extent {
  start: number
  bytes: number
}

const EXTENSIBLE = 0xfffe
const FORMATS: Readonly<Record<number, [WavFormat, Readonly<Record<number, SampleType>>]>> = {
  1: ['pcm', PCM],
  3: ['float', FLOAT],
  6: ['a-law', A_LAW],
  7: ['mu-law', MU_LAW],
}
const COMPRESSED: Readonly<Record<number, string>> = {
  2: 'Microsoft ADPCM',
  17: 'IMA ADPCM',
  49: 'GSM 6.10',
  80: 'MPEG',
  85: 'MP3',
  255: 'AAC',
  353: 'Windows Media Audio',
}
const OPEN_LENGTH = 0xffffffff
const KNOWN_CHUNKS = /^(fmt |data|fact|LIST)$/

/**
 * Reads a WAV file: 8/16/24/32-bit PCM, 32/64-bit float, A-law, mu-law, WAVE_FORMAT_EXTENSIBLE, RF64/BW64, any rate and channel
 * count. Wrong sizes in the header (files written to a pipe, interrupted recordings) are read as far as whole frames exist,
 * with a warning.
 *
 * @param bytes the whole file
 * @throws AudioError when the bytes are not a WAV file (the message says what they look like), are compressed, or hold no data
 */
export function decodeWav(bytes: Uint8Array | ArrayBuffer): WavAudio {
  const file = ArrayBuffer.isView(bytes) ? bytes : new Uint8Array(bytes)
  if (!isWav(file)) throw new AudioError(`not a WAV file: ${describeNotWav(file)}`)
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const warnings: string[] = []
  const { fmt, data } = findChunks(file, view, warnings)
  const header = readFormat(view, fmt, warnings)
  const frames = Math.floor(data.bytes / header.frameBytes)
  const rest = data.bytes - frames * header.frameBytes
  if (rest > 0) {
    if (frames === 0)
      throw new AudioError(`the WAV file ends inside its first frame (${rest} of ${header.frameBytes} bytes)`)
    warnings.push(`the last ${rest} bytes are not a whole frame of ${header.frameBytes} bytes; left out`)
  }
  const channels = Array.from({ length: header.channelCount }, () => new Float32Array(frames))
  const { read, bytes: sampleBytes } = header.sample
  for (let c = 0; c < channels.length; c++) {
    const channel = channels[c]
    let at = data.start + c * sampleBytes
    for (let i = 0; i < frames; i++, at += header.frameBytes) channel[i] = read(view, at)
  }
  const { sampleRate, bitsPerSample, format } = header
  return { sampleRate, channels, bitsPerSample, format, warnings }
}

/** Walks the chunk list to the first 'fmt ' and 'data'; chunks are padded to even length (by most writers). */
function findChunks(file: Uint8Array, view: DataView, warnings: string[]): { fmt: Extent; data: Extent } {
  let fmt: Extent | undefined
  let data: Extent | undefined
  let longDataBytes: number | undefined
  let lastChunk = ''
  for (let at = 12; at + 8 <= file.length && !(fmt && data); ) {
    const id = ascii(file, at, 4)
    const start = at + 8
    let size = view.getUint32(at + 4, true)
    lastChunk = `'${id}' at byte ${at} claims ${size} bytes`
    if (id === 'ds64' && start + 16 <= file.length) longDataBytes = Number(view.getBigUint64(start + 8, true))
    if (id === 'fmt ') fmt ??= { start, bytes: Math.min(size, file.length - start) }
    if (id === 'data' && !data) {
      if (size === OPEN_LENGTH && longDataBytes !== undefined) size = longDataBytes
      size = dataBytes(file, view, start, size, warnings)
      data = { start, bytes: size }
    }
    const next = start + size
    at = next + (size % 2 === 1 && !KNOWN_CHUNKS.test(ascii(file, next, 4)) ? 1 : 0)
  }
  const missing = fmt ? 'data' : 'fmt '
  if (fmt && data) return { fmt, data }
  throw new AudioError(
    `the WAV file has no '${missing}' chunk in its ${file.length} bytes: it is truncated or not audio` +
      (lastChunk ? ` (the last chunk seen, ${lastChunk})` : ''),
  )
}

/** The bytes of the data chunk that exist, whatever its header claims. */
function dataBytes(
  file: Uint8Array,
  view: DataView,
  start: number,
  claimed: number,
  warnings: string[],
): number {
  const available = file.length - start
  const isOpen =
    claimed === OPEN_LENGTH || (claimed === 0 && available > 0 && !isChunkList(file, view, start))
  if (isOpen) {
    warnings.push(
      'the header does not say how long the audio is (written to a pipe?); read to the end of the file',
    )
    return available
  }
  if (claimed <= available) return claimed
  if (available === 0)
    throw new AudioError(`the WAV file is truncated: its data chunk claims ${claimed} bytes and has none`)
  warnings.push(
    `the data chunk claims ${claimed} bytes but the file has ${available} of them (truncated?); read those`,
  )
  return available
}

/** After an empty data chunk: does another chunk follow, rather than samples whose length was never filled in? */
function isChunkList(file: Uint8Array, view: DataView, at: number): boolean {
  return (
    at + 8 <= file.length &&
    /^[\x20-\x7e]{4}$/.test(ascii(file, at, 4)) &&
    view.getUint32(at + 4, true) <= file.length - at - 8
  )
}

function readFormat(view: DataView, fmt: Extent, warnings: string[]): Header {
  if (fmt.bytes < 16)
    throw new AudioError(`the WAV file's 'fmt ' chunk has ${fmt.bytes} bytes; 16 or more are needed`)
  const at = fmt.start
  let tag = view.getUint16(at, true)
  // WAVE_FORMAT_EXTENSIBLE keeps the format tag in the first two bytes of its sub-format GUID.
  if (tag === EXTENSIBLE && fmt.bytes >= 26) tag = view.getUint16(at + 24, true)
  const channelCount = view.getUint16(at + 2, true)
  const sampleRate = view.getUint32(at + 4, true)
  const blockAlign = view.getUint16(at + 12, true)
  const bitsPerSample = view.getUint16(at + 14, true)
  if (channelCount === 0) throw new AudioError('the WAV file says that it has 0 channels')
  if (sampleRate === 0) throw new AudioError('the WAV file says that its sample rate is 0 Hz')
  const [format, types] = FORMATS[tag] ?? unknownFormat(tag)

  const container = bitsPerSample / 8
  const perChannel = blockAlign / channelCount
  const isAgreed = perChannel >= container && types[perChannel] !== undefined
  const sample = types[isAgreed ? perChannel : container]
  if (bitsPerSample === 0 || !sample) {
    throw new AudioError(
      `the WAV file has ${bitsPerSample}-bit ${format} samples in frames of ${blockAlign} bytes, which is not supported; ` +
        'expected 8, 16, 24 or 32-bit PCM, or 32 or 64-bit float',
    )
  }
  const frameBytes = sample.bytes * channelCount
  if (!isAgreed)
    warnings.push(`the header's frame size of ${blockAlign} bytes is wrong; read as ${frameBytes}`)
  return { sampleRate, channelCount, bitsPerSample, format, sample, frameBytes }
}

function unknownFormat(tag: number): never {
  const name = COMPRESSED[tag] ?? `format 0x${tag.toString(16).padStart(4, '0')}`
  throw new AudioError(
    `the WAV file is compressed (${name}), expected PCM, float, A-law or mu-law; ` +
      'convert it first, for example: ffmpeg -i in.wav -c:a pcm_s16le out.wav',
  )
}
