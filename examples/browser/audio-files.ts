import { decodeWav, isWav, toMono } from '../../src/audio/index.js'

/** A recording as it came. */
export interface Recording {
  readonly name: string
  /** Mono, [T]. */
  readonly samples: Float32Array
  /** Hz */
  readonly sampleRate: number
  /** Size of the WAV file that it came in, if it did. */
  readonly wavBytes?: number
}

/** Reads a WAV file itself, so that tokens are those of the command line, and leaves every other format to the browser. */
export async function readRecording(file: Blob, name: string): Promise<Recording> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  if (isWav(bytes)) {
    const { channels, sampleRate } = decodeWav(bytes)
    return {
      name,
      ...toMono(channels, { sampleRate, defaultSampleRate: sampleRate }),
      wavBytes: bytes.length,
    }
  }
  const context = new AudioContext()
  try {
    const audio = await context.decodeAudioData(bytes.buffer)
    return { name, ...toMono(audio, { defaultSampleRate: audio.sampleRate }) }
  } catch (error) {
    throw new Error(
      `${name} is no audio file that this browser can read; try WAV, MP3, FLAC, Ogg or M4A (${(error as Error).message})`,
    )
  } finally {
    await context.close()
  }
}
