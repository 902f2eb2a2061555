import { loadParquet, parquetBytes, parquetFile } from './parquet.js'
import type { Sample } from './sample.js'
import { tarBytes, tarFile } from './tar.js'

/** A kind of shard. */
export interface ShardFormat {
  readonly extension: string
  /** What a sample adds to the size of a shard. */
  bytesOf(sample: Sample): number
  /** The shard, piece by piece. */
  file(samples: AsyncIterable<Sample>): AsyncIterable<Uint8Array>
  /** Throws UsageError where something that it needs is not there. */
  prepare?(): Promise<unknown>
}

export const SHARD_FORMATS = {
  webdataset: { extension: 'tar', bytesOf: tarBytes, file: tarFile },
  jsonl: { extension: 'jsonl', bytesOf: sample => line(sample).length, file: lines },
  parquet: { extension: 'parquet', bytesOf: parquetBytes, file: parquetFile, prepare: loadParquet },
} satisfies Readonly<Record<string, ShardFormat>>

export type ShardFormatName = keyof typeof SHARD_FORMATS

function line({ codes, ...about }: Sample): Buffer {
  return Buffer.from(`${JSON.stringify({ ...about, codes: codes.map(row => Array.from(row)) })}\n`)
}

async function* lines(samples: AsyncIterable<Sample>): AsyncGenerator<Uint8Array> {
  for await (const sample of samples) yield line(sample)
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, G: 1e9 }

/** `1GB`, `250M`, `100000`: bytes; undefined where it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([KMG]?)B?$/i.exec(text)
  const size = match ? Number(match[1]) * UNITS[match[2].toUpperCase()] : 0
  return size >= 1 ? Math.floor(size) : undefined
}
