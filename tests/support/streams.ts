import { readFileSync } from 'node:fs'
import { byteSource } from '../../src/checkpoints/bytes.js'
import { openCheckpoint } from '../../src/checkpoints/open.js'
import { AudioTokenizer } from '../../src/index.js'
import { loadMini } from '../../src/models/mini.js'
import { freshCore } from './core.js'
import { openModel, testFile } from './model.js'

/** A model whose decoder sees the whole clip, and one that streams both ways. */
export const GLOBAL = 'vectors/wavtokenizer/tiny-75.ckpt'
export const STREAMING = 'vectors/mini/tiny.safetensors'
const wav = readFileSync(testFile('fixtures/speech.wav'))

/** Three seconds of speech at 24 kHz. */
export const speech = Float32Array.from({ length: 72_000 }, (_, i) => wav.readInt16LE(44 + 2 * i) / 32768)

/** A tokenizer and the memory it lives in. */
export async function open(name: string) {
  if (name !== STREAMING) {
    const { region, heap, model } = await openModel(name)
    return { heap, tokenizer: new AudioTokenizer(region, model, 'baseline') }
  }
  const { region, heap } = await freshCore()
  const source = await openCheckpoint(await byteSource(testFile(STREAMING)))
  // the expected outputs lie beside the weights
  const names = () => source.names().filter(one => !one.startsWith('vectors.'))
  const model = await loadMini(region, { ...source, names })
  await source.close()
  return { heap, tokenizer: new AudioTokenizer(region, model, 'baseline') }
}

/** Samples or codes in pieces of the given sizes, in turn. */
export function* cut<T extends { length: number; subarray(from: number, to: number): T }>(
  samples: T,
  size: () => number,
) {
  for (let at = 0; at < samples.length; ) {
    const count = size()
    yield samples.subarray(at, at + count)
    at += count
  }
}
