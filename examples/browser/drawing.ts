import {
  codeColour,
  envelope,
  hex,
  LEVEL_SCALES,
  levelColour,
  type Spectrogram,
  shades,
  ticks,
} from '../../src/plots/index.js'
import { darkScheme } from './dom.js'

/** A canvas as large as its box, cleared, in CSS pixels. */
export function prepare(canvas: HTMLCanvasElement): {
  context: CanvasRenderingContext2D
  width: number
  height: number
} {
  const { width, height } = canvas.getBoundingClientRect()
  const scale = devicePixelRatio
  canvas.width = Math.max(1, Math.round(width * scale))
  canvas.height = Math.max(1, Math.round(height * scale))
  const context = canvas.getContext('2d')!
  context.scale(scale, scale)
  return { context, width, height }
}

function cssColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name)
}

/** `share`: how much of the width the clip takes; `loudest`: the sample that reaches the edge. */
export function drawWave(
  canvas: HTMLCanvasElement,
  samples: Float32Array,
  share: number,
  loudest: number,
): void {
  const { context, width, height } = prepare(canvas)
  const { low, high } = envelope(samples, Math.round(width * share))
  const middle = height / 2
  const x = (column: number) => ((column + 0.5) * width * share) / low.length
  const y = (sample: number) => middle - (sample / loudest) * (middle - 0.5)
  context.beginPath()
  for (let column = 0; column < high.length; column++) context.lineTo(x(column), y(high[column]) - 0.5)
  for (let column = low.length - 1; column >= 0; column--) context.lineTo(x(column), y(low[column]) + 0.5)
  context.fillStyle = cssColour('--wave')
  context.fill()
}

export function drawHeat(
  canvas: HTMLCanvasElement,
  picture: Spectrogram,
  share: number,
  topDb: number,
): void {
  const { context, width, height } = prepare(canvas)
  const scale = LEVEL_SCALES[darkScheme.matches ? 'dark' : 'light']
  const colours = Array.from({ length: 256 }, (_, shade) => levelColour(scale, shade / 255))
  const pixels = new Uint8ClampedArray(4 * picture.columns * picture.rows)
  for (const [i, shade] of shades(picture, topDb).entries()) pixels.set([...colours[shade], 255], 4 * i)
  const small = new OffscreenCanvas(picture.columns, picture.rows)
  small.getContext('2d')!.putImageData(new ImageData(pixels, picture.columns, picture.rows), 0, 0)
  context.imageSmoothingQuality = 'high'
  context.drawImage(small, 0, 0, width * share, height)
}

/** Codes as columns of colour, one row per codebook, over `share` of the width. */
export function drawCodes(
  canvas: HTMLCanvasElement,
  codes: readonly ArrayLike<number>[],
  share: number,
): void {
  const { context, width, height } = prepare(canvas)
  const step = (width * share) / codes[0].length
  const rowHeight = height / codes.length
  codes.forEach((row, codebook) => {
    for (let frame = 0; frame < row.length; frame++) {
      context.fillStyle = hex(codeColour(row[frame]))
      context.fillRect(frame * step, codebook * rowHeight, step + 0.5, rowHeight)
    }
  })
}

export function drawAxis(canvas: HTMLCanvasElement, seconds: number): void {
  const { context, width } = prepare(canvas)
  context.fillStyle = cssColour('--soft')
  context.strokeStyle = cssColour('--line')
  context.font = `11px ${getComputedStyle(canvas).fontFamily}`
  for (const at of ticks(seconds, Math.max(2, width / 80))) {
    const x = (at / seconds) * width
    context.textAlign = at === 0 ? 'left' : x > width - 12 ? 'right' : 'center'
    context.fillText(at === 0 ? '0 s' : String(at), x, 18)
    context.beginPath()
    context.moveTo(x, 0)
    context.lineTo(x, 5)
    context.stroke()
  }
}
