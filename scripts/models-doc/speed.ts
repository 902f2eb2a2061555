// The section on speed: what `npm run bench:codecs` left in bench/results/.
import { readdirSync, readFileSync } from 'node:fs'
import { table } from './table.js'

const FOLDER = new URL('../../bench/results/', import.meta.url)
const TITLES: Readonly<Record<string, string>> = {
  mimi: 'Mimi',
  encodec: 'EnCodec 24 kHz',
  'encodec-48khz': 'EnCodec 48 kHz (stereo)',
  'encodec-32khz': 'EnCodec 32 kHz (MusicGen)',
  dmcodec: 'DM-Codec, SpeechTokenizer',
  languagecodec: 'Language-Codec',
  'dac-24khz': 'DAC 24 kHz',
  'dac-16khz': 'DAC 16 kHz',
  'dac-44khz': 'DAC 44.1 kHz',
  'snac-24khz': 'SNAC 24 kHz',
  'snac-32khz': 'SNAC 32 kHz',
  'snac-44khz': 'SNAC 44.1 kHz',
  'vocos-encodec': 'Vocos of EnCodec’s tokens',
  'vocos-mel': 'Vocos of mel frames',
}

interface Engine {
  engine: string
  version: string
  node: string
  dtype: string
  ofRealTime: number
  heapMB: number
}

/** Ours in f32, the peer in f32, ours in q8; ratios are the peer's CPU time to ours. */
interface Task {
  seconds: number
  engines: [ours: Engine, peer: Engine, q8: Engine]
  ratios: Readonly<Record<'f32' | 'q8', { minima: number }>>
}

interface Result {
  about: { name: string; codebooks: number }
  date: string
  machine: { cpu: string; cores: number }
  rounds: number
  files: Readonly<Record<'f32' | 'q8' | 'onnx', number>>
  /** Absent of a vocoder. */
  encode?: Task
  decode: Task
}

/** The newest day's results, or nothing. */
function newest(): Result[] {
  const file = readdirSync(FOLDER)
    .filter(name => /^codecs-.+\.json$/.test(name))
    .sort()
    .at(-1)
  if (!file) return []
  const results: Record<string, Result> = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))
  return Object.keys(TITLES).flatMap(name => results[name] ?? [])
}

/** Empty where nothing was measured. */
export function speedSection(): string {
  const results = newest()
  if (results.length === 0) return ''
  const [{ machine, date, decode }] = results
  const rounds = [...new Set(results.map(result => result.rounds))].sort().join(', ')
  const [{ node }, peer] = decode.engines
  return `
## Speed

Published sizes, seeded weights, all codebooks; a clip of 10 s, one thread, ${machine.cpu} (${machine.cores} cores), Node ${node.slice(1)}, ${date.slice(0, 10)}.
Beside it ${peer.engine} ${peer.version} on the same weights as ONNX graphs, made in its favour (constant lengths, weight norm folded,
optimised before), taking turns with it on one core: minima of CPU time over ${rounds} rounds (fewer where a model is slow), as shares of real time, and how many times
the peer's time that is. Both give the same codes and audio: each run checks it. Of Language-Codec
and Vocos the peer leaves out the inverse STFT, which ONNX has not; ours has it. WavTokenizer and mini are measured by
\`npm run bench:peers\` ([README](../README.md#how-fast-how-small)). Memory: WebAssembly's, with weights and the clip.
\`npm run bench:codecs\` measures it.

${table(['model', 'task', 'f32', 'as fast as the peer', 'q8', 'as fast as the peer’s f32', 'memory, MB: f32, q8, peer'], results.flatMap(rows))}

${table(['model', 'file, MB: f32', 'q8', 'the peer’s graphs'], results.map(files))}
`
}

function rows({ about, encode, decode }: Result): string[][] {
  return Object.entries({ encode, decode }).flatMap(([task, measured]) => {
    if (!measured) return []
    const { engines, ratios } = measured
    const [ours, peer, q8] = engines
    return [
      [
        TITLES[about.name],
        task,
        ours.ofRealTime.toFixed(3),
        `${ratios.f32.minima.toFixed(2)}x`,
        q8.ofRealTime.toFixed(3),
        `${ratios.q8.minima.toFixed(2)}x`,
        [ours, q8, peer].map(({ heapMB }) => heapMB.toFixed(0)).join(', '),
      ],
    ]
  })
}

function files({ about, files }: Result): string[] {
  return [TITLES[about.name], ...[files.f32, files.q8, files.onnx].map(bytes => (bytes / 1e6).toFixed(0))]
}
