// What f16 and q8 cost and give at the published size: audio against f32, tokens changed, time, memory.
// node --import tsx tests/dtype-full.ts CHECKPOINT [WAV] (the checkpoint that tests/vectors/full_parity.py makes).
import { readFileSync } from 'node:fs'
import { decodeWav } from '../src/audio/index.js'
import { loadTokenizer } from '../src/index.js'
import { snr } from './support/compare.js'
import { testFile } from './support/model.js'

const [checkpoint, wav = testFile('fixtures/speech.wav')] = process.argv.slice(2)
const ROUNDS = 5
const { channels, sampleRate } = decodeWav(readFileSync(wav))

const timed = async <T>(call: () => Promise<T>): Promise<[T, number]> => {
  const start = process.cpuUsage()
  const result = await call()
  const { user, system } = process.cpuUsage(start)
  return [result, (user + system) / 1e6]
}

const kinds = ['f32', 'f16', 'q12', 'q8'] as const
const models = []
for (const dtype of kinds) {
  const [tokenizer, seconds] = await timed(() => loadTokenizer(checkpoint, { dtype, encoderDtype: dtype }))
  models.push({ dtype, tokenizer, seconds, encode: Infinity, decode: Infinity })
}
const reference = await models[0].tokenizer.encode(channels, { sampleRate })
const frames = Array.from({ length: 750 }, (_, i) => reference.codes[0][i % reference.frames])
const audio: Float32Array[] = []
const codes: Uint16Array[] = []
for (let round = 0; round < ROUNDS; round++) {
  for (const [index, model] of models.entries()) {
    const [tokens, encode] = await timed(() => model.tokenizer.encode(channels, { sampleRate }))
    const [{ samples }, decode] = await timed(() => model.tokenizer.decode(frames))
    model.encode = Math.min(model.encode, encode)
    model.decode = Math.min(model.decode, decode)
    audio[index] = samples
    codes[index] = tokens.codes[0]
  }
}
console.log(
  `${reference.frames} frames of ${wav} encoded, 10 s decoded, best of ${ROUNDS} interleaved rounds, CPU time`,
)
for (const [index, { dtype, tokenizer, seconds, encode, decode }] of models.entries()) {
  const changed = codes[index].filter((code, frame) => code !== codes[0][frame]).length
  console.log(
    `${dtype}: load ${seconds.toFixed(2)} s, memory ${(tokenizer.info.memoryBytes / 2 ** 20).toFixed(1)} MiB; ` +
      `decode ${decode.toFixed(3)} s (${(models[0].decode / decode).toFixed(2)}x f32), audio ${snr(audio[index], audio[0]).toFixed(1)} dB; ` +
      `encode ${encode.toFixed(3)} s (${(models[0].encode / encode).toFixed(2)}x f32), ${changed} of ${codes[0].length} tokens changed`,
  )
  tokenizer.dispose()
}
for (const dtype of kinds) {
  const tokenizer = await loadTokenizer(checkpoint, { dtype, parts: 'decoder' })
  await tokenizer.decode(frames)
  console.log(`${dtype}, decoder alone, after 10 s: ${(tokenizer.info.memoryBytes / 2 ** 20).toFixed(1)} MiB`)
}
