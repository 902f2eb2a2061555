const BAR_WIDTH = 44
const GAP = 12
const HEIGHT = 120
const TOP = 22
const LABELS = 40

/** Codes that occur `least` to `most` times. */
export interface UsageBin {
  readonly least: number
  readonly most: number
  readonly codes: number
}

/** How many codes occur how often: never, once, 2 to 3 times, 4 to 7 and so on by powers of two. */
export function usageBins(counts: readonly number[]): UsageBin[] {
  const binOf = (count: number) => (count === 0 ? 0 : 1 + Math.floor(Math.log2(count)))
  const bins = counts.reduce((most, count) => Math.max(most, binOf(count)), 0) + 1
  const codes = new Array<number>(bins).fill(0)
  for (const count of counts) codes[binOf(count)]++
  return codes.map((number, bin) =>
    bin === 0
      ? { least: 0, most: 0, codes: number }
      : { least: 2 ** (bin - 1), most: 2 ** bin - 1, codes: number },
  )
}

/** The bins as an SVG element; its colours are those of the page (`.bar`, `.axis`, `.soft`). */
export function usageHistogram(counts: readonly number[]): string {
  const bins = usageBins(counts)
  const tallest = Math.max(...bins.map(({ codes }) => codes))
  const width = bins.length * (BAR_WIDTH + GAP) + GAP
  const floor = TOP + HEIGHT
  const bars = bins.map(({ least, most, codes }, index) => {
    const left = GAP + index * (BAR_WIDTH + GAP)
    const middle = left + BAR_WIDTH / 2
    const height = Number(((HEIGHT * codes) / tallest).toFixed(1))
    const times = least === most ? `${least}` : `${least}-${most}`
    return (
      `<rect class="bar" x="${left}" y="${floor - height}" width="${BAR_WIDTH}" height="${height}"/>` +
      `<text x="${middle}" y="${floor - height - 5}" text-anchor="middle">${codes}</text>` +
      `<text class="soft" x="${middle}" y="${floor + 16}" text-anchor="middle">${times}</text>`
    )
  })
  const words = bins.map(({ least, most, codes }) => `${codes} codes ${least} to ${most} times`)
  return (
    `<svg viewBox="0 0 ${width} ${floor + LABELS}" width="${width}" height="${floor + LABELS}" role="img" ` +
    `aria-label="Codes by how often they occur: ${words.join(', ')}">` +
    `${bars.join('')}<line class="axis" x1="0" x2="${width}" y1="${floor}" y2="${floor}"/>` +
    `<text class="soft" x="${GAP}" y="${floor + 34}">codes, by how often each occurs</text></svg>`
  )
}
