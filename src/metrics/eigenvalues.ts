/** Eigenvalues of a symmetric matrix [n][n], ascending; the matrix is overwritten. */
export function symmetricEigenvalues(matrix: Float64Array, n: number): Float64Array {
  const { diagonal, below } = tridiagonal(matrix, n)
  for (let first = 0; first < n; first++) isolate(diagonal, below, first)
  return diagonal.sort()
}

/** Householder's reflections: the same eigenvalues on a diagonal and the elements below it (below[n - 1] = 0). */
function tridiagonal(a: Float64Array, n: number) {
  const diagonal = new Float64Array(n)
  const below = new Float64Array(n)
  const v = new Float64Array(n)
  const w = new Float64Array(n)
  for (let k = 0; k < n; k++) {
    diagonal[k] = a[k * n + k]
    if (k === n - 1) break
    let squares = 0
    for (let i = k + 1; i < n; i++) squares += (v[i] = a[i * n + k]) ** 2
    below[k] = v[k + 1] > 0 ? -Math.sqrt(squares) : Math.sqrt(squares)
    const scale = squares - v[k + 1] * below[k] // |reflected vector|^2 / 2
    v[k + 1] -= below[k]
    if (scale > 0) reflect(a, n, k + 1, v, w, scale)
  }
  return { diagonal, below }
}

/** A <- H A H for H = I - v v^T / scale, on the rows and columns from `first` on. */
function reflect(
  a: Float64Array,
  n: number,
  first: number,
  v: Float64Array,
  w: Float64Array,
  scale: number,
): void {
  let along = 0
  for (let i = first; i < n; i++) {
    let sum = 0
    for (let j = first; j < n; j++) sum += a[i * n + j] * v[j]
    w[i] = sum / scale
    along += w[i] * v[i]
  }
  for (let i = first; i < n; i++) w[i] -= (along / (2 * scale)) * v[i]
  for (let i = first; i < n; i++) for (let j = first; j < n; j++) a[i * n + j] -= v[i] * w[j] + w[i] * v[j]
}

/** Implicit QL steps with Wilkinson's shift until the element below diagonal[first] vanishes. */
function isolate(diagonal: Float64Array, below: Float64Array, first: number): void {
  const n = diagonal.length
  for (;;) {
    let last = first
    while (last < n - 1 && !negligible(diagonal, below, last)) last++
    if (last === first) return
    let g = (diagonal[first + 1] - diagonal[first]) / (2 * below[first])
    const r = Math.hypot(g, 1)
    g = diagonal[last] - diagonal[first] + below[first] / (g + (g >= 0 ? r : -r))
    let sine = 1
    let cosine = 1
    let shift = 0
    let i = last - 1
    for (; i >= first; i--) {
      const f = sine * below[i]
      const b = cosine * below[i]
      const length = Math.hypot(f, g)
      below[i + 1] = length
      if (length === 0) {
        diagonal[i + 1] -= shift
        break
      }
      sine = f / length
      cosine = g / length
      g = diagonal[i + 1] - shift
      const turned = (diagonal[i] - g) * sine + 2 * cosine * b
      shift = sine * turned
      diagonal[i + 1] = g + shift
      g = cosine * turned - b
    }
    if (i < first) {
      diagonal[first] -= shift
      below[first] = g
    }
    below[last] = 0
  }
}

function negligible(diagonal: Float64Array, below: Float64Array, i: number): boolean {
  return Math.abs(below[i]) <= Number.EPSILON * (Math.abs(diagonal[i]) + Math.abs(diagonal[i + 1]))
}
