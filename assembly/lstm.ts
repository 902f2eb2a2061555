// One LSTM layer over time (torch.nn.LSTM): gates i, f, g, o; c = f * c + i * g; h = o * tanh(c).
//
// The input products of all steps are one matrix product before this. The recurrent one, [4H][H] at every step, uses each weight
// once, so memory bounds it: one panel of packed weights streams at a time (H = 512: 46 us; two at a time 59, four 91).

import { madd } from './simd'
import { sigmoid, tanh } from './transcendental'

/**
 * out [steps][H]; gates [steps][4H] = x W_ih^T + b_ih + b_hh; w: W_hh (4H, H) packed (pack.ts);
 * h, c [H]: state before the first step, replaced by the state after the last; scratch [ceil(4H / 16) * 16].
 */
export function lstmF32(
  out: usize,
  gates: usize,
  w: usize,
  h: usize,
  c: usize,
  scratch: usize,
  steps: usize,
  hidden: usize,
): void {
  const pitch = hidden << 2
  const vectorBytes = pitch & ~15
  for (; steps > 0; steps--, gates += pitch << 2, out += pitch) {
    recurrentProduct(scratch, h, w, hidden)
    let at: usize = 0
    for (; at < vectorBytes; at += 16) {
      const i = f32x4.add(v128.load(gates + at), v128.load(scratch + at))
      const f = f32x4.add(v128.load(gates + pitch + at), v128.load(scratch + pitch + at))
      const g = f32x4.add(v128.load(gates + 2 * pitch + at), v128.load(scratch + 2 * pitch + at))
      const o = f32x4.add(v128.load(gates + 3 * pitch + at), v128.load(scratch + 3 * pitch + at))
      const cell = nextCell(i, f, g, v128.load(c + at))
      v128.store(c + at, cell)
      v128.store(h + at, nextState(o, cell))
    }
    for (; at < pitch; at += 4) {
      const i = f32x4.add(v128.load32_zero(gates + at), v128.load32_zero(scratch + at))
      const f = f32x4.add(v128.load32_zero(gates + pitch + at), v128.load32_zero(scratch + pitch + at))
      const g = f32x4.add(
        v128.load32_zero(gates + 2 * pitch + at),
        v128.load32_zero(scratch + 2 * pitch + at),
      )
      const o = f32x4.add(
        v128.load32_zero(gates + 3 * pitch + at),
        v128.load32_zero(scratch + 3 * pitch + at),
      )
      const cell = nextCell(i, f, g, v128.load32_zero(c + at))
      v128.store32_lane(c + at, cell, 0)
      v128.store32_lane(h + at, nextState(o, cell), 0)
    }
    memory.copy(out, h, pitch)
  }
}

function nextCell(i: v128, f: v128, g: v128, c: v128): v128 {
  return madd(sigmoid(f), c, f32x4.mul(sigmoid(i), tanh(g)))
}

function nextState(o: v128, cell: v128): v128 {
  return f32x4.mul(sigmoid(o), tanh(cell))
}

/** products [ceil(4H / 16) * 16] = W_hh h, each in ascending k. */
function recurrentProduct(products: usize, h: usize, w: usize, hidden: usize): void {
  const panelBytes = hidden << 6
  const last = products + (hidden << 4)
  for (; products < last; products += 64) {
    let c0 = f32x4.splat(0)
    let c1 = c0
    let c2 = c0
    let c3 = c0
    let k = h
    const end = w + panelBytes
    do {
      const state = v128.load32_splat(k)
      c0 = madd(state, v128.load(w), c0)
      c1 = madd(state, v128.load(w, 16), c1)
      c2 = madd(state, v128.load(w, 32), c2)
      c3 = madd(state, v128.load(w, 48), c3)
      w += 64
      k += 4
    } while (w < end)
    v128.store(products, c0)
    v128.store(products, c1, 16)
    v128.store(products, c2, 32)
    v128.store(products, c3, 48)
  }
}
