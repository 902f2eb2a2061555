import type { AudioTokens } from '../../index.js'

/** What a shard says of one clip. */
export interface Sample {
  /** The input's path below the folder that was named, without its extension. */
  readonly key: string
  readonly path: string
  readonly audioSeconds: number
  readonly sourceSampleRate: number
  readonly model: string
  readonly modelHash?: string
  readonly sampleRate: number
  readonly frameRate: number
  readonly frames: number
  readonly codebookSizes: readonly number[]
  /** Of codebooks of several rates. */
  readonly strides?: readonly number[]
  /** Of segments that have levels. */
  readonly segmentFrames?: number
  readonly scales?: readonly number[]
  /** [codebook][frame] */
  readonly codes: readonly Uint16Array[]
}

/** A line of the spool: codes are little-endian 16-bit numbers in base64. */
export type SpooledSample = Omit<Sample, 'codes'> & { readonly codes: readonly string[] }

export function sampleOf(
  tokens: AudioTokens,
  about: Pick<Sample, 'key' | 'path' | 'audioSeconds' | 'sourceSampleRate' | 'modelHash'>,
): Sample {
  const { model, sampleRate, frameRate, frames, codebookSizes, strides, segmentFrames, scales, codes } =
    tokens
  return {
    ...about,
    ...{ model, sampleRate, frameRate, frames, codebookSizes },
    ...(strides && { strides }),
    ...(segmentFrames && { segmentFrames, scales }),
    codes,
  }
}

export function spooled(sample: Sample): SpooledSample {
  return { ...sample, codes: sample.codes.map(toBase64) }
}

export function unspooled(sample: SpooledSample): Sample {
  return { ...sample, codes: sample.codes.map(fromBase64) }
}

/** A sample without its codes, as JSON: what stands beside them. */
export function describe({ codes: _, ...about }: Sample): string {
  return JSON.stringify(about)
}

function toBase64(codes: Uint16Array): string {
  return Buffer.from(codes.buffer, codes.byteOffset, codes.byteLength).toString('base64')
}

function fromBase64(text: string): Uint16Array {
  const bytes = Buffer.from(text, 'base64')
  return new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}
