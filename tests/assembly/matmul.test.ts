import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Activation } from '../../bindings/kernels.js'
import { identical, near } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { random, randomArray } from '../support/random.js'
import { cases, vectors } from '../support/vectors.js'

const test = suite('assembly/matmul')
const { kernels, heap, region } = await freshCore()
const expected = vectors('kernels.safetensors')

interface Problem {
  a: Float32Array
  w: Float32Array // [columns][k]
  bias: Float32Array
  rows: number
  k: number
  columns: number
  aPitch?: number
  outPitch?: number
  residual?: Float32Array // like the output, gaps included
  inPlace?: boolean // the residual is the output
  activation?: Activation
  blockRows?: number
  blockColumns?: number // a multiple of 16
}

const GAP = 7 // what elements between the output rows hold before and after

/** The output rows with the gaps between them, computed in blocks of rows and columns. */
function matmul(problem: Problem): Float32Array {
  const { a, w, bias, rows, k, columns, aPitch = k, outPitch = columns, residual, inPlace = false } = problem
  const {
    activation = Activation.none,
    blockRows = rows,
    blockColumns = Math.ceil(columns / 16) * 16,
  } = problem
  const padded = Math.ceil(columns / 16) * 16
  const [input, packed, biases] = [region.copy(a), region.alloc(padded * k), region.alloc(padded)]
  heap.f32(biases, padded).fill(0).set(bias)
  kernels.packWeights(packed, region.copy(w), columns, 1, k, k, 0, 1)
  const length = rows * outPitch
  const out = region.copy(inPlace && residual ? residual : new Float32Array(length).fill(GAP))
  const added = residual ? (inPlace ? out : region.copy(residual)) : 0
  for (let row = 0; row < rows; row += blockRows) {
    for (let column = 0; column < columns; column += blockColumns) {
      const at = (row * outPitch + column) * 4
      const [height, width] = [Math.min(blockRows, rows - row), Math.min(blockColumns, columns - column)]
      const [aAt, wAt] = [input + row * aPitch * 4, packed + column * k * 4]
      const residualAt = added && added + at
      // biome-ignore format: the call reads as the kernel's signature
      kernels.matmulF32(out + at, outPitch, aAt, aPitch, wAt, biases + column * 4, residualAt, height, k, width, activation)
    }
  }
  const result = heap.f32(out, length).slice()
  region.free()
  return result
}

const activations = {
  [Activation.none]: (x: number) => x,
  [Activation.elu]: (x: number) => (x > 0 ? x : Math.expm1(x)),
  [Activation.silu]: (x: number) => x / (1 + Math.exp(-x)),
}

/** The same in f64. Gaps between output rows are GAP, or the residual's where the output is the residual. */
function exact(problem: Problem): number[] {
  const { a, w, bias, rows, k, columns, aPitch = k, outPitch = columns, residual, inPlace } = problem
  const activate = activations[(problem.activation ?? 0) as keyof typeof activations]
  return Array.from({ length: rows * outPitch }, (_, i) => {
    const [row, column] = [Math.floor(i / outPitch), i % outPitch]
    if (column >= columns) return inPlace && residual ? residual[i] : GAP
    let sum = bias[column]
    for (let j = 0; j < k; j++) sum += a[row * aPitch + j] * w[column * k + j]
    return activate(residual ? sum + residual[i] : sum)
  })
}

function randomProblem(rows: number, k: number, columns: number, aPitch = k): Problem {
  return {
    a: randomArray((rows - 1) * aPitch + k, rows),
    w: randomArray(columns * k, k, 2 / Math.sqrt(k)),
    bias: randomArray(columns, columns),
    rows,
    k,
    columns,
    aPitch,
  }
}

function check(problem: Problem, what: string): void {
  near(matmul(problem), exact(problem), 2e-6, `${problem.rows} x ${problem.k} x ${problem.columns} ${what}`)
}

test('equals the f64 sum for every tail of rows, columns and k', () => {
  for (const rows of [1, 2, 3, 5, 17]) {
    for (const k of [1, 2, 3, 5, 17, 33]) {
      for (const columns of [1, 3, 5, 15, 16, 17, 33]) check(randomProblem(rows, k, columns), '')
    }
  }
})

test('every tail of columns, with a residual, leaves the gaps between rows alone', () => {
  for (let columns = 1; columns <= 33; columns++) {
    for (const rows of [1, 2, 3]) {
      const problem = { ...randomProblem(rows, 5, columns), outPitch: columns + 3 }
      check(problem, 'with gaps')
      const residual = randomArray(rows * (columns + 3), 9)
      check({ ...problem, residual }, 'with gaps and a residual')
      check({ ...problem, residual, inPlace: true }, 'with gaps, over its residual')
    }
  }
})

test('activations follow the residual', () => {
  for (const activation of [Activation.elu, Activation.silu]) {
    for (const columns of [3, 16, 21]) {
      const problem = { ...randomProblem(5, 17, columns), activation, outPitch: columns + 2 }
      check(problem, `activation ${activation}`)
      check(
        { ...problem, residual: randomArray(5 * (columns + 2), 10) },
        `activation ${activation} over a residual`,
      )
    }
  }
})

test('input rows may overlap or lie apart: a strided convolution is a product', () => {
  for (const aPitch of [1, 2, 6, 15, 20]) check(randomProblem(17, 15, 19, aPitch), `pitch ${aPitch}`)
})

test('blocks of rows and columns give the same bits', () => {
  const next = random(11)
  const size = (most: number) => 1 + Math.floor(((next() + 1) / 2) * most)
  for (let trial = 0; trial < 20; trial++) {
    const [rows, k, columns] = [size(20), size(70), size(70)]
    const residual = trial % 2 ? randomArray(rows * columns, trial) : undefined
    const problem = { ...randomProblem(rows, k, columns), residual, activation: Activation.gelu }
    const whole = matmul(problem)
    for (const blockRows of [1, 2, 3, 7, rows]) {
      for (const blockColumns of [16, 32, 48]) {
        const what = `${rows} x ${k} x ${columns} in blocks of ${blockRows} x ${blockColumns}`
        identical(matmul({ ...problem, blockRows, blockColumns }), whole, what)
        if (residual)
          identical(
            matmul({ ...problem, blockRows, blockColumns, inPlace: true }),
            whole,
            `${what}, in place`,
          )
      }
    }
  }
})

test('adds bias, then products in ascending k, then the residual, each rounded to f32', () => {
  const problem = { ...randomProblem(3, 33, 17), residual: randomArray(51, 12) }
  const { a, w, bias, residual, k, columns } = problem
  const inOrder = residual.map((value, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns]
    let sum = bias[column]
    for (let j = 0; j < k; j++) sum = Math.fround(sum + Math.fround(a[row * k + j] * w[column * k + j]))
    return Math.fround(sum + value)
  })
  identical(matmul(problem), inOrder)
})

test('agrees with PyTorch linear layers', () => {
  const kinds = cases('kernels.safetensors', 'linear')
  assert.ok(kinds.length > 0)
  for (const { name, about } of kinds) {
    const [a, w, bias, y] = ['x', 'w', 'b', 'y'].map(tensor => expected.get(`${name}.${tensor}`)!.data)
    const activation = Activation[about.activation as unknown as keyof typeof Activation]
    const residual = expected.get(`${name}.residual`)?.data
    const { T: rows, K: k, N: columns } = about
    near(matmul({ a, w, bias, rows, k, columns, residual, activation }), y, 1e-6, name)
  }
})

test.run()
