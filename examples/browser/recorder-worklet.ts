// Runs on the audio thread: passes on what the microphone hears, a twentieth of a second at a time.

/** The part of AudioWorkletGlobalScope that is used; TypeScript's DOM library does not know it. */
declare const sampleRate: number
declare class AudioWorkletProcessor {
  readonly port: MessagePort
}
declare function registerProcessor(name: string, processor: typeof AudioWorkletProcessor): void

class Recorder extends AudioWorkletProcessor {
  readonly #size = Math.round(sampleRate / 20)
  #part = new Float32Array(this.#size)
  #filled = 0

  process([channels]: Float32Array[][]): boolean {
    const samples = channels[0]
    if (!samples) return true // nothing is connected yet
    for (const sample of samples) {
      this.#part[this.#filled++] = sample
      if (this.#filled < this.#size) continue
      this.port.postMessage(this.#part, [this.#part.buffer])
      this.#part = new Float32Array(this.#size)
      this.#filled = 0
    }
    return true
  }
}

registerProcessor('recorder', Recorder)

export {}
