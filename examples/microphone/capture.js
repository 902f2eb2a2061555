// Runs on the audio thread: hands over what the microphone brings, in chunks of about 40 ms.
const CHUNK_SECONDS = 0.04

class Capture extends AudioWorkletProcessor {
  // sampleRate is a global of the audio thread
  chunk = new Float32Array(Math.round(sampleRate * CHUNK_SECONDS))
  filled = 0

  process([[channel]]) {
    for (const sample of channel ?? []) {
      this.chunk[this.filled++] = sample
      if (this.filled < this.chunk.length) continue
      this.port.postMessage(this.chunk, [this.chunk.buffer])
      this.chunk = new Float32Array(Math.round(sampleRate * CHUNK_SECONDS))
      this.filled = 0
    }
    return true
  }
}

registerProcessor('capture', Capture)
