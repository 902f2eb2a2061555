// Multinomial logistic regression with an L2 penalty: the objective of scikit-learn's LogisticRegression, minimised by Newton's method with
// conjugate gradients (the Hessian is never formed: there are as many weights as codes).
import { ConfigError } from '../../errors.js'
import { dot } from '../signals.js'

/** A vector by its entries that are not 0. */
export interface SparseRow {
  readonly index: ArrayLike<number>
  readonly value: ArrayLike<number>
}

/** Settings of {@link logisticRegression}, named as scikit-learn names them. */
export interface LogisticOptions {
  /** Inverse strength of the penalty (default 1). */
  C?: number
  /** Every class weighs the same, however many rows it has (default false). */
  balanced?: boolean
}

/** A fitted model. */
export interface LogisticModel {
  /** [class][feature]; they add to 0 over classes. With two, scikit-learn's coef_ is that of the second less that of the first. */
  readonly weights: readonly Float64Array[]
  /** [class], add to 0 */
  readonly intercepts: Float64Array
  /** Most probable class of a row. */
  predict(row: SparseRow): number
}

const MOST_STEPS = 100
/** Gradient norm, of a loss that is a sum over rows. */
const TOLERANCE = 1e-8
const ARMIJO = 1e-4
const SMALLEST_STEP = 2 ** -40

/**
 * Minimises C * sum of weighted cross entropies + |weights|^2 / 2; intercepts go without penalty.
 *
 * @param rows, labels one each; labels are classes from 0
 * @throws ConfigError where a class has no rows
 */
export function logisticRegression(
  rows: readonly SparseRow[],
  labels: ArrayLike<number>,
  features: number,
  classes: number,
  { C = 1, balanced = false }: LogisticOptions = {},
): LogisticModel {
  const counts = new Float64Array(classes)
  for (let i = 0; i < labels.length; i++) counts[labels[i]]++
  if (counts.includes(0) || rows.length !== labels.length)
    throw new ConfigError(
      `${rows.length} rows of classes with ${counts.join(', ')}; every class needs one at least`,
    )
  // Two symmetric columns of weights share the penalty that scikit-learn's one column bears alone.
  const strength = classes === 2 ? C / 2 : C
  const rowWeights = Float64Array.from(labels, label =>
    balanced ? (strength * rows.length) / (classes * counts[label]) : strength,
  )
  const problem = new Problem(rows, labels, rowWeights, features, classes)
  const parameters = minimum(problem)
  const weights = Array.from({ length: classes }, (_, k) =>
    parameters.subarray(k * problem.stride, k * problem.stride + features),
  )
  const intercepts = Float64Array.from(weights, (_, k) => parameters[k * problem.stride + features])
  return {
    weights,
    intercepts,
    predict: ({ index, value }) => {
      const scores = weights.map((column, k) => {
        let score = intercepts[k]
        for (let i = 0; i < index.length; i++) score += column[index[i]] * value[i]
        return score
      })
      return scores.indexOf(Math.max(...scores))
    },
  }
}

/** Loss, gradient and products with the Hessian. Parameters: [class][feature ..., intercept]. */
class Problem {
  readonly stride: number
  readonly size: number
  readonly #probabilities: Float64Array // [rows, classes], of the last `evaluate`

  constructor(
    readonly rows: readonly SparseRow[],
    readonly labels: ArrayLike<number>,
    readonly rowWeights: Float64Array,
    readonly features: number,
    readonly classes: number,
  ) {
    this.stride = features + 1
    this.size = classes * this.stride
    this.#probabilities = new Float64Array(rows.length * classes)
  }

  evaluate(parameters: Float64Array): { loss: number; gradient: Float64Array } {
    const gradient = this.#penalty(parameters)
    let loss = dot(gradient, parameters) / 2
    this.rows.forEach((row, i) => {
      const scores = this.#scores(row, parameters)
      const most = Math.max(...scores)
      const exponentials = scores.map(score => Math.exp(score - most))
      const sum = exponentials.reduce((a, b) => a + b, 0)
      loss += this.rowWeights[i] * (most + Math.log(sum) - scores[this.labels[i]])
      for (let k = 0; k < this.classes; k++) {
        const probability = exponentials[k] / sum
        this.#probabilities[i * this.classes + k] = probability
        this.#add(gradient, row, k, this.rowWeights[i] * (probability - (k === this.labels[i] ? 1 : 0)))
      }
    })
    return { loss, gradient }
  }

  /** Of the parameters last evaluated. */
  hessianTimes(direction: Float64Array): Float64Array {
    const product = this.#penalty(direction)
    this.rows.forEach((row, i) => {
      const changes = this.#scores(row, direction)
      const p = this.#probabilities.subarray(i * this.classes, (i + 1) * this.classes)
      const mean = dot(p, changes)
      for (let k = 0; k < this.classes; k++)
        this.#add(product, row, k, this.rowWeights[i] * p[k] * (changes[k] - mean))
    })
    return product
  }

  #penalty(parameters: Float64Array): Float64Array {
    const penalised = parameters.slice()
    for (let k = 0; k < this.classes; k++) penalised[k * this.stride + this.features] = 0
    return penalised
  }

  #scores({ index, value }: SparseRow, parameters: Float64Array): number[] {
    return Array.from({ length: this.classes }, (_, k) => {
      const at = k * this.stride
      let score = parameters[at + this.features]
      for (let i = 0; i < index.length; i++) score += parameters[at + index[i]] * value[i]
      return score
    })
  }

  #add(target: Float64Array, { index, value }: SparseRow, k: number, factor: number): void {
    const at = k * this.stride
    for (let i = 0; i < index.length; i++) target[at + index[i]] += factor * value[i]
    target[at + this.features] += factor
  }
}

function minimum(problem: Problem): Float64Array {
  let parameters = new Float64Array(problem.size)
  let { loss, gradient } = problem.evaluate(parameters)
  for (let step = 0; step < MOST_STEPS && norm(gradient) > TOLERANCE; step++) {
    const direction = newtonDirection(problem, gradient)
    const slope = dot(direction, gradient)
    let length = 1
    for (;;) {
      const next = parameters.map((value, i) => value + length * direction[i])
      const found = problem.evaluate(next)
      if (found.loss <= loss + ARMIJO * length * slope || length < SMALLEST_STEP) {
        if (length < SMALLEST_STEP)
          return parameters // nothing but rounding is left to gain
        ;[parameters, loss, gradient] = [next, found.loss, found.gradient]
        break
      }
      length /= 2
    }
  }
  return parameters
}

/** Solves H d = -g, as far as the gradient's size makes it worth while. */
function newtonDirection(problem: Problem, gradient: Float64Array): Float64Array {
  const solution = new Float64Array(gradient.length)
  const residual = gradient.map(value => -value)
  let direction = residual.slice()
  let square = dot(residual, residual)
  const enough = Math.min(0.25, Math.sqrt(norm(gradient))) * norm(gradient)
  for (let i = 0; i < problem.size && Math.sqrt(square) > enough; i++) {
    const product = problem.hessianTimes(direction)
    const curvature = dot(direction, product)
    if (!(curvature > 0)) break
    const step = square / curvature
    for (let j = 0; j < solution.length; j++) {
      solution[j] += step * direction[j]
      residual[j] -= step * product[j]
    }
    const next = dot(residual, residual)
    direction = residual.map((value, j) => value + (next / square) * direction[j])
    square = next
  }
  return solution
}

function norm(vector: Float64Array): number {
  return Math.sqrt(dot(vector, vector))
}
