// Colours of figures. A code has one colour for ever: the same on every page and in every file.

/** Red, green, blue, 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number]

/** Stops of the level scales, quietest first: ink on paper, and light on a dark ground. */
export const LEVEL_SCALES: Readonly<Record<'light' | 'dark', readonly Rgb[]>> = {
  light: [
    [250, 249, 246],
    [226, 232, 233],
    [163, 193, 203],
    [84, 135, 160],
    [30, 78, 112],
    [10, 26, 48],
  ],
  dark: [
    [16, 19, 24],
    [21, 39, 58],
    [28, 83, 109],
    [53, 143, 148],
    [150, 208, 176],
    [253, 247, 210],
  ],
}

/** Colour of a level, 0 to 1, between the stops of a scale. */
export function levelColour(scale: readonly Rgb[], level: number): Rgb {
  const place = Math.min(1, Math.max(0, level)) * (scale.length - 1)
  const index = Math.min(scale.length - 2, Math.floor(place))
  const mix = (channel: 0 | 1 | 2) =>
    Math.round(scale[index][channel] + (place - index) * (scale[index + 1][channel] - scale[index][channel]))
  return [mix(0), mix(1), mix(2)]
}

const GOLDEN_SHARE = 0.6180339887498949
const LIGHTNESS = [0.62, 0.7, 0.78]
const CHROMA = 0.125

/**
 * The colour of a code: neighbouring codes lie 222 degrees of hue apart (multiples of the golden ratio never meet again), all at
 * about the same lightness in OKLCH (B. Ottosson, "A perceptual color space for image processing").
 */
export function codeColour(code: number): Rgb {
  const turn = 2 * Math.PI * ((code * GOLDEN_SHARE) % 1)
  const lightness = LIGHTNESS[code % LIGHTNESS.length]
  return oklabToRgb(lightness, CHROMA * Math.cos(turn), CHROMA * Math.sin(turn))
}

function oklabToRgb(lightness: number, a: number, b: number): Rgb {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    srgbByte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    srgbByte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    srgbByte(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ]
}

/** The transfer curve of sRGB (IEC 61966-2-1). */
function srgbByte(linear: number): number {
  const value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055
  return Math.round(255 * Math.min(1, Math.max(0, value)))
}

/** #rrggbb */
export function hex(colour: Rgb): string {
  return `#${colour.map(channel => channel.toString(16).padStart(2, '0')).join('')}`
}
