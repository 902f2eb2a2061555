/**
 * Dynamic time warping: sum of `distance` along the cheapest path from the first to the last frames over the path's length; of equally
 * cheap steps, the diagonal one.
 */
export function warpedMean<Frame>(
  x: readonly Frame[],
  y: readonly Frame[],
  distance: (a: Frame, b: Frame) => number,
): number {
  let costs = new Float64Array(y.length).fill(Number.POSITIVE_INFINITY)
  let lengths = new Uint32Array(y.length)
  x.forEach((frame, i) => {
    const nextCosts = new Float64Array(y.length)
    const nextLengths = new Uint32Array(y.length)
    for (let j = 0; j < y.length; j++) {
      const diagonal = j > 0 ? costs[j - 1] : Number.POSITIVE_INFINITY
      const above = costs[j]
      const left = j > 0 ? nextCosts[j - 1] : Number.POSITIVE_INFINITY
      const before = Math.min(diagonal, above, left)
      const length = diagonal === before ? lengths[j - 1] : above === before ? lengths[j] : nextLengths[j - 1]
      const first = i === 0 && j === 0
      nextCosts[j] = (first ? 0 : before) + distance(frame, y[j])
      nextLengths[j] = (first ? 0 : length) + 1
    }
    costs = nextCosts
    lengths = nextLengths
  })
  return costs[y.length - 1] / lengths[y.length - 1]
}
