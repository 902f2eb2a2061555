// The logistic function and its inverse in integers. The table comes from 64-bit fixed-point arithmetic, so it has the same entries on
// every engine; Math.exp and Math.log may differ in their last bit.

/** Log odds run from -12 to 12 in steps of 1/256. */
const LIMIT = 12 * 256 - 1

const FRACTION = 64n
const ONE = 1n << FRACTION

/** 65536 / (1 + e^(-x / 256)) for x from -LIMIT to LIMIT, kept within 1 to 65535. */
const SQUASH = /* @__PURE__ */ makeSquash()
/** Log odds of every probability / 65536. */
const STRETCH = /* @__PURE__ */ makeStretch()

/** Probability (of 65536) of log odds x / 256; any integer is accepted. */
export function squash(x: number): number {
  return SQUASH[Math.max(-LIMIT, Math.min(LIMIT, x)) + LIMIT]
}

/** Log odds * 256 of a probability of 65536, from 0 to 65535. */
export function stretch(probability: number): number {
  return STRETCH[probability]
}

function makeSquash(): Uint16Array {
  const table = new Uint16Array(2 * LIMIT + 1)
  const step = exponential(ONE / 256n)
  let power = ONE // e^(x / 256)
  for (let x = 0; x <= LIMIT; x++) {
    const probability = Number((65536n * power) / (power + ONE))
    table[LIMIT + x] = Math.min(65535, probability)
    table[LIMIT - x] = Math.max(1, 65536 - probability)
    power = (power * step) >> FRACTION
  }
  return table
}

/** e^x by its power series, fixed point. */
function exponential(x: bigint): bigint {
  let sum = ONE
  let term = ONE
  for (let n = 1n; term > 0n; n++) {
    term = (term * x) / (n << FRACTION)
    sum += term
  }
  return sum
}

function makeStretch(): Int16Array {
  const table = new Int16Array(65536)
  let x = -LIMIT
  for (let probability = 0; probability < 65536; probability++) {
    while (x < LIMIT && SQUASH[x + LIMIT] < probability) x++
    table[probability] = x
  }
  return table
}
