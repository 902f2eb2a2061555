// Inverse short-time Fourier transform: rows of spectra -> windowed frames, whose overlap-add is divided by that of their windows.
//
//   spectra: rows of re[bins], im[bins] (or log magnitude[bins], phase[bins], turned into these)      bins = nFft / 2 + 1
//   frames:  rows of nFft samples, window applied
//   samples: |----frame 0----|
//              hop |----frame 1----|        each sample is the sum of its frames in ascending order, whatever the chunking

import { fftInPlace, halfOf, orderTable, realTwiddles, workArea } from './fft'
import { gather, lower, lowerPairs, scatter, storeRows, upper, upperPairs } from './lanes'
import { loadPartial, storePartial } from './simd'
import { cos, exp, sin } from './transcendental'

/** In place, rows of (log magnitude m, phase p) [2 * bins] -> rows of (re, im): min(exp(m), limit) * (cos p + i sin p). */
export function polarF32(spectra: usize, rows: usize, bins: usize, limit: f32): void {
  const most = f32x4.splat(limit)
  const imBytes = bins << 2
  for (let row: usize = 0; row < rows; row++, spectra += imBytes << 1) {
    let at = spectra
    const end = at + imBytes
    for (; at + 16 <= end; at += 16) {
      const magnitude = limitedExp(v128.load(at), most)
      const phase = v128.load(at + imBytes)
      v128.store(at, f32x4.mul(magnitude, cos(phase)))
      v128.store(at + imBytes, f32x4.mul(magnitude, sin(phase)))
    }
    if (at < end) {
      const rest = (end - at) >> 2
      const magnitude = limitedExp(loadPartial(at, rest), most)
      const phase = loadPartial(at + imBytes, rest)
      storePartial(at, f32x4.mul(magnitude, cos(phase)), rest)
      storePartial(at + imBytes, f32x4.mul(magnitude, sin(phase)), rest)
    }
  }
}

// @ts-ignore: decorator
@inline
function limitedExp(x: v128, limit: v128): v128 {
  const e = exp(x)
  return v128.bitselect(limit, e, f32x4.gt(e, limit))
}

/**
 * frames[rows][nFft] = window * inverse real transform of spectra[rows][2 * bins] (re, im), four rows at a time.
 * window: [nFft], the synthesis window times 1 / nFft. Imaginary parts of the first and last bin are ignored, as torch.fft.irfft does.
 */
export function irfftF32(frames: usize, spectra: usize, window: usize, rows: usize, plan: usize): void {
  const half = halfOf(plan)
  const frameBytes = half << 3
  const spectrumBytes = (half + 1) << 3
  for (let row: usize = 0; row < rows; row += 4) {
    const last = rows - row - 1
    const i1 = min<usize>(1, last)
    const i2 = min<usize>(2, last)
    const i3 = min<usize>(3, last)
    readSpectra(plan, spectra, spectra + i1 * spectrumBytes, spectra + i2 * spectrumBytes, spectra + i3 * spectrumBytes)
    joinSpectrum(plan)
    fftInPlace(plan)
    writeFrames(plan, window, frames, frames + i1 * frameBytes, frames + i2 * frameBytes, frames + i3 * frameBytes)
    spectra += spectrumBytes << 2
    frames += frameBytes << 2
  }
}

function readSpectra(plan: usize, row0: usize, row1: usize, row2: usize, row3: usize): void {
  const half = halfOf(plan)
  const im = (half + 1) << 2
  readPart(plan, workArea(plan), row0, row1, row2, row3)
  readPart(plan, workArea(plan) + 16, row0 + im, row1 + im, row2 + im, row3 + im)
}

/** Bins 0..half of one part of four rows, into digit-reversed order. */
function readPart(plan: usize, part: usize, row0: usize, row1: usize, row2: usize, row3: usize): void {
  let order = orderTable(plan)
  const end = order + (halfOf(plan) << 2)
  for (; order + 12 <= end; order += 16) {
    const x0 = v128.load(row0)
    const x1 = v128.load(row1)
    const x2 = v128.load(row2)
    const x3 = v128.load(row3)
    const low01 = lower(x0, x1)
    const low23 = lower(x2, x3)
    v128.store(part + <usize>load<u32>(order), lowerPairs(low01, low23))
    v128.store(part + <usize>load<u32>(order, 4), upperPairs(low01, low23))
    const high01 = upper(x0, x1)
    const high23 = upper(x2, x3)
    v128.store(part + <usize>load<u32>(order, 8), lowerPairs(high01, high23))
    v128.store(part + <usize>load<u32>(order, 12), upperPairs(high01, high23))
    row0 += 16
    row1 += 16
    row2 += 16
    row3 += 16
  }
  for (; order <= end; order += 4) {
    v128.store(part + <usize>load<u32>(order), gather(row0, row1, row2, row3))
    row0 += 4
    row1 += 4
    row2 += 4
    row3 += 4
  }
}

/**
 * Elements Z whose inverse transform is x[2j] + i x[2j + 1], in place from bins X, with real and imaginary part exchanged: a
 * forward transform of that is the inverse transform, exchanged again. With s = X[k] + conj X[half - k] and
 * o = e^(2 pi i k / n) (X[k] - conj X[half - k]): Z[k] = s + i o, Z[half - k] = conj s + i conj o.
 */
function joinSpectrum(plan: usize): void {
  const work = workArea(plan)
  let low = orderTable(plan)
  let high = low + (halfOf(plan) << 2)
  const first = v128.load(work)
  const nyquist = v128.load(work + <usize>load<u32>(high))
  v128.store(work, f32x4.sub(first, nyquist))
  v128.store(work, f32x4.add(first, nyquist), 16)
  let w = realTwiddles(plan)
  low += 4
  high -= 4
  for (; low <= high; low += 4, high -= 4) {
    w += 8
    const cos = v128.load32_splat(w)
    const sin = v128.load32_splat(w, 4)
    const a = work + <usize>load<u32>(low)
    const b = work + <usize>load<u32>(high)
    const aRe = v128.load(a)
    const aIm = v128.load(a, 16)
    const bRe = v128.load(b)
    const bIm = v128.load(b, 16)
    const sRe = f32x4.add(aRe, bRe)
    const sIm = f32x4.sub(aIm, bIm)
    const dRe = f32x4.sub(aRe, bRe)
    const dIm = f32x4.add(aIm, bIm)
    const oRe = f32x4.sub(f32x4.mul(dRe, cos), f32x4.mul(dIm, sin))
    const oIm = f32x4.add(f32x4.mul(dRe, sin), f32x4.mul(dIm, cos))
    v128.store(b, f32x4.sub(oRe, sIm))
    v128.store(b, f32x4.add(sRe, oIm), 16)
    v128.store(a, f32x4.add(sIm, oRe))
    v128.store(a, f32x4.sub(sRe, oIm), 16)
  }
}

/** Samples 2j (imaginary part: still exchanged) and 2j + 1 (real part), times the window. */
function writeFrames(plan: usize, window: usize, row0: usize, row1: usize, row2: usize, row3: usize): void {
  let at = workArea(plan)
  const half = halfOf(plan)
  const end = at + ((half & ~1) << 5)
  for (; at < end; at += 64) {
    const w0 = v128.load32_splat(window)
    const w1 = v128.load32_splat(window, 4)
    const w2 = v128.load32_splat(window, 8)
    const w3 = v128.load32_splat(window, 12)
    storeRows(
      row0,
      row1,
      row2,
      row3,
      f32x4.mul(w0, v128.load(at, 16)),
      f32x4.mul(w1, v128.load(at)),
      f32x4.mul(w2, v128.load(at, 48)),
      f32x4.mul(w3, v128.load(at, 32)),
    )
    window += 16
    row0 += 16
    row1 += 16
    row2 += 16
    row3 += 16
  }
  if (half & 1) {
    scatter(row0, row1, row2, row3, f32x4.mul(v128.load32_splat(window), v128.load(at, 16)))
    scatter(row0 + 4, row1 + 4, row2 + 4, row3 + 4, f32x4.mul(v128.load32_splat(window, 4), v128.load(at)))
  }
}

/**
 * out[hop] = 1 / sum over k = first..last of window[k * hop + i]^2: the overlap-add of the squared window in one hop-long segment,
 * where frames that started `first` to `last` hops earlier overlap. 0 where nothing overlaps.
 */
export function inverseEnvelopeF32(out: usize, window: usize, nFft: usize, hop: usize, first: usize, last: usize): void {
  for (let i: usize = 0; i < hop; i++) {
    let sum: f64 = 0
    for (let k = first; k <= last; k++) {
      const at = k * hop + i
      const w: f64 = at < nFft ? load<f32>(window + (at << 2)) : 0
      sum += w * w
    }
    store<f32>(out + (i << 2), sum > 1e-11 ? <f32>(1 / sum) : 0)
  }
}

/** out = a * b. */
export function multiplyF32(out: usize, a: usize, b: usize, length: usize): void {
  const end = a + (length << 2)
  for (; a + 16 <= end; a += 16, b += 16, out += 16) v128.store(out, f32x4.mul(v128.load(a), v128.load(b)))
  for (; a < end; a += 4, b += 4, out += 4) store<f32>(out, load<f32>(a) * load<f32>(b))
}
