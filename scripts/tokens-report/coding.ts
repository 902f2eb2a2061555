import { execFileSync } from 'node:child_process'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { decodeWtok, encodeWtok, type TokenCoding } from '../../src/codes/index.js'
import { table } from './format.js'

/** Codes of one codebook, clip by clip. */
export interface Corpus {
  readonly name: string
  readonly about: string
  readonly clips: readonly number[][]
  readonly frameRate: number
  readonly size: number
}

const CODINGS: readonly TokenCoding[] = ['packed', 0, 1, 2]

/** Bits per code of every way to store the codes: all clips as one file, and a file each. */
export function codingTable(corpora: readonly Corpus[]): string {
  const head = ['', ...corpora.flatMap(({ name }) => [`${name}, one file`, `a file per clip`])]
  const ways: [string, (codes: readonly number[], corpus: Corpus) => number][] = [
    ...CODINGS.map((coding): [string, (codes: readonly number[], corpus: Corpus) => number] => [
      coding === 'packed' ? '.wtok, packed' : `.wtok, order ${coding}`,
      (codes, corpus) => wtok(codes, corpus, coding).length,
    ]),
    ['gzip -9 of uint16', codes => gzipSync(uint16(codes), { level: 9 }).length],
    ['brotli -11 of uint16', codes => brotliCompressSync(uint16(codes)).length],
    ['zstd -19 of uint16', codes => execFileSync('zstd', ['-19', '-c'], { input: uint16(codes) }).length],
  ]
  const rows = ways.map(([name, bytes]) => [
    name,
    ...corpora.flatMap(corpus => {
      const all = corpus.clips.flat()
      const each = corpus.clips.reduce((sum, clip) => sum + bytes(clip, corpus), 0)
      return [bytes(all, corpus), each].map(total => ((8 * total) / all.length).toFixed(2))
    }),
  ])
  const entropies = corpora.flatMap(({ clips }) => [
    entropy(clips.flat()).toFixed(2),
    (clips.reduce((sum, clip) => sum + clip.length * entropy(clip), 0) / clips.flat().length).toFixed(2),
  ])
  rows.push(['entropy of the histogram (which a decoder would not know)', ...entropies])
  return `Whole files, headers included; a header with model and hash takes ${headerBytes()} bytes.\n\n${table(head, rows)}`
}

/** How long coding takes. */
export function codingTiming(corpus: Corpus): string {
  const codes = corpus.clips.flat()
  const rows = CODINGS.map(coding => {
    const file = wtok(codes, corpus, coding)
    const write = perSecond(codes.length, () => wtok(codes, corpus, coding))
    const read = perSecond(codes.length, () => decodeWtok(file))
    return [String(coding), write, read]
  })
  return table(['coding', 'codes written per second', 'codes read per second'], rows)
}

function wtok(codes: readonly number[], { size, frameRate }: Corpus, coding: TokenCoding): Uint8Array {
  const about = { model: 'mini', modelHash: '0123456789abcdef', sampleRate: 24000 }
  return encodeWtok([codes], { ...about, frameRate, codebookSizes: [size], coding })
}

function headerBytes(): number {
  return wtok([], { name: '', about: '', clips: [], frameRate: 75, size: 4096 }, 2).length - 6
}

function uint16(codes: readonly number[]): Buffer {
  return Buffer.from(Uint16Array.from(codes).buffer)
}

function entropy(codes: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1)
  return [...counts.values()].reduce((sum, n) => sum - (n / codes.length) * Math.log2(n / codes.length), 0)
}

/** Items per second, the best of five calls. */
function perSecond(items: number, call: () => void): string {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now()
    call()
    return (performance.now() - start) / 1000
  })
  return Number((items / Math.min(...times)).toPrecision(2)).toLocaleString('en')
}
