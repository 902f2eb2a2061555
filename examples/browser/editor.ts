import type { AudioTokens } from '../../src/index.js'
import { byId } from './dom.js'
import { cut, History, repeat, replace, type Selection } from './edits.js'
import { describeLength, describeToken } from './figures.js'
import { showLens } from './lens.js'
import { TokenStrip } from './token-strip.js'

/** What the editor needs from the page. */
export interface EditorEvents {
  /** The tokens changed and are to be heard. */
  onEdit(tokens: AudioTokens): void
  onSelect(tokens: AudioTokens, selection: Selection): void
  /** Tokens of another clip are wanted. */
  encode(file: File): Promise<AudioTokens | undefined>
}

const button = (id: string) => byId<HTMLButtonElement>(id)

/** The strip of tokens with its tools: cut, repeat, replace by a segment of another clip, undo, redo. */
export class Editor {
  readonly #events: EditorEvents
  readonly #strip: TokenStrip
  readonly #donor: TokenStrip
  #history: History<{ tokens: AudioTokens; selection: Selection }> | undefined

  constructor(events: EditorEvents) {
    this.#events = events
    this.#strip = new TokenStrip(byId('strip'), {
      onSelect: (_, cursor) => this.#selected(cursor),
      onPoint: frame => this.point(frame ?? this.#strip.cursor),
    })
    this.#donor = new TokenStrip(byId('donor-strip'), { onSelect: () => {}, onPoint: () => {} })
    button('cut').addEventListener('click', () => this.cut())
    button('repeat').addEventListener('click', () => this.#repeat())
    button('replace').addEventListener('click', () => this.#showDonor(Boolean(byId('donor').hidden)))
    button('undo').addEventListener('click', () => this.undo())
    button('redo').addEventListener('click', () => this.redo())
    button('donor-apply').addEventListener('click', () => this.#replace())
    button('donor-own').addEventListener('click', () => this.#offer(this.tokens, 'this clip'))
    const file = byId<HTMLInputElement>('donor-file')
    file.addEventListener('change', () => this.#open(file))
  }

  get tokens(): AudioTokens {
    return this.#history!.current.tokens
  }

  /** Another clip; what was done to the last one is forgotten. */
  open(tokens: AudioTokens): void {
    this.#history = new History({ tokens, selection: { start: 0, end: 1 } })
    this.#showDonor(false)
  }

  /** Draws the tokens over an axis of `seconds`. */
  show(seconds: number): void {
    this.#strip.show(this.tokens, seconds)
    this.#strip.select(this.#history!.current.selection)
  }

  draw(): void {
    this.#strip.draw()
    this.#donor.draw()
  }

  /** Shows which token this is. */
  point(frame: number): void {
    const shown = Math.max(0, Math.min(frame, this.tokens.frames - 1))
    showLens(this.tokens, shown)
    byId('point').textContent = describeToken(this.tokens, shown)
  }

  cut(): void {
    const { selection } = this.#strip
    const { frames } = this.tokens
    if (selection.end - selection.start >= frames) return // one token at least has to stay
    const left = cut(this.tokens, selection)
    const start = Math.min(selection.start, left.frames - 1)
    this.#apply(left, { start, end: start + 1 })
  }

  undo(): void {
    if (this.#history?.canUndo) this.#events.onEdit(this.#history.undo().tokens)
  }

  redo(): void {
    if (this.#history?.canRedo) this.#events.onEdit(this.#history.redo().tokens)
  }

  #repeat(): void {
    const { start, end } = this.#strip.selection
    this.#apply(repeat(this.tokens, { start, end }), { start: end, end: end + end - start })
  }

  #replace(): void {
    const { selection } = this.#strip
    const { start, end } = this.#donor.selection
    const segment = this.#donor.tokens!.slice(start, end)
    const selected = { start: selection.start, end: selection.start + segment.frames }
    this.#apply(replace(this.tokens, selection, segment), selected)
  }

  #apply(tokens: AudioTokens, selection: Selection): void {
    // To come back to what was selected before the edit, not to where an older edit left the cursor.
    this.#history!.amend({ tokens: this.tokens, selection: this.#strip.selection })
    this.#history!.push({ tokens, selection })
    this.#events.onEdit(tokens)
  }

  #selected(cursor: number): void {
    const { selection } = this.#strip
    byId('selected').textContent = `selected: ${describeLength(this.tokens, selection)}`
    button('cut').disabled = selection.end - selection.start >= this.tokens.frames
    button('undo').disabled = !this.#history!.canUndo
    button('redo').disabled = !this.#history!.canRedo
    this.point(cursor)
    this.#events.onSelect(this.tokens, selection)
  }

  #showDonor(isShown: boolean): void {
    byId('donor').hidden = !isShown
    button('replace').ariaExpanded = String(isShown)
    if (isShown) this.#donor.draw()
  }

  async #open(input: HTMLInputElement): Promise<void> {
    const file = input.files?.[0]
    input.value = ''
    const tokens = file && (await this.#events.encode(file))
    if (tokens) this.#offer(tokens, file.name)
  }

  #offer(tokens: AudioTokens, name: string): void {
    byId('donor-name').textContent = `Replace with a segment of ${name}`
    byId('donor-strip').hidden = false
    button('donor-apply').disabled = false
    this.#donor.show(tokens)
    this.#donor.select({ start: 0, end: tokens.frames })
  }
}
