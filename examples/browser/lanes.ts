import { peak, peakDecibels, type Spectrogram, spectrogram } from '../../src/plots/index.js'
import { byId } from './dom.js'
import { drawAxis, drawHeat, drawWave } from './drawing.js'
import type { Track } from './player.js'

/** What the lanes show. */
export interface LaneContent {
  readonly original: Track
  readonly decoded: Track
}

const HEAT_ROWS = 160
const HEAT_COLUMNS = 1200

const canvas = (id: string) => byId<HTMLCanvasElement>(id)
const playhead = byId('playhead')

/** Waveforms and spectrograms over one axis of time. */
export class Lanes {
  #content: LaneContent | undefined
  #heat: { original: Spectrogram; decoded: Spectrogram } | undefined

  /** Seconds from the left edge to the right. */
  get seconds(): number {
    return this.#content ? Math.max(secondsOf(this.#content.original), secondsOf(this.#content.decoded)) : 0
  }

  async show(content: LaneContent): Promise<void> {
    const { original, decoded } = content
    const shape = { columns: HEAT_COLUMNS, rows: HEAT_ROWS, topHz: decoded.sampleRate / 2 }
    const of = ({ samples, sampleRate }: Track) => spectrogram(samples, sampleRate, shape)
    const isSame =
      this.#content?.original === original && this.#content.decoded.sampleRate === decoded.sampleRate
    const before = isSame ? this.#heat!.original : await of(original)
    this.#heat = { original: before, decoded: await of(decoded) }
    this.#content = content
    for (const label of document.querySelectorAll('.top-frequency'))
      label.textContent = `${shape.topHz / 1000} kHz`
    this.draw()
  }

  draw(): void {
    if (!this.#content || !this.#heat) return
    const { seconds } = this
    const loudest = Math.max(peak(this.#content.original.samples), peak(this.#content.decoded.samples), 1e-4)
    const topDb = Math.max(peakDecibels(this.#heat.original), peakDecibels(this.#heat.decoded))
    for (const side of ['original', 'decoded'] as const) {
      const audio = this.#content[side]
      drawWave(canvas(`wave-${side}`), audio.samples, secondsOf(audio) / seconds, loudest)
      drawHeat(canvas(`heat-${side}`), this.#heat[side], this.#heat[side].seconds / seconds, topDb)
    }
    drawAxis(canvas('axis'), seconds)
  }

  movePlayhead(at: number): void {
    playhead.style.left = `${(100 * at) / this.seconds}%`
  }
}

export function secondsOf({ samples, sampleRate }: Track): number {
  return samples.length / sampleRate
}
