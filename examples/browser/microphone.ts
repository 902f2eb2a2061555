import type { Recording } from './audio-files.js'

/** Longest recording, seconds. */
export const MAX_SECONDS = 60

/** A recording under way. */
export interface Microphone {
  /** Ends it; the microphone is released. */
  stop(): Promise<Recording>
}

/**
 * Asks for the microphone and records.
 *
 * @param onLevel told a few times a second: seconds so far, and the loudest sample since the last call
 */
export async function openMicrophone(onLevel: (seconds: number, level: number) => void): Promise<Microphone> {
  const stream = await requestMicrophone()
  const context = new AudioContext()
  await context.audioWorklet.addModule(new URL('js/recorder-worklet.js', document.baseURI))
  const recorder = new AudioWorkletNode(context, 'recorder', { numberOfOutputs: 0 })
  const parts: Float32Array[] = []
  let length = 0
  recorder.port.onmessage = ({ data }: MessageEvent<Float32Array>) => {
    parts.push(data)
    length += data.length
    onLevel(
      length / context.sampleRate,
      data.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0),
    )
  }
  context.createMediaStreamSource(stream).connect(recorder)
  return {
    async stop() {
      for (const track of stream.getTracks()) track.stop()
      const { sampleRate } = context
      await context.close()
      const samples = new Float32Array(length)
      let at = 0
      for (const part of parts) {
        samples.set(part, at)
        at += part.length
      }
      if (length === 0)
        throw new Error('the microphone gave no sound; is it muted or used by another program?')
      return { name: 'recording', samples, sampleRate }
    },
  }
}

async function requestMicrophone(): Promise<MediaStream> {
  if (!navigator.mediaDevices) throw new Error('pages can use the microphone only over HTTPS or on localhost')
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } })
  } catch (error) {
    const { name, message } = error as DOMException
    if (name === 'NotAllowedError')
      throw new Error('the microphone was not allowed; allow it in the browser’s address bar and try again')
    if (name === 'NotFoundError') throw new Error('no microphone was found')
    throw new Error(`the microphone cannot be used: ${message}`)
  }
}
