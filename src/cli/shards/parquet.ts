// Parquet files, written by hyparquet-writer, which is installed where they are wanted.
import { UsageError } from '../environment.js'
import { describe, type Sample } from './sample.js'

const ROWS_AT_ONCE = 1000
const COLUMNS = [
  { name: 'key', type: 'STRING' },
  { name: 'path', type: 'STRING' },
  { name: 'seconds', type: 'DOUBLE' },
  { name: 'frames', type: 'INT32' },
  { name: 'frame_rate', type: 'DOUBLE' },
  { name: 'codes', type: 'JSON' },
  { name: 'about', type: 'JSON' },
] as const

interface ByteSink {
  getBytes(): Uint8Array
}

interface Library {
  parquetWriteRows(options: object): void | Promise<void>
  ByteWriter: new () => ByteSink
}

/** About what a sample takes in the file; it is compressed there. */
export function parquetBytes(sample: Sample): number {
  return sample.codes.reduce((sum, { length }) => sum + 2 * length, 256)
}

/** @throws UsageError where the library is not installed */
export async function loadParquet(): Promise<Library> {
  try {
    return (await import('hyparquet-writer')) as unknown as Library
  } catch (cause) {
    throw new UsageError('--format parquet needs a library: npm install hyparquet-writer', { cause })
  }
}

/** The file, with a row for each sample: `codes` and `about` are JSON. */
export async function* parquetFile(samples: AsyncIterable<Sample>): AsyncGenerator<Uint8Array> {
  const { parquetWriteRows, ByteWriter } = await loadParquet()
  const writer = new ByteWriter()
  await parquetWriteRows({
    writer,
    rows: rows(samples),
    columns: COLUMNS.map(column => ({ ...column, nullable: false })),
    rowGroupSize: ROWS_AT_ONCE,
    createdBy: 'wavtok',
  })
  yield writer.getBytes()
}

async function* rows(samples: AsyncIterable<Sample>) {
  for await (const sample of samples) {
    const { key, path, audioSeconds, frames, frameRate, codes } = sample
    yield {
      key,
      path,
      seconds: audioSeconds,
      frames,
      frame_rate: frameRate,
      codes: codes.map(row => Array.from(row)),
      about: JSON.parse(describe(sample)),
    }
  }
}
