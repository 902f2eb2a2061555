// What every engine gets: the same weights, speech and codes, by the description that export.py wrote.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const WAV_HEADER_BYTES = 44

/** A file of bench/codecs/.cache. */
export function cached(name) {
  const file = fileURLToPath(new URL(`.cache/${name}`, import.meta.url))
  if (existsSync(file)) return file
  throw new Error(`${file} is missing: run "npm run bench:codecs" once, it exports the models`)
}

/** Names of all codecs that export.py wrote. */
export function exported() {
  const folder = fileURLToPath(new URL('.cache', import.meta.url))
  return readdirSync(folder).flatMap(file => file.match(/^(.+)\.json$/)?.[1] ?? [])
}

/**
 * The exported clip.
 * @returns {{ rate: number, hop: number, channels: number, samples: number, frames: number, codes: number[], strides: number[],
 *   tasks: string[], dim?: number, centred?: boolean }} `codes`: the shape of the decoder's input; `dim`: of frames instead of codes
 */
export function description(name) {
  return JSON.parse(readFileSync(cached(`${name}.json`), 'utf8'))
}

/** Speech, repeated, as long as the exported clip: an array for each channel, the second a second behind the first. */
export function speech({ rate, channels, samples }) {
  const wav = readFileSync(fileURLToPath(new URL('../../tests/fixtures/speech.wav', import.meta.url)))
  const clip = (wav.length - WAV_HEADER_BYTES) >> 1
  return Array.from({ length: channels }, (_, channel) =>
    Float32Array.from(
      { length: samples },
      (_, i) => wav.readInt16LE(WAV_HEADER_BYTES + 2 * ((i + channel * rate) % clip)) / 32_768,
    ),
  )
}

/** Uniform codes of each codebook below `size`, a power of two. */
export function codes({ strides, frames }, size = 1024) {
  const next = generator()
  return strides.map(stride => Uint16Array.from({ length: frames / stride }, () => next() % size))
}

/** Rows like those of a log-mel spectrum, from -7 to 1: [frames][dim]. */
export function features({ frames, dim }) {
  const next = generator()
  return Float32Array.from({ length: frames * dim }, () => next() / 8192 - 7)
}

/** Whole numbers below 2^16 from a fixed 32-bit linear congruential generator. */
function generator() {
  let state = 20_260_101
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 16
  }
}

/** Two frames from the middle of the clip, where engines must agree (DAC's odd strides leave some samples out). */
export function middle({ hop, frames }) {
  return { start: (frames * hop) >> 1, count: 2 * hop }
}
