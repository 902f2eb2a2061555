import { escapeXml } from '../../../plots/index.js'

const WIDTH = 290
const HEIGHT = 190
const LEFT = 52
const RIGHT = 12
const TOP = 14
const BOTTOM = 34
const TICKS = 4

/** A point, and between what it lies with 95 %. */
export interface PanelPoint {
  readonly x: number
  readonly y: number
  readonly interval?: readonly [low: number, high: number]
}

/** Points of one colour, joined in their order. */
export interface PanelSeries {
  readonly colour: number
  readonly points: readonly PanelPoint[]
}

/** A small chart as a figure; `describe` says in words what it shows, for those who cannot see it. */
export function panel(chart: {
  readonly title: string
  readonly xLabel: string
  readonly series: readonly PanelSeries[]
  readonly isLogarithmic?: boolean
  readonly describe: string
}): string {
  const points = chart.series.flatMap(({ points }) => points)
  const ys = points.flatMap(({ y, interval }) => [y, ...(interval ?? [])])
  const toLog = chart.isLogarithmic ? Math.log2 : (x: number) => x
  const across = scale(
    points.map(({ x }) => toLog(x)),
    LEFT,
    WIDTH - RIGHT,
  )
  const x = (value: number) => across(toLog(value))
  const y = scale(ys, HEIGHT - BOTTOM, TOP)
  const marks = chart.series.map(series => seriesMarks(series, x, y)).join('')
  return (
    `<figure><figcaption>${escapeXml(chart.title)}</figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escapeXml(chart.describe)}">` +
    `${yAxis(ys, y)}${xAxis(points, x)}${marks}` +
    `<text class="soft" x="${WIDTH - RIGHT}" y="${HEIGHT - 4}" text-anchor="end">${escapeXml(chart.xLabel)}</text></svg></figure>`
  )
}

function seriesMarks(
  { colour, points }: PanelSeries,
  x: (x: number) => number,
  y: (y: number) => number,
): string {
  const path = points.map((point, i) => `${i ? 'L' : 'M'}${at(x(point.x))} ${at(y(point.y))}`).join('')
  const whiskers = points.map(point => {
    if (!point.interval) return ''
    const [low, high] = point.interval
    return `<line x1="${at(x(point.x))}" x2="${at(x(point.x))}" y1="${at(y(low))}" y2="${at(y(high))}"/>`
  })
  const dots = points.map(point => `<circle cx="${at(x(point.x))}" cy="${at(y(point.y))}" r="3.5"/>`)
  return `<g class="s${colour}">${points.length > 1 ? `<path class="join" d="${path}"/>` : ''}${whiskers.join('')}${dots.join('')}</g>`
}

function yAxis(values: readonly number[], y: (value: number) => number): string {
  return evenly(values)
    .map(
      value =>
        `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y(value))}" y2="${at(y(value))}"/>` +
        `<text class="soft" x="${LEFT - 6}" y="${at(y(value) + 4)}" text-anchor="end">${Number(value.toPrecision(3))}</text>`,
    )
    .join('')
}

/** A number under every place that has a point, where there is room. */
function xAxis(points: readonly PanelPoint[], x: (value: number) => number): string {
  const places = [...new Set(points.map(point => point.x))].sort((a, b) => a - b)
  let free = Number.NEGATIVE_INFINITY
  return places
    .map(place => {
      const middle = x(place)
      if (middle - free < 30) return ''
      free = middle
      return `<text class="soft" x="${at(middle)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${Number(place.toPrecision(3))}</text>`
    })
    .join('')
}

function evenly(values: readonly number[]): number[] {
  const low = Math.min(...values)
  const high = Math.max(...values)
  if (low === high) return [low]
  return Array.from({ length: TICKS }, (_, i) => low + ((high - low) * i) / (TICKS - 1))
}

/** Linear, from the values' range to pixels; a single value lies in the middle. */
function scale(values: readonly number[], from: number, to: number): (value: number) => number {
  const low = Math.min(...values)
  const high = Math.max(...values)
  if (low === high) return () => (from + to) / 2
  const margin = 0.04 * (to - from)
  return value => from + margin + ((value - low) / (high - low)) * (to - from - 2 * margin)
}

function at(value: number): string {
  return value.toFixed(1)
}
