// What every engine gets: the same speech, the same codes, the same weights.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const SAMPLE_RATE = 24_000
export const HOP_LENGTH = 320
const CODEBOOK_SIZE = 4096
const WAV_HEADER_BYTES = 44

/**
 * Files that export_onnx.py and export_mini.py write, by model: the peer's by task, and ours, which is the one in the package where
 * `wavtok` is absent.
 */
export const MODELS = {
  wavtokenizer: {
    encode: { graph: path('.cache/encoder.onnx'), weights: path('.cache/encoder.data') },
    decode: { graph: path('.cache/decoder.onnx'), weights: path('.cache/decoder.data') },
    'decode int8': { graph: path('.cache/decoder.int8.onnx'), weights: path('.cache/decoder.int8.data') },
    wavtok: path('.cache/wavtokenizer.safetensors'),
  },
  mini: {
    encode: { graph: path('.cache/mini_encoder.onnx'), weights: path('.cache/mini_encoder.data') },
  },
}

function path(name) {
  return fileURLToPath(new URL(name, import.meta.url))
}

export function requireModel(file) {
  if (existsSync(file)) return file
  throw new Error(`${file} is missing: run "npm run bench:peers" once, it exports the models`)
}

/** Real speech, 24 kHz mono, repeated until it lasts `seconds`; whole frames, as the exported encoder expects. */
export function speech(seconds) {
  const wav = readFileSync(path('../../tests/fixtures/speech.wav'))
  const rate = wav.readUInt32LE(24)
  if (wav.readUInt16LE(22) !== 1 || rate !== SAMPLE_RATE || wav.readUInt16LE(34) !== 16) {
    throw new Error(`speech.wav must be 16-bit mono at ${SAMPLE_RATE} Hz; its header says ${rate} Hz`)
  }
  const clip = (wav.length - WAV_HEADER_BYTES) >> 1
  const samples = new Float32Array(frameCount(seconds) * HOP_LENGTH)
  for (let i = 0; i < samples.length; i++) {
    samples[i] = wav.readInt16LE(WAV_HEADER_BYTES + 2 * (i % clip)) / 32_768
  }
  return samples
}

/** Uniform codes from a fixed 32-bit linear congruential generator. */
export function codes(seconds) {
  let state = 20_260_101
  return Uint16Array.from({ length: frameCount(seconds) }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 20
  }).map(code => code % CODEBOOK_SIZE)
}

function frameCount(seconds) {
  return Math.round((seconds * SAMPLE_RATE) / HOP_LENGTH)
}
