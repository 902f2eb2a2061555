import { AudioError } from '../errors.js'
import { checkEqualLengths } from './channels.js'

/** Sample formats that can be written: 16- and 24-bit integers are clipped and rounded half to even, floats kept as they are. */
export type WavSampleFormat = 'pcm16' | 'pcm24' | 'float32'

/** Every {@link WavSampleFormat}, for menus and argument checks. */
export const WAV_SAMPLE_FORMATS: readonly WavSampleFormat[] = ['pcm16', 'pcm24', 'float32']

/** What {@link wavHeader} needs to know. */
export interface WavHeaderOptions {
  /** Hz. */
  sampleRate: number
  /** Default 1. */
  channels?: number
  /** Default 'pcm16'. */
  format?: WavSampleFormat
  /** Samples per channel; leave out when the length is not known yet (pipes): readers then read to the end. */
  frames?: number
}

const SAMPLE_BYTES: Readonly<Record<WavSampleFormat, number>> = { pcm16: 2, pcm24: 3, float32: 4 }
const UNKNOWN_SIZE = 0xffffffff

/**
 * The bytes of a WAV file before its first sample: 44 for PCM, 58 for float (which needs a 'fact' chunk).
 *
 * @throws AudioError when the audio does not fit the 4 GiB of a WAV file
 */
export function wavHeader(options: WavHeaderOptions): Uint8Array<ArrayBuffer> {
  const { sampleRate, channels = 1, format = 'pcm16', frames } = options
  const isFloat = format === 'float32'
  const frameBytes = channels * SAMPLE_BYTES[format]
  const headerBytes = isFloat ? 58 : 44
  const dataBytes = frames === undefined ? UNKNOWN_SIZE : frames * frameBytes
  const riffBytes = frames === undefined ? UNKNOWN_SIZE : headerBytes - 8 + dataBytes + (dataBytes % 2)
  if (riffBytes > UNKNOWN_SIZE) {
    throw new AudioError(
      `${frames} frames of ${frameBytes} bytes do not fit a WAV file (4 GiB); write several files`,
    )
  }
  const bytes = new Uint8Array(headerBytes)
  const view = new DataView(bytes.buffer)
  let at = 0
  const text = (id: string) => {
    for (const letter of id) bytes[at++] = letter.charCodeAt(0)
  }
  const u16 = (value: number) => {
    view.setUint16(at, value, true)
    at += 2
  }
  const u32 = (value: number) => {
    view.setUint32(at, value, true)
    at += 4
  }
  text('RIFF')
  u32(riffBytes)
  text('WAVEfmt ')
  u32(isFloat ? 18 : 16)
  u16(isFloat ? 3 : 1)
  u16(channels)
  u32(sampleRate)
  u32(sampleRate * frameBytes)
  u16(frameBytes)
  u16(SAMPLE_BYTES[format] * 8)
  if (isFloat) {
    u16(0)
    text('fact')
    u32(4)
    u32(frames ?? UNKNOWN_SIZE)
  }
  text('data')
  u32(dataBytes)
  return bytes
}

/**
 * Samples as they lie in a WAV file's data chunk, channels interleaved, little-endian. Integers are round(x * 2^(bits - 1)), half to
 * even, so that what {@link decodeWav} read from an integer file is written back unchanged.
 *
 * @param audio mono samples, or one array per channel, nominally in [-1, 1]
 * @returns the bytes, and how many samples lay outside the format's range and were clipped (always 0 for float)
 * @throws AudioError when channels differ in length or a sample is NaN
 */
export function encodeSamples(
  audio: Float32Array | readonly Float32Array[],
  format: WavSampleFormat = 'pcm16',
): { bytes: Uint8Array<ArrayBuffer>; clipped: number } {
  const channels = ArrayBuffer.isView(audio) ? [audio] : audio
  checkEqualLengths(channels)
  const frames = channels[0]?.length ?? 0
  const sampleBytes = SAMPLE_BYTES[format]
  const frameBytes = channels.length * sampleBytes
  const bytes = new Uint8Array(frames * frameBytes)
  const view = new DataView(bytes.buffer)
  let clipped = 0
  for (let c = 0; c < channels.length; c++) {
    const channel = channels[c]
    for (let i = 0, at = c * sampleBytes; i < frames; i++, at += frameBytes) {
      if (Number.isNaN(channel[i]))
        throw new AudioError(`sample ${i} of channel ${c} is NaN and cannot be written`)
      clipped += writeSample(view, at, channel[i], format)
    }
  }
  return { bytes, clipped }
}

/** Writes one sample; returns 1 if it had to be clipped. */
function writeSample(view: DataView, at: number, value: number, format: WavSampleFormat): number {
  if (format === 'float32') {
    view.setFloat32(at, value, true)
    return 0
  }
  const scale = format === 'pcm16' ? 32768 : 8388608
  const exact = roundHalfToEven(value * scale)
  const integer = Math.min(Math.max(exact, -scale), scale - 1)
  if (format === 'pcm16') view.setInt16(at, integer, true)
  else {
    view.setUint8(at, integer & 0xff)
    view.setInt16(at + 1, integer >> 8, true)
  }
  return integer === exact ? 0 : 1
}

/** Adding and taking away 1.5 * 2^52 leaves the nearest integer: f64 addition itself rounds half to even. */
function roundHalfToEven(value: number): number {
  return Math.abs(value) < 2 ** 31 ? value + 6755399441055744 - 6755399441055744 : value
}

/**
 * A whole WAV file.
 *
 * @param audio mono samples, or one array per channel
 * @param sampleRate Hz
 * @returns the file's bytes and the number of clipped samples
 * @throws AudioError when channels differ in length, a sample is NaN, or the file would exceed 4 GiB
 */
export function encodeWav(
  audio: Float32Array | readonly Float32Array[],
  sampleRate: number,
  format: WavSampleFormat = 'pcm16',
): { bytes: Uint8Array<ArrayBuffer>; clipped: number } {
  const channels = ArrayBuffer.isView(audio) ? [audio] : audio
  const header = wavHeader({
    sampleRate,
    channels: channels.length,
    format,
    frames: channels[0]?.length ?? 0,
  })
  const { bytes: data, clipped } = encodeSamples(channels, format)
  const bytes = new Uint8Array(header.length + data.length + (data.length % 2))
  bytes.set(header)
  bytes.set(data, header.length)
  return { bytes, clipped }
}
