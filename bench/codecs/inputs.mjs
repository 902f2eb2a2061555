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

/** @returns {{ rate: number, hop: number, frames: number, codes: number[], strides: number[] }} of the exported clip */
export function description(name) {
  return JSON.parse(readFileSync(cached(`${name}.json`), 'utf8'))
}

/** Speech, repeated, as long as the exported clip. */
export function speech({ frames, hop }) {
  const wav = readFileSync(fileURLToPath(new URL('../../tests/fixtures/speech.wav', import.meta.url)))
  const clip = (wav.length - WAV_HEADER_BYTES) >> 1
  return Float32Array.from(
    { length: frames * hop },
    (_, i) => wav.readInt16LE(WAV_HEADER_BYTES + 2 * (i % clip)) / 32_768,
  )
}

/** Uniform codes of each codebook below `size`, a power of two, from a fixed 32-bit linear congruential generator. */
export function codes({ strides, frames }, size = 1024) {
  let state = 20_260_101
  return strides.map(stride =>
    Uint16Array.from({ length: frames / stride }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return (state >>> 16) % size
    }),
  )
}

/** What must agree between engines, of decoded samples: two frames from the middle of the clip (DAC's odd strides leave some samples out). */
export function middle(samples, { hop, frames }) {
  const start = (frames * hop) >> 1
  return Array.from(samples.subarray(start, start + 2 * hop))
}
