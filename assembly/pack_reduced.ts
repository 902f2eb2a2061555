// Weights narrower than f32, in panels of 16 output columns like pack.ts: what a product widens, one panel at a time.
//
//   f16   [K][16] halves             value = half * 2^e, e by column, so that a column's largest weight uses the whole range
//   q8    [K / 2][16][2] bytes       value = byte * scale, scale by column; pairs of k lie together for i32x4.dot_i16x8_s
//   q12   [K / 2][16][2] int16       the same with 12 bits, sign included
//
//   source element (n, tap, channel) lies at n * strideN + tap * strideTap + channel * strideChannel; k = tap * channels + channel

const PANEL: usize = 16

/** Halves have 5 exponent bits: the largest weight of a column is brought to 2^14 .. 2^15. */
const TOP_EXPONENT: i32 = 14
/** Widening moves a half's bits into an f32 unchanged, which divides it by 2^112 (assembly/matmul_f16.ts). */
const EXPONENT_GAP: i32 = 112
/** Columns of weights below 2^-86 stay below the top: their factor could not be represented. */
const LEAST_EXPONENT: i32 = -100

/** Columns below this count as zeros: their scale could not be divided by. */
const LEAST_PEAK: f32 = 1e-30

/** packed [ceil(n / 16)][K][16] halves; factors [ceil(n / 16) * 16]: f32 = (half's bits, shifted into place) * factor. */
export function packWeightsF16(
  packed: usize,
  factors: usize,
  source: usize,
  n: usize,
  taps: usize,
  channels: usize,
  strideN: usize,
  strideTap: usize,
  strideChannel: usize,
): void {
  const panelBytes = taps * channels * PANEL * 2
  memory.fill(packed, 0, ((n + PANEL - 1) / PANEL) * panelBytes)
  for (let column: usize = 0; column < n; column++) {
    const from = source + ((column * strideN) << 2)
    const exponent = exponentOf(columnPeak(from, taps, channels, strideTap, strideChannel))
    const scale = powerOfTwo(-exponent)
    store<f32>(factors + (column << 2), powerOfTwo(exponent + EXPONENT_GAP))
    let to = packed + (column / PANEL) * panelBytes + (column % PANEL) * 2
    for (let tap: usize = 0; tap < taps; tap++) {
      let element = from + ((tap * strideTap) << 2)
      for (let channel: usize = 0; channel < channels; channel++) {
        store<u16>(to, halfOf(load<f32>(element) * scale))
        element += strideChannel << 2
        to += PANEL * 2
      }
    }
  }
}

/**
 * packed [ceil(n / 16)][ceil(K / 2)][16][2] integers of `size` bytes, the largest of each column +-limit; scales
 * [ceil(n / 16) * 16], of which n are written. Returns the largest sum of |integer| over a column: what bounds the sums of products.
 */
export function packWeightsInteger(
  packed: usize,
  scales: usize,
  source: usize,
  n: usize,
  taps: usize,
  channels: usize,
  strideN: usize,
  strideTap: usize,
  strideChannel: usize,
  limit: f32,
  size: usize,
): u32 {
  const pairBytes = PANEL * 2 * size
  const panelBytes = ((taps * channels + 1) >> 1) * pairBytes
  memory.fill(packed, 0, ((n + PANEL - 1) / PANEL) * panelBytes)
  let largest: u32 = 0
  for (let column: usize = 0; column < n; column++) {
    const from = source + ((column * strideN) << 2)
    const peak = columnPeak(from, taps, channels, strideTap, strideChannel)
    const scale: f32 = peak < LEAST_PEAK ? 0 : peak / limit
    store<f32>(scales + (column << 2), scale)
    const panel = packed + (column / PANEL) * panelBytes + (column % PANEL) * 2 * size
    let sum: u32 = 0
    let k: usize = 0
    for (let tap: usize = 0; tap < taps; tap++) {
      let element = from + ((tap * strideTap) << 2)
      for (let channel: usize = 0; channel < channels; channel++, k++) {
        const value = scale > 0 ? <i32>nearest(load<f32>(element) / scale) : 0
        const to = panel + (k >> 1) * pairBytes + (k & 1) * size
        if (size == 1) store<i8>(to, value)
        else store<i16>(to, value)
        sum += <u32>abs(value)
        element += strideChannel << 2
      }
    }
    largest = max(largest, sum)
  }
  return largest
}

function columnPeak(from: usize, taps: usize, channels: usize, strideTap: usize, strideChannel: usize): f32 {
  let peak: f32 = 0
  for (let tap: usize = 0; tap < taps; tap++) {
    let element = from + ((tap * strideTap) << 2)
    for (let channel: usize = 0; channel < channels; channel++) {
      peak = max(peak, abs(load<f32>(element)))
      element += strideChannel << 2
    }
  }
  return peak
}

/** e with 2^TOP_EXPONENT <= peak / 2^e < 2 * 2^TOP_EXPONENT. */
function exponentOf(peak: f32): i32 {
  const exponent = <i32>(reinterpret<u32>(peak) >> 23) - 127
  return max(exponent - TOP_EXPONENT, LEAST_EXPONENT)
}

function powerOfTwo(exponent: i32): f32 {
  return reinterpret<f32>((exponent + 127) << 23)
}

/** The nearest half (ties to even) of a value below 2^16. */
function halfOf(value: f32): u32 {
  const bits = reinterpret<u32>(value)
  const sign = (bits >> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude < 0x38800000) return sign | <u32>nearest(abs(value) * 16777216) // below 2^-14: steps of 2^-24
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13)
}
