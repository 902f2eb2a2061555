// Look-ahead, distance of windowed from whole-clip decoding, cost per chunk and memory of streams: the tables of docs/streaming.md.
//   node --import tsx bench/streaming.ts [--model CHECKPOINT] [--write]
// CHECKPOINT: a WavTokenizer; by default the seeded one of `npm run parity:full`. --write puts the tables into the document.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { instantiateKernels } from '../bindings/load.js'
import { Heap, Region } from '../bindings/memory.js'
import { type AudioTokenizer, type AudioTokens, loadTokenizer } from '../src/index.js'
import { loadModel } from '../src/models/registry.js'
import { snr } from '../tests/support/compare.js'
import { concat } from '../tests/support/model.js'
import { syntheticWavTokenizer } from './synthetic.js'

const cache = process.env.WAVTOK_REFERENCE_CACHE ?? `${homedir()}/.cache/wavtok-reference`
const { values } = parseArgs({
  options: {
    model: { type: 'string', default: `${cache}/full/full-75.ckpt` },
    write: { type: 'boolean', default: false },
  },
})
const FIXTURES = ['speech.wav', 'speech-de.wav', 'speech-16k.wav', 'speech-44k-stereo.wav']
const DOCUMENT = fileURLToPath(new URL('../docs/streaming.md', import.meta.url))
const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../tests/fixtures/${name}`, import.meta.url)))

type Row = readonly (string | number)[]

function table(head: Row, rows: readonly Row[]): string {
  const line = (row: Row) => `| ${row.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** All fixtures as one clip. */
async function speechTokens(tokenizer: AudioTokenizer): Promise<AudioTokens> {
  const [first, ...others] = await Promise.all(FIXTURES.map(name => tokenizer.encode(fixture(name))))
  return first.concat(...others)
}

async function lookaheads(mini: AudioTokenizer): Promise<string> {
  const rows: Row[] = []
  const add = (name: string, hop: number, encoder?: number, decoder?: number) => {
    const show = (samples?: number) =>
      samples === undefined ? 'whole clip' : `${samples} (${(samples / 24).toFixed(1)} ms)`
    rows.push([name, hop, show(encoder), show(decoder)])
  }
  const samples = (ms?: number) => ms && Math.round(ms * 24)
  const { hopLength, encoderLookaheadMs, decoderLookaheadMs } = mini.info
  add('default (mini, 75/s)', hopLength, samples(encoderLookaheadMs), samples(decoderLookaheadMs))
  for (const [name, ratios] of [
    ['WavTokenizer 75/s', [2, 4, 5, 8]],
    ['WavTokenizer 40/s', [4, 5, 5, 6]],
  ] as const) {
    const { kernels } = await instantiateKernels(true)
    const { info } = await loadModel(new Region(new Heap(kernels)), syntheticWavTokenizer(ratios))
    add(name, info.hopLength, info.encoderLookahead, info.decoderLookahead)
  }
  return table(
    ['model', 'frame, samples', 'a token needs, beyond its frame', 'a sample needs, beyond its token'],
    rows,
  )
}

async function windows(tokenizer: AudioTokenizer): Promise<string> {
  const tokens = await speechTokens(tokenizer)
  const whole = (await tokenizer.decode(tokens)).samples
  const rows: Row[] = []
  for (const windowSeconds of [1, 2, 4, 8]) {
    for (const contextSeconds of [0.5, 1, 2]) {
      const parts: Float32Array[] = []
      for await (const { samples } of tokenizer.decodeStream([tokens], { windowSeconds, contextSeconds }))
        parts.push(samples)
      const samples = concat(parts)
      const seams = Array.from(
        { length: Math.floor(tokens.duration / windowSeconds) },
        (_, i) => (i + 1) * windowSeconds * 24_000,
      )
      rows.push([
        windowSeconds,
        contextSeconds,
        snr(samples, whole).toFixed(1),
        segmental(samples, whole).toFixed(1),
        seams.length ? seamRatio(samples, seams).toFixed(2) : '-',
        ((windowSeconds + 2 * contextSeconds) / windowSeconds).toFixed(2),
      ])
    }
  }
  const head = ['window, s', 'context, s', 'SNR, dB', 'segmental SNR, dB', 'seam energy', 'work']
  return `${tokens.duration.toFixed(1)} s of speech:\n\n${table(head, rows)}`
}

/** Mean over 20 ms segments of their SNR, each held to -10 ... 80 dB. */
function segmental(actual: Float32Array, expected: Float32Array): number {
  let sum = 0
  let count = 0
  for (let at = 0; at + 480 <= expected.length; at += 480, count++) {
    const value = snr(actual.subarray(at, at + 480), expected.subarray(at, at + 480))
    sum += Math.min(80, Math.max(-10, Number.isNaN(value) ? 80 : value))
  }
  return sum / count
}

/** Energy of the first difference within 10 ms of the seams, relative to that within the 20 ms on either side. */
function seamRatio(samples: Float32Array, seams: readonly number[]): number {
  const energy = (from: number, to: number) => {
    let sum = 0
    for (let i = Math.max(1, from); i < Math.min(to, samples.length); i++)
      sum += (samples[i] - samples[i - 1]) ** 2
    return sum
  }
  let inside = 0
  let beside = 0
  for (const seam of seams) {
    inside += energy(seam - 240, seam + 240)
    beside += (energy(seam - 720, seam - 240) + energy(seam + 240, seam + 720)) / 2
  }
  return inside / beside
}

async function chunkCost(tokenizer: AudioTokenizer): Promise<string> {
  const audio = (await tokenizer.decode(await speechTokens(tokenizer))).samples
  const rows: Row[] = []
  for (const milliseconds of [20, 80, 1000]) {
    const size = 24 * milliseconds
    const chunks = function* () {
      for (let at = 0; at < audio.length; at += size) yield audio.subarray(at, at + size)
    }
    const start = performance.now()
    const tokens: AudioTokens[] = []
    for await (const part of tokenizer.encodeStream(chunks())) tokens.push(part)
    const encoded = performance.now()
    for await (const _ of tokenizer.decodeStream(tokens));
    const spent = [encoded - start, performance.now() - encoded].map(ms =>
      ((milliseconds * ms) / (audio.length / 24)).toFixed(2),
    )
    rows.push([milliseconds, ...spent])
  }
  return table(['chunk, ms', 'encode, ms per chunk', 'decode, ms per chunk'], rows)
}

async function memory(tokenizer: AudioTokenizer): Promise<string> {
  const second = (await tokenizer.decode(await speechTokens(tokenizer))).samples.subarray(0, 24_000)
  const rows: Row[] = []
  let seconds = 0
  const audio = function* () {
    for (; seconds < 600; seconds++) yield second
  }
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
  for await (const _ of tokenizer.decodeStream(tokenizer.encodeStream(audio())))
    if ([1, 10, 60, 300, 599].includes(seconds) && rows.at(-1)?.[0] !== seconds)
      rows.push([seconds, mib(tokenizer.info.memoryBytes), mib(process.memoryUsage().rss)])
  return table(['seconds streamed, both ways', 'WebAssembly memory, MiB', 'process, MiB'], rows)
}

if (!existsSync(values.model))
  throw new Error(`${values.model} is missing; run npm run parity:full once, or pass --model`)
const mini = await loadTokenizer(undefined, { deterministic: true })
const sections: Record<string, string> = {
  lookahead: await lookaheads(mini),
  chunks: await chunkCost(mini),
  memory: await memory(mini),
  windows: await windows(await loadTokenizer(values.model, { deterministic: true })),
}
let text = values.write ? readFileSync(DOCUMENT, 'utf8') : ''
for (const [name, body] of Object.entries(sections)) {
  console.log(`${name}\n\n${body}\n`)
  text = text.replace(
    new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end -->)`),
    (_, open, close) => `${open}\n${body}\n\n${close}`,
  )
}
if (values.write) writeFileSync(DOCUMENT, text)
