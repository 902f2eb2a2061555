import { basename } from 'node:path'
import { resample, toMono } from '../../audio/index.js'
import { roundtripFigure } from '../../plots/index.js'
import { decodeAudio } from '../audio_file.js'
import type { Task } from '../batch.js'
import { describeRate, tokenFigures } from '../figures.js'
import { showSeconds } from '../text.js'
import { type Measures, measure } from './measures.js'

/** What is known of one clip after it went through the model. */
export interface Evaluation {
  readonly input: string
  readonly model: string
  /** Of the file, Hz. */
  readonly sampleRate: number
  readonly audioSeconds: number
  readonly encodeSeconds: number
  readonly decodeSeconds: number
  readonly frames: number
  readonly frameRate: number
  readonly codebookSizes: readonly number[]
  readonly strides?: readonly number[]
  /** Different codes of each codebook. */
  readonly uniqueCodes: readonly number[]
  readonly measures: Measures
  /** [codebook][frame] */
  readonly codes: readonly Uint16Array[]
  /** SVG, where one was wanted. */
  readonly figure?: string
}

/** One WAV file through the model and back, measured at the model's sample rate; what was odd about the file. */
export async function evaluateClip(
  task: Task,
  wantsFigure: boolean,
): Promise<{ evaluation: Evaluation; warnings: readonly string[] }> {
  const { tokenizer, signal, onProgress, job } = task
  const wav = await decodeAudio(task.bytes)
  const { samples: mono, sampleRate } = toMono(wav.channels, {
    sampleRate: wav.sampleRate,
    defaultSampleRate: wav.sampleRate,
  })
  const [tokens, encodeSeconds] = await task.timed(() =>
    tokenizer.encode([mono], { sampleRate, signal, onProgress }),
  )
  const [decoded, decodeSeconds] = await task.timed(() => tokenizer.decode(tokens, { signal, onProgress }))
  const again = await tokenizer.encode([decoded.samples], { sampleRate: decoded.sampleRate, signal })
  const audioSeconds = mono.length / sampleRate
  const { model, frames, frameRate, codebookSizes, strides, uniqueCodes } = tokenFigures(tokens)
  const measures = measure({
    reference: resample(mono, sampleRate, decoded.sampleRate),
    decoded: decoded.samples,
    sampleRate: decoded.sampleRate,
    codes: tokens.codes,
    codesAgain: again.codes,
    encodeSpeed: audioSeconds / encodeSeconds,
    decodeSpeed: audioSeconds / decodeSeconds,
  })
  const picture = {
    title: basename(job.input),
    subtitle: `${showSeconds(audioSeconds)} as ${frames} frames of tokens: ${describeRate(tokens)}`,
    original: { samples: mono, sampleRate },
    tokens,
    decoded,
  }
  const evaluation: Evaluation = {
    input: job.input,
    model,
    sampleRate,
    audioSeconds,
    encodeSeconds,
    decodeSeconds,
    frames,
    frameRate,
    codebookSizes,
    strides,
    uniqueCodes,
    measures,
    codes: tokens.codes,
    figure: wantsFigure ? await roundtripFigure(picture) : undefined,
  }
  return { evaluation, warnings: wav.warnings }
}

/** A clip's figures for machines: no codes, no picture. */
export function clipFigures({ codes, figure, ...rest }: Evaluation) {
  return rest
}
