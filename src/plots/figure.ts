import { ticks } from './axis.js'
import { codeColour, hex, LEVEL_SCALES, type Rgb } from './colours.js'
import { pngUrl } from './png.js'
import { peakDecibels, type Spectrogram, shades, spectrogram } from './spectrogram.js'
import { element, escapeXml, short, text } from './svg.js'
import { envelope, peak } from './waveform.js'

/** Mono audio of a figure. */
export interface FigureAudio {
  /** [T] */
  readonly samples: Float32Array
  /** Hz */
  readonly sampleRate: number
}

/** What a figure shows: `AudioTokens`, or data of the same form. */
export interface FigureTokens {
  /** [codebook][frame] */
  readonly codes: readonly ArrayLike<number>[]
  /** Frames per second. */
  readonly frameRate: number
}

/** A clip before and after tokens. */
export interface RoundtripFigure {
  readonly title: string
  /** A second line, smaller. */
  readonly subtitle?: string
  readonly original: FigureAudio
  readonly tokens: FigureTokens
  readonly decoded: FigureAudio
}

const WIDTH = 960
const LEFT = 64
const PLOT_WIDTH = WIDTH - LEFT - 16
const TOP = 64
const WAVE_HEIGHT = 56
const SPECTROGRAM_HEIGHT = 150
/** Of the pictures inside, which a screen smooths: 30 kB each for speech of 5 s. */
const SPECTROGRAM_ROWS = 128
const SPECTROGRAM_COLUMNS = 600
const SHADES = 32
const GAP = 8
const TIME_TICKS = 12
const FREQUENCY_TICKS = 6

/**
 * A self-contained SVG of a clip and what a tokenizer made of it, over one axis of time: waveform and spectrogram of the original, one
 * strip of colours per codebook, spectrogram and waveform of the decoded audio. Both spectrograms have the same scales; colours follow
 * the reader's light or dark setting.
 */
export async function roundtripFigure(figure: RoundtripFigure): Promise<string> {
  const { original, tokens, decoded } = figure
  const seconds = Math.max(
    ...[original, decoded].map(({ samples, sampleRate }) => samples.length / sampleRate),
    tokens.codes[0].length / tokens.frameRate,
  )
  const topHz = decoded.sampleRate / 2
  const shape = { columns: SPECTROGRAM_COLUMNS, rows: SPECTROGRAM_ROWS, topHz }
  const before = await spectrogram(original.samples, original.sampleRate, shape)
  const after = await spectrogram(decoded.samples, decoded.sampleRate, shape)
  const topDb = Math.max(peakDecibels(before), peakDecibels(after))
  const loudest = Math.max(peak(original.samples), peak(decoded.samples), 1e-4)
  const x = (at: number) => LEFT + (PLOT_WIDTH * at) / seconds
  const wave = (audio: FigureAudio) => (y: number) => waveform(audio, y, x, loudest)
  const heat = (picture: Spectrogram) => (y: number) => spectrum(picture, y, x, topDb, topHz)
  const stripHeight = Math.max(26, Math.min(96, 12 * tokens.codes.length))
  const panels: Panel[] = [
    { label: 'original', height: WAVE_HEIGHT, draw: wave(original) },
    { height: SPECTROGRAM_HEIGHT, draw: heat(before) },
    { label: 'tokens', height: stripHeight, draw: y => strip(tokens, y, x, stripHeight) },
    { height: SPECTROGRAM_HEIGHT, draw: heat(after) },
    { label: 'decoded', height: WAVE_HEIGHT, draw: wave(decoded) },
  ]
  const { body, bottom } = await stack(panels)
  return document(figure, bottom + 44, [
    text(LEFT, 30, figure.title, { class: 'title' }),
    text(LEFT, 49, figure.subtitle ?? '', { class: 'soft' }),
    ...body,
    timeAxis(seconds, bottom, x),
  ])
}

interface Panel {
  readonly label?: string
  readonly height: number
  draw(y: number): string | Promise<string>
}

/** Places panels below each other. */
async function stack(panels: readonly Panel[]): Promise<{ body: string[]; bottom: number }> {
  const body: string[] = []
  let y = TOP
  for (const { label, height, draw } of panels) {
    body.push(await draw(y))
    if (label) body.push(text(LEFT - 8, y + height / 2 + 4, label, { class: 'soft', 'text-anchor': 'end' }))
    y += height + GAP
  }
  return { body, bottom: y - GAP }
}

function waveform(audio: FigureAudio, y: number, x: (seconds: number) => number, loudest: number): string {
  const { low, high } = envelope(audio.samples, PLOT_WIDTH / 2)
  const middle = y + WAVE_HEIGHT / 2
  const right = x(audio.samples.length / audio.sampleRate)
  const step = (right - LEFT) / low.length
  const height = (sample: number) => Math.min(WAVE_HEIGHT / 2, (sample / loudest) * (WAVE_HEIGHT / 2))
  const point = (column: number, sample: number) =>
    `${short(LEFT + (column + 0.5) * step, 1)} ${short(middle - height(sample), 1)}`
  const upper = Array.from(high, (sample, column) => point(column, sample))
  const lower = Array.from(low, (sample, column) => point(column, sample)).reverse()
  return (
    element('line', { class: 'line', x1: LEFT, x2: right, y1: middle, y2: middle }) +
    element('path', { class: 'wave', d: `M${[...upper, ...lower].join('L')}Z` })
  )
}

async function spectrum(
  picture: Spectrogram,
  y: number,
  x: (seconds: number) => number,
  topDb: number,
  topHz: number,
): Promise<string> {
  const { columns: width, rows: height } = picture
  const step = 255 / (SHADES - 1)
  const pixels = shades(picture, topDb).map(shade => Math.round(Math.round(shade / step) * step))
  const href = await pngUrl({ width, height, samplesPerPixel: 1, pixels })
  const size = { x: LEFT, y, height: SPECTROGRAM_HEIGHT, preserveAspectRatio: 'none' }
  const right = Math.min(x(picture.seconds), LEFT + PLOT_WIDTH)
  const labels = ticks(topHz / 1000, FREQUENCY_TICKS).map(kiloHertz => {
    const at = y + SPECTROGRAM_HEIGHT * (1 - (1000 * kiloHertz) / topHz)
    const label = `${kiloHertz}${kiloHertz === 0 ? ' kHz' : ''}`
    return (
      element('line', { class: 'line', x1: LEFT - 4, x2: LEFT, y1: at, y2: at }) +
      text(LEFT - 8, Math.min(at + 4, y + SPECTROGRAM_HEIGHT), label, { class: 'soft', 'text-anchor': 'end' })
    )
  })
  return element('image', { class: 'heat', ...size, width: right - LEFT, href }) + labels.join('')
}

async function strip(
  tokens: FigureTokens,
  y: number,
  x: (seconds: number) => number,
  stripHeight: number,
): Promise<string> {
  const { codes, frameRate } = tokens
  const [width, height] = [codes[0].length, codes.length]
  if (width === 0) return ''
  const pixels = Uint8Array.from(codes.flatMap(row => Array.from(row).flatMap(code => [...codeColour(code)])))
  const href = await pngUrl({ width, height, samplesPerPixel: 3, pixels })
  const size = { x: LEFT, y, width: x(width / frameRate) - LEFT, height: stripHeight }
  return element('image', { class: 'strip', ...size, preserveAspectRatio: 'none', href })
}

function timeAxis(seconds: number, y: number, x: (seconds: number) => number): string {
  const marks = ticks(seconds, TIME_TICKS).map(
    at =>
      element('line', { class: 'line', x1: x(at), x2: x(at), y1: y + 4, y2: y + 9 }) +
      text(x(at), y + 24, `${at}${at === 0 ? ' s' : ''}`, { class: 'soft', 'text-anchor': 'middle' }),
  )
  return (
    element('line', { class: 'line', x1: LEFT, x2: LEFT + PLOT_WIDTH, y1: y + 4, y2: y + 4 }) + marks.join('')
  )
}

/** Fills and filters for one of the two grounds. */
function theme(name: 'light' | 'dark', ink: string, soft: string, line: string, wave: string): string {
  const paper = hex(LEVEL_SCALES[name][0])
  return (
    `.paper{fill:${paper}}.title{fill:${ink}}.soft{fill:${soft}}.line{stroke:${line}}` +
    `.wave{fill:${wave};stroke:${wave}}.heat{filter:url(#${name})}`
  )
}

const STYLE =
  `text{font:11px ui-sans-serif,system-ui,sans-serif}.title{font-size:17px;font-weight:600}` +
  `.wave{stroke-width:.6;stroke-linejoin:round}.strip{image-rendering:pixelated}` +
  theme('light', '#16202b', '#5b6670', '#b9c2c9', '#2f5d7c') +
  `@media(prefers-color-scheme:dark){${theme('dark', '#eef1f2', '#98a4ad', '#46515b', '#8fc7c4')}}`

/** Maps grey to the colours of a scale. */
function levelFilter(name: 'light' | 'dark'): string {
  const table = (channel: 0 | 1 | 2) =>
    LEVEL_SCALES[name].map((colour: Rgb) => short(colour[channel] / 255, 3)).join(' ')
  const functions = (['R', 'G', 'B'] as const).map((channel, i) =>
    element(`feFunc${channel}`, { type: 'table', tableValues: table(i as 0 | 1 | 2) }),
  )
  const attributes = { id: name, x: 0, y: 0, width: 1, height: 1, 'color-interpolation-filters': 'sRGB' }
  return element('filter', attributes, element('feComponentTransfer', {}, functions.join('')))
}

function document({ title, subtitle }: RoundtripFigure, height: number, body: readonly string[]): string {
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${WIDTH} ${height}`,
    width: WIDTH,
    height,
    role: 'img',
    'aria-labelledby': 'name about',
  }
  const about = `${subtitle ?? ''} From top to bottom: waveform and spectrogram of the original, tokens, spectrogram and waveform decoded.`
  return `${element(
    'svg',
    attributes,
    [
      `<title id="name">${escapeXml(title)}</title><desc id="about">${escapeXml(about.trim())}</desc>`,
      `<style>${STYLE}</style><defs>${levelFilter('light')}${levelFilter('dark')}</defs>`,
      '<rect class="paper" width="100%" height="100%"/>',
      ...body,
    ].join('\n'),
  )}\n`
}
