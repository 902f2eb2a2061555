/** e^x for x up to 0, to 1e-13 relative, with + - * / alone: Math.exp may differ between engines in its last bit. 0 below -745. */
export function exponential(x: number): number {
  if (x < -745) return 0
  const halvings = Math.round(x / Math.LN2)
  const rest = x - halvings * Math.LN2
  let sum = 1
  for (let n = 14; n >= 1; n--) sum = 1 + (sum * rest) / n
  for (let n = halvings; n < 0; n++) sum /= 2
  return sum
}
