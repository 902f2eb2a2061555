// Numbers and words of the page. Nothing here knows about the page.
import type { AudioTokens } from '../../src/index.js'

/** One way to keep a clip. */
export interface StoredSize {
  readonly name: string
  readonly bytes: number
  /** True where the size is a rate times the length, not a file that was made. */
  readonly isNominal: boolean
}

/** Rates at which speech is commonly stored, kbit/s. */
const NOMINAL_RATES: readonly (readonly [name: string, kbps: number])[] = [
  ['MP3, 64 kbps', 64],
  ['Opus, 24 kbps', 24],
  ['Opus, 6 kbps (its lowest)', 6],
]

/** A WAV file beside what other formats would take for the same seconds, and the tokens, packed. */
export function storedSizes(wav: { name: string; bytes: number }, tokens: AudioTokens): StoredSize[] {
  return [
    { ...wav, isNominal: false },
    ...NOMINAL_RATES.map(([name, kbps]) => ({
      name,
      bytes: (kbps * 1000 * tokens.duration) / 8,
      isNominal: true,
    })),
    { name: 'tokens, packed', bytes: packedBytes(tokens), isNominal: false },
  ]
}

/** Bytes of all codes at whole bits each. */
export function packedBytes(tokens: AudioTokens): number {
  return Math.ceil((tokens.bitsPerSecond * tokens.duration) / 8)
}

const threeDigits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

/** 579 B, 38.7 kB, 9.57 MB */
export function showBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`
  const [size, unit] = bytes < 1e6 ? [bytes / 1e3, 'kB'] : [bytes / 1e6, 'MB']
  return `${threeDigits.format(size)} ${unit}`
}

/** 0:05.14 */
export function showTime(seconds: number): string {
  const hundredths = Math.round(seconds * 100)
  const minutes = Math.floor(hundredths / 6000)
  return `${minutes}:${((hundredths % 6000) / 100).toFixed(2).padStart(5, '0')}`
}

/** 427, 39, 4.1 */
export function showFactor(factor: number): string {
  return factor.toFixed(factor < 10 ? 1 : 0)
}

/** `token 12 of 386: code 2045, 0.160 s`; the codes of all codebooks where there are several. */
export function describeToken(tokens: AudioTokens, frame: number): string {
  const codes = tokens.codes.map(row => row[frame]).join(', ')
  const label = tokens.codebooks > 1 ? 'codes' : 'code'
  return `token ${frame} of ${tokens.frames}: ${label} ${codes}, ${(frame / tokens.frameRate).toFixed(3)} s`
}

/** `12 tokens, 0.160 s` */
export function describeLength(tokens: AudioTokens, { start, end }: { start: number; end: number }): string {
  const count = end - start
  return `${count} token${count === 1 ? '' : 's'}, ${(count / tokens.frameRate).toFixed(3)} s`
}

/** The name of a file without its extension. */
export function stem(name: string): string {
  return name.replace(/\.[^.]*$/, '') || 'clip'
}
