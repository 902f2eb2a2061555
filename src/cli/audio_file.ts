import { AudioError, audioFormat, decodeWav, isWav } from '../audio/index.js'

/** What directories are searched for. */
export const AUDIO_EXTENSIONS: readonly string[] =
  '.wav .flac .mp3 .ogg .oga .opus .m4a .mp4 .aac .aif .aiff .caf .webm .wma .amr'.split(' ')

/** Samples of an audio file, a Float32Array per channel. */
export interface FileAudio {
  readonly channels: Float32Array[]
  readonly sampleRate: number
  /** What was odd about the file. */
  readonly warnings: readonly string[]
}

/**
 * Reads a WAV file, or any other with the package `audio-decode`, where that is installed.
 *
 * @throws AudioError for what is no audio, is damaged, or needs that package
 */
export async function decodeAudio(bytes: Uint8Array): Promise<FileAudio> {
  const other = isWav(bytes) ? undefined : audioFormat(bytes)
  if (!other) return decodeWav(bytes)
  const decode = await loadDecoder(other.name)
  const { channelData, sampleRate } = await decode(bytes).catch(({ message }: Error) => {
    throw new AudioError(`${other.name} that cannot be decoded: ${message}`)
  })
  if (!channelData[0]?.length)
    throw new AudioError(`${other.name} without any audio in it: it is damaged or cut off`)
  const claimed = flacSamples(bytes)
  const { length } = channelData[0]
  const isCut = claimed !== undefined && claimed > length
  const warnings = isCut ? [`the FLAC file is cut off: ${length} of ${claimed} samples could be read`] : []
  return { channels: channelData, sampleRate, warnings }
}

async function loadDecoder(name: string) {
  try {
    return (await import('audio-decode')).default
  } catch {
    throw new AudioError(`this is ${name}; to read it: npm install audio-decode, or convert it to WAV first`)
  }
}

/** Samples per channel that a FLAC file's STREAMINFO claims (RFC 9639, section 8.2); undefined where it does not say. */
function flacSamples(bytes: Uint8Array): number | undefined {
  if (audioFormat(bytes)?.extension !== 'flac' || bytes.length < 26) return undefined
  const high = bytes[21] & 0x0f
  const low = new DataView(bytes.buffer, bytes.byteOffset).getUint32(22)
  return high * 2 ** 32 + low || undefined
}
