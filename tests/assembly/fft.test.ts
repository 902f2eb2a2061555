import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { identical, maxError } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { randomArray } from '../support/random.js'
import { dft, inverseDft } from '../support/spectra.js'
import { cases, vectors } from '../support/vectors.js'

const test = suite('assembly/fft')
const { kernels, heap, region } = await freshCore()
const SIZES = [2, 4, 6, 8, 10, 12, 18, 20, 30, 50, 54, 64, 90, 400, 1280, 2400]

function plan(n: number): number {
  const pointer = region.alloc(kernels.fftPlanBytes(n) / 4)
  kernels.fftPlan(pointer, n)
  return pointer
}

function constant(length: number, value: number): number {
  return region.copy(new Float32Array(length).fill(value))
}

function forward(x: Float32Array, n: number, at = plan(n)): Float32Array {
  const rows = x.length / n
  const out = region.alloc(rows * (n + 2))
  kernels.stftF32(out, region.copy(x), constant(n, 0.5), rows, n, at, false)
  return heap.f32(out, rows * (n + 2)).slice()
}

function inverse(spectra: Float32Array, n: number, at = plan(n)): Float32Array {
  const rows = spectra.length / (n + 2)
  const out = region.alloc(rows * n)
  kernels.irfftF32(out, region.copy(spectra), constant(n, 1 / n), rows, at)
  return heap.f32(out, rows * n).slice()
}

test('plans are made for even sizes with factors 2, 3 and 5 alone', () => {
  for (const n of [...SIZES, 1024, 2048, 1920, 65536]) assert.ok(kernels.fftPlanBytes(n) > 0, `${n}`)
  for (const n of [0, 1, 3, 15, 14, 22, 26, 1281, 1282, 2 * 7 * 5, 2 * 49])
    assert.is(kernels.fftPlanBytes(n), 0, `${n}`)
})

test('a plan stays inside the bytes it asked for', () => {
  for (const n of [...SIZES, 2048]) {
    const bytes = kernels.fftPlanBytes(n)
    const guarded = region.alloc(bytes / 4 + 16)
    heap.f32(guarded, bytes / 4 + 16).fill(7)
    kernels.fftPlan(guarded, n)
    inverse(forward(randomArray(5 * n, n), n, guarded), n, guarded)
    assert.equal([...heap.f32(guarded + bytes, 16)], new Array(16).fill(7), `${n}`)
  }
})

test('forward transforms agree with the definition in f64', () => {
  for (const n of SIZES) {
    const x = randomArray(7 * n, n)
    const error = maxError(forward(x, n), dft(x, n))
    assert.ok(error < 5e-7 * Math.sqrt(n), `n = ${n}: ${error}`)
  }
})

test('inverse transforms agree with the definition in f64 and ignore the imaginary ends', () => {
  for (const n of SIZES) {
    const spectra = randomArray(5 * (n + 2), n + 1, Math.sqrt(n))
    const error = maxError(inverse(spectra, n), inverseDft(spectra, n))
    assert.ok(error < 2e-6, `n = ${n}: ${error}`)
  }
})

test('the inverse of the forward transform is the signal', () => {
  for (const n of SIZES) {
    const x = randomArray(7 * n, 3 * n)
    const error = maxError(inverse(forward(x, n), n), x)
    assert.ok(error < 7e-7, `n = ${n}: ${error}`)
  }
})

test('a frame is the same bit for bit whichever frames share the call', () => {
  for (const n of SIZES) {
    const x = randomArray(7 * n, 5 * n)
    const all = forward(x, n)
    const back = inverse(all, n)
    for (const rows of [1, 2, 3, 4, 5]) {
      identical(
        forward(x.subarray(n, (1 + rows) * n), n),
        all.subarray(n + 2, (1 + rows) * (n + 2)),
        `rfft ${n}`,
      )
      identical(
        inverse(all.subarray(n + 2, (1 + rows) * (n + 2)), n),
        back.subarray(n, (1 + rows) * n),
        `irfft ${n}`,
      )
    }
  }
})

test('rows are written and nothing behind them', () => {
  for (const [n, rows] of [
    [10, 3],
    [12, 5],
    [64, 1],
  ]) {
    const bins = n / 2 + 1
    for (const magnitude of [false, true]) {
      const length = rows * bins * (magnitude ? 1 : 2)
      const out = constant(length + 8, 7)
      kernels.stftF32(
        out,
        region.copy(randomArray(rows * n, 1)),
        constant(n, 0.5),
        rows,
        n,
        plan(n),
        magnitude,
      )
      assert.equal([...heap.f32(out + length * 4, 8)], new Array(8).fill(7))
    }
    const out = constant(rows * n + 8, 7)
    kernels.irfftF32(out, region.copy(randomArray(rows * 2 * bins, 1)), constant(n, 1), rows, plan(n))
    assert.equal([...heap.f32(out + rows * n * 4, 8)], new Array(8).fill(7))
  }
})

test('PyTorch: torch.fft.rfft and irfft', () => {
  const tensors = vectors('kernels.safetensors')
  const data = (name: string) => tensors.get(name)!.data
  const rows = (name: string, frames: number, bins: number) => {
    const out = new Float32Array(frames * 2 * bins)
    for (let row = 0; row < frames; row++) {
      out.set(data(`${name}.re`).subarray(row * bins, (row + 1) * bins), row * 2 * bins)
      out.set(data(`${name}.im`).subarray(row * bins, (row + 1) * bins), row * 2 * bins + bins)
    }
    return out
  }
  for (const { name, about } of cases('kernels.safetensors', 'rfft_')) {
    const error = maxError(forward(data(`${name}.x`), about.n), rows(name, about.F, about.n / 2 + 1))
    assert.ok(error < 1e-6 * Math.sqrt(about.n), `${name}: ${error}`)
  }
  for (const { name, about } of cases('kernels.safetensors', 'irfft_')) {
    const error = maxError(inverse(rows(name, about.F, about.n / 2 + 1), about.n), data(`${name}.y`))
    assert.ok(error < 1e-6, `${name}: ${error}`)
  }
})

test.run()
