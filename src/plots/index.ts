/**
 * Figures of audio and tokens: pictures as data, and whole SVG files.
 *
 * @module
 */
export { ticks } from './axis.js'
export { codeColour, hex, LEVEL_SCALES, levelColour, type Rgb } from './colours.js'
export { type FigureAudio, type FigureTokens, type RoundtripFigure, roundtripFigure } from './figure.js'
export { encodePng, type Picture } from './png.js'
export {
  FLOOR_DB,
  peakDecibels,
  type Spectrogram,
  type SpectrogramShape,
  shades,
  spectrogram,
} from './spectrogram.js'
export { escapeXml } from './svg.js'
export { type Envelope, envelope, peak } from './waveform.js'
