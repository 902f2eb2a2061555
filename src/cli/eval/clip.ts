import { basename } from 'node:path'
import { channelsOf } from '../../audio/index.js'
import { type AudioTokens, type DecodedAudio, WavtokError } from '../../index.js'
import { melDistance } from '../../metrics/index.js'
import { roundtripFigure } from '../../plots/index.js'
import type { Tokenizer } from '../environment.js'
import { describeRate, tokenFigures } from '../figures.js'
import { showSeconds } from '../text.js'
import { type Judges, judge } from './judges.js'
import { type Measures, meanAgreement, measure, measureWords } from './measures.js'
import type { Original } from './original.js'

/** What becomes of a clip that goes through the model again and again. */
export interface Drift {
  /** Share of codes that are still those of the first round, after each further one. */
  readonly stability: readonly number[]
  /** Mel distance of each round's audio from the recording. */
  readonly melDistance: readonly number[]
}

/** What is known of one clip after it went through one system. */
export interface Evaluation {
  readonly input: string
  /** The system's label. */
  readonly system: string
  readonly model: string
  /** Of the file, Hz. */
  readonly sampleRate: number
  readonly audioSeconds: number
  readonly encodeSeconds: number
  readonly decodeSeconds: number
  readonly frames: number
  readonly frameRate: number
  readonly kbps: number
  readonly codebookSizes: readonly number[]
  readonly strides?: readonly number[]
  /** Different codes of each codebook. */
  readonly uniqueCodes: readonly number[]
  readonly measures: Measures
  /** Words that each rate of errors counts. */
  readonly words?: Readonly<Record<string, number>>
  readonly drift?: Drift
  /** [codebook][frame] */
  readonly codes: readonly Uint16Array[]
  /** SVG, where one was wanted. */
  readonly figure?: string
}

/** One clip, and what its system needs. */
export interface Subject {
  readonly input: string
  readonly system: string
  readonly original: Original
  readonly tokenizer: Tokenizer
  readonly codebooks?: number
  readonly transcript?: string
  readonly language?: string
  readonly referenceCodes?: readonly ArrayLike<number>[]
  readonly judges: Judges
  /** How often the decoded audio is encoded again, at least 1. */
  readonly rounds: number
  readonly wantsFigure: boolean
  readonly signal: AbortSignal
  now(): number
  /** 0 to 1. */
  onProgress(share: number): void
}

/** Encoding and decoding, as shares of the time one clip takes. */
const ENCODE_SHARE = 0.15
const DECODE_SHARE = 0.3

/** One clip through a system and back, measured at the model's sample rate. */
export async function evaluateClip(subject: Subject): Promise<Evaluation> {
  const { original, tokenizer, codebooks, signal } = subject
  const { samples, sampleRate, seconds } = original
  const [tokens, encodeSeconds] = await timed(subject, () =>
    tokenizer.encode([samples], {
      sampleRate,
      codebooks,
      signal,
      onProgress: ({ loaded }) => subject.onProgress(ENCODE_SHARE * loaded),
    }),
  )
  const [decoded, decodeSeconds] = await timed(subject, () =>
    tokenizer.decode(tokens, {
      signal,
      onProgress: ({ loaded }) => subject.onProgress(ENCODE_SHARE + DECODE_SHARE * loaded),
    }),
  )
  // whole frames are longer than the clip, and what is behind it moves a judge's score (DNSMOS by .2)
  const sound = mono(decoded).subarray(0, original.at(decoded.sampleRate).length)
  const { codesAgain, drift } = await goRound(subject, tokens, decoded)
  const { model, frames, frameRate, kbps, codebookSizes, strides, uniqueCodes } = tokenFigures(tokens)
  const heard = await hear(subject, sound, decoded.sampleRate)
  return {
    input: subject.input,
    system: subject.system,
    model,
    sampleRate,
    audioSeconds: seconds,
    encodeSeconds,
    decodeSeconds,
    frames,
    frameRate,
    kbps,
    codebookSizes,
    strides,
    uniqueCodes,
    measures: {
      ...measure({
        original,
        decoded: sound,
        sampleRate: decoded.sampleRate,
        codes: tokens.codes,
        codesAgain,
        referenceCodes: subject.referenceCodes,
        encodeSpeed: seconds / encodeSeconds,
        decodeSpeed: seconds / decodeSeconds,
      }),
      ...heard?.measures,
      ...(await judge(subject.judges.metrics, original, sound, decoded.sampleRate)),
    },
    words: heard?.words,
    drift,
    codes: tokens.codes,
    figure: subject.wantsFigure ? await figureOf(subject, tokens, sound, decoded.sampleRate) : undefined,
  }
}

async function timed<T>({ now }: Subject, call: () => Promise<T>): Promise<[result: T, seconds: number]> {
  const start = now()
  return [await call(), (now() - start) / 1000]
}

/** Encodes the decoded audio again, `rounds` times. */
async function goRound(
  { tokenizer, codebooks, rounds, signal, original }: Subject,
  tokens: AudioTokens,
  decoded: DecodedAudio,
): Promise<{ codesAgain: readonly Uint16Array[]; drift?: Drift }> {
  const encodeAgain = (audio: DecodedAudio) =>
    tokenizer.encode(channelsOf(audio), { sampleRate: audio.sampleRate, codebooks, signal })
  const reference = original.at(decoded.sampleRate)
  const distance = (audio: DecodedAudio) => melDistance(reference, mono(audio), audio.sampleRate)
  let again = await encodeAgain(decoded)
  const codesAgain = again.codes
  if (rounds === 1) return { codesAgain }
  const stability = [meanAgreement(tokens.codes, codesAgain)]
  const distances = [distance(decoded)]
  while (stability.length < rounds) {
    const audio = await tokenizer.decode(again, { signal })
    distances.push(distance(audio))
    again = await encodeAgain(audio)
    stability.push(meanAgreement(tokens.codes, again.codes))
  }
  return { codesAgain, drift: { stability, melDistance: distances } }
}

/** Words, where a recogniser is there. */
async function hear(
  { judges, original, input, language, transcript }: Subject,
  sound: Float32Array,
  sampleRate: number,
) {
  const { transcribe } = judges
  if (!transcribe) return undefined
  original.heard ??= Promise.resolve(transcribe(original.samples, original.sampleRate, { input, language }))
  const heard = {
    original: await original.heard,
    decoded: await transcribe(sound, sampleRate, { input, language }),
  }
  if (typeof heard.original !== 'string' || typeof heard.decoded !== 'string')
    throw new WavtokError('CONFIG', "the judge's transcribe gave no text")
  return measureWords({ ...heard, transcript })
}

function figureOf(
  { input, original }: Subject,
  tokens: AudioTokens,
  samples: Float32Array,
  sampleRate: number,
) {
  return roundtripFigure({
    title: basename(input),
    subtitle: `${showSeconds(original.seconds)} as ${tokens.frames} frames of tokens: ${describeRate(tokens)}`,
    original,
    tokens,
    decoded: { samples, sampleRate },
  })
}

/** The mean of the channels. */
function mono(audio: DecodedAudio): Float32Array {
  const channels = channelsOf(audio)
  if (channels.length === 1) return channels[0]
  return channels[0].map((_, i) => channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length)
}

/** A clip's figures for machines: no codes, no picture. */
export function clipFigures({ codes, figure, ...rest }: Evaluation) {
  return rest
}
