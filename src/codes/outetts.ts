import { TokenError } from '../errors.js'
import { numberWords } from './number-words.js'

/** One word of a speaker: what is said, for how long, in which codes. */
export interface SpokenWord {
  /** In version 2 punctuation may follow the letters, as text: `word,`. */
  readonly word: string
  /** Seconds (default: codes / 75, rounded to hundredths). */
  readonly duration?: number
  readonly codes: ArrayLike<number>
}

/** 1: OuteTTS 0.1 and 0.2; 2: OuteTTS 0.3. */
export type OuteTtsVersion = 1 | 2

/** What a prompt says. */
export interface OuteTtsPrompt {
  readonly version: OuteTtsVersion
  /** Words of the text part. */
  readonly text: string[]
  /** Description of the voice (version 2). */
  readonly voice?: string
  readonly words: { word: string; duration: number; codes: number[] }[]
  /** True when the prompt ends with `<|im_end|>`; a prompt to be completed does not. */
  readonly isComplete: boolean
}

/** How to write a prompt. */
export interface OuteTtsOptions {
  readonly version: OuteTtsVersion
  /** Description of the voice, such as an emotion (version 2). */
  readonly voice?: string
  /** Close the audio: a training example. Default: open, for the model to go on. */
  readonly isComplete?: boolean
}

const FRAME_RATE = 75
const CODEBOOK_SIZE = 4096

/** What stands between words of the text, and between lines of the audio. */
const LAYOUTS = {
  1: { separator: '<|text_sep|>', lineEnd: '\n' },
  2: { separator: '<|space|>', lineEnd: '<|space|>\n' },
} as const

/** Punctuation that version 2 writes as tokens, mark by mark: upstream writes `...` as three periods. */
const PUNCTUATION: readonly (readonly [mark: string, name: string])[] = [
  ['…', 'ellipsis'],
  ['.', 'period'],
  ['!', 'exclamation_mark'],
  ['?', 'question_mark'],
  [',', 'comma'],
  ['"', 'double_quote'],
  ['„', 'low_double_quote'],
  ['¡', 'inverted_exclamation'],
  ['¿', 'inverted_question'],
  ['。', 'cjk_period'],
  ['！', 'cjk_exclamation'],
  ['？', 'cjk_question'],
  ['，', 'cjk_comma'],
  ['؟', 'arabic_question'],
]

/** Codes as text: `<|257|><|740|>`. @throws TokenError for codes that WavTokenizer does not have */
export function codesToText(codes: ArrayLike<number>): string {
  return Array.from(codes, code => `<|${checkedCode(code)}|>`).join('')
}

/**
 * Codes in text, in order; everything else is passed over, as OuteTTS does with what a model generates.
 *
 * @param beyond what to do with `<|4096|>` to `<|4099|>`, which its vocabularies have but its codec does not
 * @throws TokenError for codes beyond 4095, unless they are to be dropped
 */
export function textToCodes(
  text: string,
  { beyond = 'throw' }: { beyond?: 'throw' | 'drop' } = {},
): number[] {
  const codes = Array.from(text.matchAll(/<\|(\d+)\|>/g), match => Number(match[1]))
  return beyond === 'drop' ? codes.filter(code => code < CODEBOOK_SIZE) : codes.map(checkedCode)
}

/** Words as OuteTTS 0.2 has them in English prompts: numbers spelt out, lower case, letters alone. */
export function outeTtsWords(text: string): string[] {
  const spelt = text.toLowerCase().replace(/\d+(\.\d+)?/g, digits => numberWords(digits))
  const letters = spelt.replace(/[-_/,.\\]/g, ' ')
  return letters
    .replace(/[^a-z\s]/g, '')
    .split(/\s+/)
    .filter(Boolean)
}

/**
 * A prompt for OuteTTS: the text, then what was spoken of it already, for the model to go on.
 *
 * @param text words still to be said; version 2 takes punctuation (`word,`)
 * @param spoken words with their codes, which come before `text`; in version 2, `<|emotion_start|>...<|emotion_end|>` without codes
 *   may stand between them
 */
export function outeTtsPrompt(
  text: readonly string[],
  spoken: readonly SpokenWord[],
  { version, voice, isComplete = false }: OuteTtsOptions,
): string {
  const { separator, lineEnd } = LAYOUTS[version]
  const show = (word: string) => (version === 1 ? word : namePunctuation(word))
  const words = [...spoken.map(one => one.word), ...text].map(show)
  const lines = spoken.map(one => audioLine(one, version)).join(lineEnd)
  const open = version === 2 && lines !== '' ? lineEnd : ''
  const close = lines === '' ? '' : '\n'
  return [
    `<|im_start|>\n<|text_start|>${words.join(separator)}<|text_end|>\n`,
    voice === undefined ? '' : `<|voice_characteristic_start|>${voice}<|voice_characteristic_end|>\n`,
    `<|audio_start|>\n${lines}`,
    isComplete ? `${close}<|audio_end|>\n<|im_end|>\n` : open,
  ].join('')
}

function audioLine({ word, duration, codes }: SpokenWord, version: OuteTtsVersion): string {
  if (isEmotion(word)) return word
  const seconds = duration ?? Math.round((100 * codes.length) / FRAME_RATE) / 100
  const text = codesToText(codes)
  return version === 1
    ? `${word}<|t_${seconds.toFixed(2)}|><|code_start|>${text}<|code_end|>`
    : `${namePunctuation(word)}<|t_${seconds.toFixed(2)}|>${text}`
}

function isEmotion(word: string): boolean {
  return word.startsWith('<|emotion_start|>')
}

/**
 * Reads a prompt or what a model made of it, complete or not; the version is recognised.
 *
 * @throws TokenError when there is no text part, or for codes beyond 4095
 */
export function parseOuteTts(prompt: string): OuteTtsPrompt {
  const text = prompt.match(/<\|text_start\|>(.*?)<\|text_end\|>/s)?.[1]
  if (text === undefined)
    throw new TokenError(
      `no <|text_start|>...<|text_end|> in '${prompt.slice(0, 60)}'; this is no OuteTTS prompt`,
    )
  const audio = prompt.split('<|audio_start|>')[1]?.split('<|audio_end|>')[0] ?? ''
  const version: OuteTtsVersion = text.includes('<|space|>') || /<\|t_[\d.]+\|><\|\d/.test(audio) ? 2 : 1
  const { separator } = LAYOUTS[version]
  const show = (word: string) => (version === 1 ? word : markPunctuation(word))
  const words = audio.split('\n').flatMap(line => {
    if (isEmotion(line)) return [{ word: line.replace(/<\|space\|>$/, ''), duration: 0, codes: [] }]
    const [, word, duration, codes] = line.match(/^(.*?)<\|t_(\d+(?:\.\d+)?)\|>(.*)$/) ?? []
    return word === undefined
      ? []
      : [{ word: show(word), duration: Number(duration), codes: textToCodes(codes) }]
  })
  const names = text === '' ? [] : text.split(separator)
  return {
    version,
    text: names.map(show),
    voice: prompt.match(/<\|voice_characteristic_start\|>(.*?)<\|voice_characteristic_end\|>/s)?.[1],
    words,
    isComplete: prompt.includes('<|im_end|>'),
  }
}

function namePunctuation(word: string): string {
  return PUNCTUATION.reduce((text, [mark, name]) => text.replaceAll(mark, `<|${name}|>`), word)
}

function markPunctuation(word: string): string {
  return PUNCTUATION.reduce((text, [mark, name]) => text.replaceAll(`<|${name}|>`, mark), word)
}

function checkedCode(code: number): number {
  if (Number.isInteger(code) && code >= 0 && code < CODEBOOK_SIZE) return code
  throw new TokenError(
    `code ${code} is out of range: WavTokenizer has 0 to ${CODEBOOK_SIZE - 1} (the vocabulary's <|4096|> to <|4099|> stand for nothing)`,
  )
}
