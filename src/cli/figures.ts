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

/** `1 codebook of 4096, 75 per second, 0.90 kbps`; of several rates `11.719, 23.438, 46.875 per second`. */
export function describeRate(format: {
  codebookSizes: readonly number[]
  strides?: readonly number[]
  frameRate: number
  bitsPerSecond: number
}): string {
  const { codebookSizes, strides = [1], frameRate, bitsPerSecond } = format
  const sizes = [...new Set(codebookSizes)].join('/')
  const rates = [...new Set(strides)].map(stride => Number((frameRate / stride).toFixed(3))).join(', ')
  return `${plural(codebookSizes.length, 'codebook')} of ${sizes}, ${rates} per second, ${(bitsPerSecond / 1000).toFixed(2)} kbps`
}

/** `12.3 times real time`: seconds of audio per second of computing. */
export function describeSpeed(speed: number): string {
  return `${speed.toFixed(speed < 10 ? 2 : 1)} times real time`
}
