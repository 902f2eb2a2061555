// Mixed-radix complex FFT of four frames at once, and the plan that the real transforms (stft.ts, istft.ts) share.
//
//   lane = frame: element j of the work area is re(j) of frames 0..3, then im(j) of frames 0..3, 32 bytes. No shuffle is needed
//   but where rows are read and written, and a frame's result cannot depend on the frames beside it.
//
//   A real transform of n samples is a complex one of half = n / 2 elements. Elements are written in digit-reversed order and
//   stages run in place (decimation in time), so that 1280 samples x 4 frames take 20 KiB: they stay in L1.
//
// Plan:  half | number of stages | radix of each stage, first to last (i32)
//        order: byte offset in the work area of element j = 0..half, i32 (the last, for the Nyquist bin, lies behind the others)
//        (cos, sin) of 2 pi k / n for k = 0..half/2 | twiddles of the stages, span by span
//        work area: half + 1 elements of 32 bytes

import { madd } from './simd'
import { storeTurn } from './tables'

const STAGES: usize = 4
const RADICES: usize = 8
const ORDER: usize = 136 // 32 stages at most
const SQRT3_2: f32 = 0.86602540378443864676
const COS72: f32 = 0.30901699437494742410
const COS144: f32 = -0.80901699437494742410
const SIN72: f32 = 0.95105651629515357212
const SIN144: f32 = 0.58778525229247312917

// V8 rebuilds v128 immediates in every iteration; splats from memory are cheaper.
const factors3 = memory.data<f32>([-0.5, SQRT3_2])
const factors5 = memory.data<f32>([COS72, COS144, SIN72, SIN144])

/** Bytes of a plan for n samples; 0 if n is odd or has a prime factor other than 2, 3 and 5. */
export function fftPlanBytes(n: usize): usize {
  if (n == 0 || n & 1) return 0
  const half = n >> 1
  let rest = half
  while (rest % 5 == 0) rest /= 5
  while (rest % 3 == 0) rest /= 3
  if (rest & (rest - 1)) return 0
  return workOffset(half) + ((half + 1) << 5)
}

/** Fills a plan (64-byte aligned) for n samples that fftPlanBytes accepts. */
export function fftPlan(plan: usize, n: usize): void {
  const half = n >> 1
  store<u32>(plan, <u32>half)
  let stages: usize = 0
  let rest = half
  for (; rest % 5 == 0; rest /= 5) addStage(plan, stages++, 5)
  for (; rest % 3 == 0; rest /= 3) addStage(plan, stages++, 3)
  for (; rest % 4 == 0; rest /= 4) addStage(plan, stages++, 4)
  if (rest == 2) addStage(plan, stages++, 2)
  store<u32>(plan, <u32>stages, STAGES)

  for (let j: usize = 0; j < half; j++) store<u32>(plan + ORDER + (j << 2), <u32>(position(plan, stages, half, j) << 5))
  store<u32>(plan + ORDER + (half << 2), <u32>(half << 5))
  let table = realTwiddles(plan)
  for (let k: usize = 0; k <= half >> 1; k++, table += 8) storeTurn(table, k, n)
  let span: usize = 1
  for (let stage: usize = 0; stage < stages; stage++) {
    const radix = radixOf(plan, stage)
    for (let j: usize = 1; j < span; j++) {
      for (let q: usize = 1; q < radix; q++, table += 8) storeTurn(table, j * q, radix * span)
    }
    span *= radix
  }
}

/** Where the input element j belongs: its digits, last stage's first, in reverse. */
function position(plan: usize, stages: usize, half: usize, j: usize): usize {
  let at: usize = 0
  let span = half
  for (let stage = stages; stage > 0; stage--) {
    const radix = radixOf(plan, stage - 1)
    span /= radix
    at += (j % radix) * span
    j /= radix
  }
  return at
}

function addStage(plan: usize, stage: usize, radix: u32): void {
  store<u32>(plan + (stage << 2), radix, RADICES)
}

// @ts-ignore: decorator
@inline
function radixOf(plan: usize, stage: usize): usize {
  return load<u32>(plan + (stage << 2), RADICES)
}

/** Address of (cos, sin) of 2 pi k / n, k = 0..half/2. */
// @ts-ignore: decorator
@inline
export function realTwiddles(plan: usize): usize {
  return plan + ORDER + ((<usize>load<u32>(plan) + 1) << 2)
}

// The stages need the sum of (span - 1) * (radix - 1) < half twiddles.
// @ts-ignore: decorator
@inline
function workOffset(half: usize): usize {
  return (ORDER + ((half + 1) << 2) + (((half >> 1) + 1) << 3) + (half << 3) + 63) & ~63
}

/** Number of complex elements: half the samples. */
// @ts-ignore: decorator
@inline
export function halfOf(plan: usize): usize {
  return load<u32>(plan)
}

/** Address of the work area. */
// @ts-ignore: decorator
@inline
export function workArea(plan: usize): usize {
  return plan + workOffset(load<u32>(plan))
}

/** Address of the elements' byte offsets in digit-reversed order, u32. */
// @ts-ignore: decorator
@inline
export function orderTable(plan: usize): usize {
  return plan + ORDER
}

/** Forward transform (e^-i) of the elements in the work area: digit-reversed order in, natural order out. */
export function fftInPlace(plan: usize): void {
  const half: usize = load<u32>(plan)
  const stages: usize = load<u32>(plan, STAGES)
  const x = workArea(plan)
  const end = x + (half << 5)
  let w = realTwiddles(plan) + (((half >> 1) + 1) << 3)
  let span: usize = 1
  for (let stage: usize = 0; stage < stages; stage++) {
    const radix = radixOf(plan, stage)
    if (radix == 4) stage4(x, end, span, w)
    else if (radix == 5) stage5(x, end, span, w)
    else if (radix == 3) stage3(x, end, span, w)
    else stage2(x, end, span, w)
    w += ((span - 1) * (radix - 1)) << 3
    span *= radix
  }
}

// Each stage joins `radix` transforms of `span` elements, `step` bytes apart. Their first elements need no twiddles.

function stage2(x: usize, end: usize, span: usize, w: usize): void {
  const step = span << 5
  const block = step << 1
  for (let at = x; at < end; at += block) butterfly2(at, step, 0, false)
  for (let j: usize = 1; j < span; j++, w += 8) {
    x += 32
    for (let at = x; at < end; at += block) butterfly2(at, step, w, true)
  }
}

function stage3(x: usize, end: usize, span: usize, w: usize): void {
  const step = span << 5
  const block = step * 3
  for (let at = x; at < end; at += block) butterfly3(at, step, 0, false)
  for (let j: usize = 1; j < span; j++, w += 16) {
    x += 32
    for (let at = x; at < end; at += block) butterfly3(at, step, w, true)
  }
}

function stage4(x: usize, end: usize, span: usize, w: usize): void {
  const step = span << 5
  const block = step << 2
  for (let at = x; at < end; at += block) butterfly4(at, step, 0, false)
  for (let j: usize = 1; j < span; j++, w += 24) {
    x += 32
    for (let at = x; at < end; at += block) butterfly4(at, step, w, true)
  }
}

function stage5(x: usize, end: usize, span: usize, w: usize): void {
  const step = span << 5
  const block = step * 5
  for (let at = x; at < end; at += block) butterfly5(at, step, 0, false)
  for (let j: usize = 1; j < span; j++, w += 32) {
    x += 32
    for (let at = x; at < end; at += block) butterfly5(at, step, w, true)
  }
}

/** Real part of (re + i im) * (cos - i sin). */
// @ts-ignore: decorator
@inline
function turnedRe(re: v128, im: v128, cos: v128, sin: v128): v128 {
  return madd(im, sin, f32x4.mul(re, cos))
}

// @ts-ignore: decorator
@inline
function turnedIm(re: v128, im: v128, cos: v128, sin: v128): v128 {
  return f32x4.sub(f32x4.mul(im, cos), f32x4.mul(re, sin))
}

// @ts-ignore: decorator
@inline
function butterfly2(x: usize, step: usize, w: usize, turn: bool): void {
  const y = x + step
  let r1 = v128.load(y)
  let i1 = v128.load(y, 16)
  if (turn) {
    const cos = v128.load32_splat(w)
    const sin = v128.load32_splat(w, 4)
    const turned = turnedRe(r1, i1, cos, sin)
    i1 = turnedIm(r1, i1, cos, sin)
    r1 = turned
  }
  const r0 = v128.load(x)
  const i0 = v128.load(x, 16)
  v128.store(x, f32x4.add(r0, r1))
  v128.store(x, f32x4.add(i0, i1), 16)
  v128.store(y, f32x4.sub(r0, r1))
  v128.store(y, f32x4.sub(i0, i1), 16)
}

// @ts-ignore: decorator
@inline
function butterfly3(x: usize, step: usize, w: usize, turn: bool): void {
  const x1 = x + step
  const x2 = x1 + step
  let r1 = v128.load(x1)
  let i1 = v128.load(x1, 16)
  if (turn) {
    const cos = v128.load32_splat(w)
    const sin = v128.load32_splat(w, 4)
    const turned = turnedRe(r1, i1, cos, sin)
    i1 = turnedIm(r1, i1, cos, sin)
    r1 = turned
  }
  let r2 = v128.load(x2)
  let i2 = v128.load(x2, 16)
  if (turn) {
    const cos = v128.load32_splat(w, 8)
    const sin = v128.load32_splat(w, 12)
    const turned = turnedRe(r2, i2, cos, sin)
    i2 = turnedIm(r2, i2, cos, sin)
    r2 = turned
  }
  const r0 = v128.load(x)
  const i0 = v128.load(x, 16)
  const minusHalf = v128.load32_splat(factors3)
  const sine = v128.load32_splat(factors3, 4)
  const sumR = f32x4.add(r1, r2)
  const sumI = f32x4.add(i1, i2)
  const dR = f32x4.mul(sine, f32x4.sub(r1, r2))
  const dI = f32x4.mul(sine, f32x4.sub(i1, i2))
  const mR = madd(minusHalf, sumR, r0)
  const mI = madd(minusHalf, sumI, i0)
  v128.store(x, f32x4.add(r0, sumR))
  v128.store(x, f32x4.add(i0, sumI), 16)
  v128.store(x1, f32x4.add(mR, dI))
  v128.store(x1, f32x4.sub(mI, dR), 16)
  v128.store(x2, f32x4.sub(mR, dI))
  v128.store(x2, f32x4.add(mI, dR), 16)
}

// @ts-ignore: decorator
@inline
function butterfly4(x: usize, step: usize, w: usize, turn: bool): void {
  const x1 = x + step
  const x2 = x1 + step
  const x3 = x2 + step
  let r2 = v128.load(x2)
  let i2 = v128.load(x2, 16)
  if (turn) {
    const cos = v128.load32_splat(w, 8)
    const sin = v128.load32_splat(w, 12)
    const turned = turnedRe(r2, i2, cos, sin)
    i2 = turnedIm(r2, i2, cos, sin)
    r2 = turned
  }
  const r0 = v128.load(x)
  const i0 = v128.load(x, 16)
  const evenR = f32x4.add(r0, r2)
  const evenI = f32x4.add(i0, i2)
  const evenDR = f32x4.sub(r0, r2)
  const evenDI = f32x4.sub(i0, i2)
  let r1 = v128.load(x1)
  let i1 = v128.load(x1, 16)
  if (turn) {
    const cos = v128.load32_splat(w)
    const sin = v128.load32_splat(w, 4)
    const turned = turnedRe(r1, i1, cos, sin)
    i1 = turnedIm(r1, i1, cos, sin)
    r1 = turned
  }
  let r3 = v128.load(x3)
  let i3 = v128.load(x3, 16)
  if (turn) {
    const cos = v128.load32_splat(w, 16)
    const sin = v128.load32_splat(w, 20)
    const turned = turnedRe(r3, i3, cos, sin)
    i3 = turnedIm(r3, i3, cos, sin)
    r3 = turned
  }
  const oddR = f32x4.add(r1, r3)
  const oddI = f32x4.add(i1, i3)
  const oddDR = f32x4.sub(r1, r3)
  const oddDI = f32x4.sub(i1, i3)
  v128.store(x, f32x4.add(evenR, oddR))
  v128.store(x, f32x4.add(evenI, oddI), 16)
  v128.store(x1, f32x4.add(evenDR, oddDI))
  v128.store(x1, f32x4.sub(evenDI, oddDR), 16)
  v128.store(x2, f32x4.sub(evenR, oddR))
  v128.store(x2, f32x4.sub(evenI, oddI), 16)
  v128.store(x3, f32x4.sub(evenDR, oddDI))
  v128.store(x3, f32x4.add(evenDI, oddDR), 16)
}

// @ts-ignore: decorator
@inline
function butterfly5(x: usize, step: usize, w: usize, turn: bool): void {
  const x1 = x + step
  const x2 = x1 + step
  const x3 = x2 + step
  const x4 = x3 + step
  let r1 = v128.load(x1)
  let i1 = v128.load(x1, 16)
  if (turn) {
    const cos = v128.load32_splat(w)
    const sin = v128.load32_splat(w, 4)
    const turned = turnedRe(r1, i1, cos, sin)
    i1 = turnedIm(r1, i1, cos, sin)
    r1 = turned
  }
  let r4 = v128.load(x4)
  let i4 = v128.load(x4, 16)
  if (turn) {
    const cos = v128.load32_splat(w, 24)
    const sin = v128.load32_splat(w, 28)
    const turned = turnedRe(r4, i4, cos, sin)
    i4 = turnedIm(r4, i4, cos, sin)
    r4 = turned
  }
  const sumR1 = f32x4.add(r1, r4)
  const sumI1 = f32x4.add(i1, i4)
  const dR1 = f32x4.sub(r1, r4)
  const dI1 = f32x4.sub(i1, i4)
  let r2 = v128.load(x2)
  let i2 = v128.load(x2, 16)
  if (turn) {
    const cos = v128.load32_splat(w, 8)
    const sin = v128.load32_splat(w, 12)
    const turned = turnedRe(r2, i2, cos, sin)
    i2 = turnedIm(r2, i2, cos, sin)
    r2 = turned
  }
  let r3 = v128.load(x3)
  let i3 = v128.load(x3, 16)
  if (turn) {
    const cos = v128.load32_splat(w, 16)
    const sin = v128.load32_splat(w, 20)
    const turned = turnedRe(r3, i3, cos, sin)
    i3 = turnedIm(r3, i3, cos, sin)
    r3 = turned
  }
  const sumR2 = f32x4.add(r2, r3)
  const sumI2 = f32x4.add(i2, i3)
  const dR2 = f32x4.sub(r2, r3)
  const dI2 = f32x4.sub(i2, i3)
  const r0 = v128.load(x)
  const i0 = v128.load(x, 16)
  v128.store(x, f32x4.add(r0, f32x4.add(sumR1, sumR2)))
  v128.store(x, f32x4.add(i0, f32x4.add(sumI1, sumI2)), 16)
  const c1 = v128.load32_splat(factors5)
  const c2 = v128.load32_splat(factors5, 4)
  const s1 = v128.load32_splat(factors5, 8)
  const s2 = v128.load32_splat(factors5, 12)
  const mR1 = madd(c2, sumR2, madd(c1, sumR1, r0))
  const nI1 = madd(s2, dI2, f32x4.mul(s1, dI1))
  v128.store(x1, f32x4.add(mR1, nI1))
  v128.store(x4, f32x4.sub(mR1, nI1))
  const mI1 = madd(c2, sumI2, madd(c1, sumI1, i0))
  const nR1 = madd(s2, dR2, f32x4.mul(s1, dR1))
  v128.store(x1, f32x4.sub(mI1, nR1), 16)
  v128.store(x4, f32x4.add(mI1, nR1), 16)
  const mR2 = madd(c1, sumR2, madd(c2, sumR1, r0))
  const nI2 = f32x4.sub(f32x4.mul(s2, dI1), f32x4.mul(s1, dI2))
  v128.store(x2, f32x4.add(mR2, nI2))
  v128.store(x3, f32x4.sub(mR2, nI2))
  const mI2 = madd(c1, sumI2, madd(c2, sumI1, i0))
  const nR2 = f32x4.sub(f32x4.mul(s2, dR1), f32x4.mul(s1, dR2))
  v128.store(x2, f32x4.sub(mI2, nR2), 16)
  v128.store(x3, f32x4.add(mI2, nR2), 16)
}
