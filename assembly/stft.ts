// Short-time Fourier transform: four overlapping frames of a sample buffer at a time, windowed while they are read.
//
//   samples |----frame 0----|            rows of spectra: re[bins], im[bins]   or   magnitude[bins]      bins = nFft / 2 + 1
//             hop |----frame 1----|
//                   hop |----frame 2----|
//
// The last group of fewer than four frames repeats its last row in the idle lanes.

import { fftInPlace, halfOf, orderTable, realTwiddles, workArea } from './fft'
import { gather, lower, lowerPairs, scatter, storeRows, upper, upperPairs } from './lanes'

/**
 * out[rows][2 * bins] = (re, im) of windowed frames that start `hop` samples apart; with `magnitude`, out[rows][bins] = |X|.
 * window: [nFft], HALF of the analysis window (the halving of the real transform's even and odd parts).
 */
export function stftF32(
  out: usize,
  samples: usize,
  window: usize,
  rows: usize,
  hop: usize,
  plan: usize,
  magnitude: bool,
): void {
  const bins = halfOf(plan) + 1
  const outBytes = (magnitude ? bins : bins << 1) << 2
  const hopBytes = hop << 2
  for (let row: usize = 0; row < rows; row += 4) {
    const last = rows - row - 1
    const i1 = min<usize>(1, last)
    const i2 = min<usize>(2, last)
    const i3 = min<usize>(3, last)
    readFrames(plan, window, samples, samples + i1 * hopBytes, samples + i2 * hopBytes, samples + i3 * hopBytes)
    fftInPlace(plan)
    splitSpectrum(plan)
    if (magnitude) writeMagnitudes(plan, out, out + i1 * outBytes, out + i2 * outBytes, out + i3 * outBytes)
    else writeSpectra(plan, out, out + i1 * outBytes, out + i2 * outBytes, out + i3 * outBytes)
    samples += hopBytes << 2
    out += outBytes << 2
  }
}

/** Complex element j = window * (x[2j] + i x[2j + 1]). */
function readFrames(plan: usize, window: usize, row0: usize, row1: usize, row2: usize, row3: usize): void {
  const work = workArea(plan)
  const half = halfOf(plan)
  let order = orderTable(plan)
  const end = order + ((half & ~1) << 2)
  for (; order < end; order += 8) {
    const w = v128.load(window)
    const x0 = f32x4.mul(w, v128.load(row0))
    const x1 = f32x4.mul(w, v128.load(row1))
    const x2 = f32x4.mul(w, v128.load(row2))
    const x3 = f32x4.mul(w, v128.load(row3))
    const low01 = lower(x0, x1)
    const low23 = lower(x2, x3)
    const even = work + <usize>load<u32>(order)
    v128.store(even, lowerPairs(low01, low23))
    v128.store(even, upperPairs(low01, low23), 16)
    const high01 = upper(x0, x1)
    const high23 = upper(x2, x3)
    const odd = work + <usize>load<u32>(order, 4)
    v128.store(odd, lowerPairs(high01, high23))
    v128.store(odd, upperPairs(high01, high23), 16)
    window += 16
    row0 += 16
    row1 += 16
    row2 += 16
    row3 += 16
  }
  if (half & 1) {
    const at = work + <usize>load<u32>(order)
    v128.store(at, f32x4.mul(v128.load32_splat(window), gather(row0, row1, row2, row3)))
    v128.store(at, f32x4.mul(v128.load32_splat(window, 4), gather(row0 + 4, row1 + 4, row2 + 4, row3 + 4)), 16)
  }
}

/**
 * Bins 0..half from the transform Z of the elements, in place. With s = Z[k] + conj Z[half - k] and d = Z[k] - conj Z[half - k]:
 * X[k] = s + t, X[half - k] = conj(s - t), t = -i e^(-2 pi i k / n) d.
 */
function splitSpectrum(plan: usize): void {
  const first = workArea(plan)
  let low = first
  let high = first + (halfOf(plan) << 5)
  const re = v128.load(first)
  const im = v128.load(first, 16)
  const zero = f32x4.splat(0)
  const sum = f32x4.add(re, im)
  const difference = f32x4.sub(re, im)
  v128.store(low, f32x4.add(sum, sum))
  v128.store(low, zero, 16)
  v128.store(high, f32x4.add(difference, difference))
  v128.store(high, zero, 16)
  let w = realTwiddles(plan)
  low += 32
  high -= 32
  for (; low <= high; low += 32, high -= 32) {
    w += 8
    const cos = v128.load32_splat(w)
    const sin = v128.load32_splat(w, 4)
    const aRe = v128.load(low)
    const aIm = v128.load(low, 16)
    const bRe = v128.load(high)
    const bIm = v128.load(high, 16)
    const sRe = f32x4.add(aRe, bRe)
    const sIm = f32x4.sub(aIm, bIm)
    const dRe = f32x4.sub(aRe, bRe)
    const dIm = f32x4.add(aIm, bIm)
    const tRe = f32x4.sub(f32x4.mul(cos, dIm), f32x4.mul(sin, dRe))
    const tIm = f32x4.add(f32x4.mul(cos, dRe), f32x4.mul(sin, dIm)) // negated
    v128.store(high, f32x4.sub(sRe, tRe))
    v128.store(high, f32x4.neg(f32x4.add(tIm, sIm)), 16)
    v128.store(low, f32x4.add(sRe, tRe))
    v128.store(low, f32x4.sub(sIm, tIm), 16)
  }
}

function writeSpectra(plan: usize, row0: usize, row1: usize, row2: usize, row3: usize): void {
  const half = halfOf(plan)
  writePart(workArea(plan), half, row0, row1, row2, row3)
  const im = (half + 1) << 2
  writePart(workArea(plan) + 16, half, row0 + im, row1 + im, row2 + im, row3 + im)
}

/** Elements 0..half of one part, 32 bytes apart, into four rows. */
function writePart(part: usize, half: usize, row0: usize, row1: usize, row2: usize, row3: usize): void {
  const end = part + (half << 5)
  for (; part + 96 <= end; part += 128) {
    storeRows(row0, row1, row2, row3, v128.load(part), v128.load(part, 32), v128.load(part, 64), v128.load(part, 96))
    row0 += 16
    row1 += 16
    row2 += 16
    row3 += 16
  }
  for (; part <= end; part += 32) {
    scatter(row0, row1, row2, row3, v128.load(part))
    row0 += 4
    row1 += 4
    row2 += 4
    row3 += 4
  }
}

function writeMagnitudes(plan: usize, row0: usize, row1: usize, row2: usize, row3: usize): void {
  let at = workArea(plan)
  const end = at + (halfOf(plan) << 5)
  for (; at + 96 <= end; at += 128) {
    storeRows(row0, row1, row2, row3, magnitudeAt(at), magnitudeAt(at + 32), magnitudeAt(at + 64), magnitudeAt(at + 96))
    row0 += 16
    row1 += 16
    row2 += 16
    row3 += 16
  }
  for (; at <= end; at += 32) {
    scatter(row0, row1, row2, row3, magnitudeAt(at))
    row0 += 4
    row1 += 4
    row2 += 4
    row3 += 4
  }
}

// @ts-ignore: decorator
@inline
function magnitudeAt(at: usize): v128 {
  const re = v128.load(at)
  const im = v128.load(at, 16)
  return f32x4.sqrt(f32x4.add(f32x4.mul(re, re), f32x4.mul(im, im)))
}
