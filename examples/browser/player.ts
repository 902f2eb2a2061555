/** Which of the two is heard. */
export type Side = 'original' | 'decoded'

/** Mono audio. */
export interface Track {
  readonly samples: Float32Array
  /** Hz */
  readonly sampleRate: number
}

/** Long enough for no click, too short to be heard as a fade. */
const SWITCH_SECONDS = 0.012

/** Plays two tracks at the same place and lets one of them be heard. */
export class Player {
  /** Called whenever playing starts, ends or changes sides. */
  onChange = () => {}
  side: Side = 'original'
  #context: AudioContext | undefined
  #tracks: Partial<Record<Side, Track>> = {}
  #voices: { source: AudioBufferSourceNode; gain: GainNode; side: Side }[] = []
  /** Where playing starts, and when it started on the clock of the context. */
  #offset = 0
  #startedAt = 0

  /** Length of the side that is heard, seconds. */
  get duration(): number {
    const track = this.#tracks[this.side]
    return track ? track.samples.length / track.sampleRate : 0
  }

  get isPlaying(): boolean {
    return this.#voices.length > 0
  }

  get position(): number {
    if (!this.isPlaying) return Math.min(this.#offset, this.duration)
    const elapsed = this.#context!.currentTime - this.#startedAt
    return Math.min(this.#offset + Math.max(0, elapsed), this.duration)
  }

  /** Other audio; what is playing goes on at the same place. */
  setTracks(tracks: Partial<Record<Side, Track>>): void {
    const wasPlaying = this.isPlaying
    const position = this.position
    this.#stop()
    this.#tracks = tracks
    this.#offset = Math.min(position, this.duration)
    if (wasPlaying) void this.play()
  }

  async play(): Promise<void> {
    this.#context ??= new AudioContext()
    await this.#context.resume()
    document.documentElement.dataset.audio = this.#context.state
    if (this.#offset >= this.duration - 0.01) this.#offset = 0
    this.#stop()
    this.#startedAt = this.#context.currentTime
    for (const [side, track] of Object.entries(this.#tracks) as [Side, Track][])
      if (this.#offset * track.sampleRate < track.samples.length) this.#start(side, track)
    this.onChange()
  }

  pause(): void {
    this.#offset = this.position
    this.#stop()
    this.onChange()
  }

  seek(seconds: number): void {
    const wasPlaying = this.isPlaying
    this.#stop()
    this.#offset = Math.max(0, Math.min(seconds, this.duration))
    if (wasPlaying) void this.play()
    else this.onChange()
  }

  listenTo(side: Side): void {
    this.side = side
    const now = this.#context?.currentTime ?? 0
    for (const { gain, side: own } of this.#voices)
      gain.gain.setTargetAtTime(own === side ? 1 : 0, now, SWITCH_SECONDS / 3)
    this.onChange()
  }

  #start(side: Side, { samples, sampleRate }: Track): void {
    const context = this.#context!
    const buffer = context.createBuffer(1, samples.length, sampleRate)
    buffer.getChannelData(0).set(samples)
    const source = new AudioBufferSourceNode(context, { buffer })
    const gain = new GainNode(context, { gain: side === this.side ? 1 : 0 })
    source.connect(gain).connect(context.destination)
    source.start(this.#startedAt, this.#offset)
    const voice = { source, gain, side }
    this.#voices.push(voice)
    source.onended = () => {
      this.#voices = this.#voices.filter(other => other !== voice)
      if (this.#voices.length > 0) return
      this.#offset = 0
      this.onChange()
    }
  }

  #stop(): void {
    for (const { source, gain } of this.#voices) {
      source.onended = null
      source.stop()
      gain.disconnect()
    }
    this.#voices = []
  }
}
