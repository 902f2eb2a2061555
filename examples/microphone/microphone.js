/** Seconds of audio that may wait; what comes later is dropped, so that a machine that is too slow falls behind by no more than this. */
const MAX_WAITING = 2

/**
 * Opens the microphone.
 *
 * @returns `chunks`, a ReadableStream of mono Float32Arrays at `sampleRate` Hz that ends after `stop()`
 */
export async function openMicrophone(context) {
  await context.audioWorklet.addModule(new URL('capture.js', import.meta.url))
  const audio = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false }
  const media = await navigator.mediaDevices.getUserMedia({ audio })
  const source = new MediaStreamAudioSourceNode(context, { mediaStream: media })
  const capture = new AudioWorkletNode(context, 'capture', {
    numberOfOutputs: 0,
    channelCount: 1,
    channelCountMode: 'explicit',
  })
  source.connect(capture)

  const { sampleRate } = context
  let stop
  const chunks = new ReadableStream(
    {
      start(controller) {
        capture.port.onmessage = ({ data }) => {
          if (controller.desiredSize > 0) controller.enqueue(data)
          else console.warn(`wavtok: ${data.length} samples dropped, encoding is slower than the microphone`)
        }
        stop = () => {
          source.disconnect()
          capture.port.onmessage = null
          for (const track of media.getTracks()) track.stop()
          controller.close()
        }
      },
    },
    new CountQueuingStrategy({ highWaterMark: MAX_WAITING * 25 }),
  )
  return { chunks, sampleRate, stop }
}
