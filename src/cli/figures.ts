import type { AudioTokens } from '../index.js'
import { plural } from './text.js'

/** Figures of tokens that every verb reports. */
export function tokenFigures(tokens: AudioTokens) {
  return {
    model: tokens.model,
    frames: tokens.frames,
    codebooks: tokens.codebooks,
    codebookSizes: tokens.codebookSizes,
    strides: tokens.strides,
    frameRate: tokens.frameRate,
    kbps: tokens.bitsPerSecond / 1000,
    uniqueCodes: uniqueCodes(tokens.codes),
  }
}

/** How many different codes each codebook uses. */
export function uniqueCodes(codes: readonly Uint16Array[]): number[] {
  return codes.map(row => new Set(row).size)
}

/** `1 codebook of 4096, 75 per second, 0.90 kbps` */
export function describeRate(format: {
  codebookSizes: readonly number[]
  frameRate: number
  bitsPerSecond: number
}): string {
  const { codebookSizes, frameRate, bitsPerSecond } = format
  const sizes = [...new Set(codebookSizes)].join('/')
  const rate = Number(frameRate.toFixed(3))
  return `${plural(codebookSizes.length, 'codebook')} of ${sizes}, ${rate} per second, ${(bitsPerSecond / 1000).toFixed(2)} kbps`
}

/** `12.3 times real time`: seconds of audio per second of computing. */
export function describeSpeed(speed: number): string {
  return `${speed.toFixed(speed < 10 ? 2 : 1)} times real time`
}
