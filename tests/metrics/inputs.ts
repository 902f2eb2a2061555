// Inputs that tests/vectors/metrics/make_metrics.py makes by the same formulas, and what it found.
import { readFileSync } from 'node:fs'

const here = new URL('../', import.meta.url)

export const expected = JSON.parse(readFileSync(new URL('vectors/metrics/expected.json', here), 'utf8'))

/** First channel of a 16-bit fixture with the plain 44-byte header. */
export function fixture(name: string): Float64Array {
  const bytes = readFileSync(new URL(`fixtures/${name}.wav`, here))
  const channels = bytes.readUInt16LE(22)
  const count = (bytes.length - 44) / (2 * channels)
  return Float64Array.from({ length: count }, (_, i) => bytes.readInt16LE(44 + 2 * channels * i) / 32768)
}

/** Six bits, a late copy, an offset. */
export function degrade(x: Float64Array): Float32Array {
  return Float32Array.from(
    x,
    (value, t) => (0.8 * Math.floor(64 * value)) / 64 + 0.1 * (x[t - 5] ?? 0) + 0.01,
  )
}

export function uniform(count: number, seed: number): Float64Array {
  let state = seed
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  })
}

export function seededCodes(count: number, size: number, seed: number): number[] {
  const u = uniform(2 * count, seed)
  const codes: number[] = []
  for (let t = 0; t < count; t++) {
    const repeats = t > 0 && u[2 * t] < 0.3
    codes.push(repeats ? codes[t - 1] : Math.floor(size * u[2 * t + 1] * u[2 * t + 1]))
  }
  return codes
}

/** For `assert.throws`: an error of this kind whose message matches. */
export function failure(kind: abstract new (...parts: never[]) => Error, message = /./) {
  return (error: unknown) => error instanceof kind && message.test(error.message)
}
