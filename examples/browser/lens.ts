import type { AudioTokens } from '../../src/index.js'
import { codeColour, hex } from '../../src/plots/index.js'
import { byId, make } from './dom.js'

const TILE_WIDTH = 58
const MAX_CODEBOOKS = 8

const lens = byId('lens')

/** Shows the numbers of the tokens around `centre` as tiles. */
export function showLens(tokens: AudioTokens, centre: number): void {
  const count = Math.max(3, Math.floor(lens.clientWidth / TILE_WIDTH) | 1)
  while (lens.children.length < count) lens.append(make('div', { class: 'tile' }))
  while (lens.children.length > count) lens.lastElementChild!.remove()
  const first = Math.max(0, Math.min(centre - (count >> 1), tokens.frames - count))
  for (const [i, tile] of Array.from(lens.children as Iterable<HTMLElement>).entries()) {
    const frame = first + i
    const isThere = frame < tokens.frames
    const codes = isThere ? tokens.codes.slice(0, MAX_CODEBOOKS).map(row => row[frame]) : []
    tile.classList.toggle('centre', frame === centre)
    tile.style.background = isThere ? hex(codeColour(codes[0])) : 'transparent'
    const text = codes.join('\n')
    if (tile.textContent !== text) tile.textContent = text
  }
}
