import type { Region } from '../../bindings/memory.js'
import type { Probe, RowSink } from '../nn/rows.js'
import type { WeightDtype } from '../nn/weights.js'

/** What every family tells about a loaded model. Rates in Hz. */
export interface ModelInfo {
  /** Registry name of the family, e.g. `wavtokenizer`. */
  readonly family: string
  /** Family whose tokens it decodes, where they are not its own. */
  readonly tokensOf?: string
  readonly sampleRate: number
  /** Audio channels, interleaved in rows of samples; absent: 1. */
  readonly channels?: number
  /**
   * Frames of a segment, where clips are cut into segments of which each has a level of its own: rows of codes then end with it, f32.
   */
  readonly segmentFrames?: number
  /** Samples per frame. */
  readonly hopLength: number
  /** Entries of each codebook; its length is the number of codebooks. */
  readonly codebookSizes: readonly number[]
  /** Frames that share a code of each codebook; absent: every frame has a code of each. Codes are repeated in rows between stages. */
  readonly strides?: readonly number[]
  /** Length of a codebook vector. */
  readonly codebookDim: number
  readonly parameters: number
  /** How the decoder's matrices are held, and the encoder's. */
  readonly dtype: WeightDtype
  readonly encoderDtype: WeightDtype
  readonly canEncode: boolean
  readonly canDecode: boolean
  /** Samples after a frame's last one that its token may depend on; undefined: the whole clip. */
  readonly encoderLookahead?: number
  /** Samples by which decoded audio lags its token in an exact stream; undefined: the decoder sees the whole clip. */
  readonly decoderLookahead?: number
  /** Hyper-parameters, as found. */
  readonly config: Readonly<Record<string, unknown>>
}

/** A loaded family: graphs over weights that live in the core's memory. Samples are f32 at `info.sampleRate`, mono or interleaved. */
export interface Model {
  readonly info: ModelInfo
  /** Opens an encoder: rows of 1 sample in, rows of i32 codes into `sink`, of the first codebooks, as many as it has channels. */
  encoder(region: Region, sink: RowSink, probe?: Probe): RowSink
  /** The encoder without its quantizer: rows of 1 sample in, rows of [codebookDim] f32 into `sink`. */
  features(region: Region, sink: RowSink, probe?: Probe): RowSink
  /** Opens an exactly streaming decoder, where the family has one: rows of [codebooks] i32 in, rows of 1 sample into `sink`. */
  decoder?(region: Region, sink: RowSink, probe?: Probe, codebooks?: number): RowSink
  /** Decodes a whole clip of [frames][codebooks] i32 codes at `codes` into `sink`; yields the share done. */
  decode(
    region: Region,
    codes: number,
    frames: number,
    sink: RowSink,
    probe?: Probe,
    codebooks?: number,
  ): Generator<number>
  /** Codebook vectors: rows of [codebooks] i32 in, rows of [codebookDim] f32 into `sink`. */
  lookup(region: Region, sink: RowSink, codebooks?: number): RowSink
  /** The streaming decoder without its lookup, where the family has one: rows of [codebookDim] f32 in, rows of 1 sample into `sink`. */
  synthesis?(region: Region, sink: RowSink, probe?: Probe): RowSink
}
