// The library's own measures of pairs of WAV files with the same name: node training/measure.mjs REF_DIR DEG_DIR (after `npm run build`)
// One line of JSON a clip, both at 24 kHz and in the length that they share: estoi, melDistance (nats), f0Correlation, voicingF1; null where undefined.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeWav, resample, toMono } from '../dist/audio.js'
import { f0Agreement, melDistance, pitch, stoi } from '../dist/metrics.js'

const RATE = 24_000
const [references, degraded] = process.argv.slice(2)
if (!degraded) throw new Error('usage: node training/measure.mjs REF_DIR DEG_DIR')

function load(path) {
  const { channels, sampleRate } = decodeWav(readFileSync(path))
  const mono = toMono(channels, { sampleRate, defaultSampleRate: sampleRate }).samples
  return resample(mono, sampleRate, RATE)
}

for (const name of readdirSync(degraded).filter(one => one.endsWith('.wav'))) {
  const pair = [load(join(references, name)), load(join(degraded, name))]
  const length = Math.min(pair[0].length, pair[1].length)
  const [x, y] = pair.map(samples => samples.subarray(0, length))
  const f0 = f0Agreement(pitch(x, RATE).f0, pitch(y, RATE).f0)
  const values = {
    estoi: stoi(x, y, RATE, { extended: true }),
    melDistance: melDistance(x, y, RATE),
    f0Correlation: f0.correlation,
    voicingF1: f0.voicingF1,
  }
  console.log(JSON.stringify({ file: name, ...values }))
}
