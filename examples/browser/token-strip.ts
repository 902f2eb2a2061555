import type { AudioTokens } from '../../src/index.js'
import { drawCodes } from './drawing.js'
import type { Selection } from './edits.js'
import { describeToken } from './figures.js'

/** What a strip tells. */
export interface StripEvents {
  /** The cursor or the selection moved. */
  onSelect(selection: Selection, cursor: number): void
  /** The pointer is over a token, or left. */
  onPoint(frame: number | undefined): void
}

const PAGE = 10

/** Tokens as a strip of colours with a cursor and a selection: a slider for the keyboard, an area to drag over for the pointer. */
export class TokenStrip {
  readonly #root: HTMLElement
  readonly #canvas: HTMLCanvasElement
  readonly #mark: HTMLElement
  readonly #cursorMark: HTMLElement
  readonly #events: StripEvents
  #tokens: AudioTokens | undefined
  /** Share of the width that the tokens take. */
  #share = 1
  #anchor = 0
  #cursor = 0
  #isDragging = false

  constructor(root: HTMLElement, events: StripEvents) {
    this.#root = root
    this.#canvas = root.querySelector('canvas')!
    this.#mark = root.querySelector('.selection')!
    this.#cursorMark = root.querySelector('.cursor')!
    this.#events = events
    root.addEventListener('pointerdown', event => this.#press(event))
    root.addEventListener('pointermove', event => this.#move(event))
    root.addEventListener('pointerup', () => (this.#isDragging = false))
    root.addEventListener('pointerleave', () => events.onPoint(undefined))
    root.addEventListener('keydown', event => this.#key(event))
  }

  get tokens(): AudioTokens | undefined {
    return this.#tokens
  }

  get cursor(): number {
    return this.#cursor
  }

  /** Holds the cursor at least. */
  get selection(): Selection {
    return { start: Math.min(this.#anchor, this.#cursor), end: Math.max(this.#anchor, this.#cursor) + 1 }
  }

  show(tokens: AudioTokens, seconds = tokens.duration): void {
    this.#tokens = tokens
    this.#share = tokens.duration / seconds
    this.#root.ariaValueMax = String(tokens.frames - 1)
    this.#root.style.setProperty('--codebooks', String(tokens.codebooks))
    this.draw()
    this.select(this.selection)
  }

  draw(): void {
    if (this.#tokens) drawCodes(this.#canvas, this.#tokens.codes, this.#share)
  }

  select({ start, end }: Selection): void {
    this.#anchor = start
    this.#moveTo(end - 1, true)
  }

  #moveTo(frame: number, isExtending: boolean): void {
    const { frames } = this.#tokens!
    this.#cursor = Math.max(0, Math.min(frame, frames - 1))
    this.#anchor = isExtending ? Math.min(this.#anchor, frames - 1) : this.#cursor
    const place = (at: number) => `${((100 * at) / frames) * this.#share}%`
    const { start, end } = this.selection
    this.#mark.style.left = place(start)
    this.#mark.style.width = place(end - start)
    this.#cursorMark.style.left = place(this.#cursor)
    this.#cursorMark.style.width = place(1)
    this.#root.ariaValueNow = String(this.#cursor)
    this.#root.ariaValueText = describeToken(this.#tokens!, this.#cursor)
    this.#events.onSelect(this.selection, this.#cursor)
  }

  #frameAt(event: PointerEvent): number {
    const { left, width } = this.#root.getBoundingClientRect()
    const frame = Math.floor((((event.clientX - left) / width) * this.#tokens!.frames) / this.#share)
    return Math.max(0, Math.min(frame, this.#tokens!.frames - 1))
  }

  #press(event: PointerEvent): void {
    if (!this.#tokens || event.button !== 0) return
    this.#root.setPointerCapture(event.pointerId)
    this.#isDragging = true
    this.#moveTo(this.#frameAt(event), event.shiftKey)
  }

  #move(event: PointerEvent): void {
    if (!this.#tokens) return
    const frame = this.#frameAt(event)
    if (this.#isDragging) this.#moveTo(frame, true)
    this.#events.onPoint(frame)
  }

  #key(event: KeyboardEvent): void {
    if (!this.#tokens || event.ctrlKey || event.metaKey || event.altKey) return
    const steps: Record<string, number> = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -PAGE,
      PageUp: PAGE,
      Home: Number.NEGATIVE_INFINITY,
      End: Number.POSITIVE_INFINITY,
    }
    const step = steps[event.key]
    if (step === undefined && event.key !== 'Escape') return
    event.preventDefault()
    this.#moveTo(this.#cursor + (step ?? 0), step !== undefined && event.shiftKey)
  }
}
