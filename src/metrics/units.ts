import { TokenError } from '../errors.js'

/** How well units (codes) stand for phones, from frame-wise labels (Hsu et al., "HuBERT", section on cluster quality). */
export interface UnitQuality {
  /** Share of frames whose phone is the most frequent one of their unit. */
  readonly phonePurity: number
  /** Share of frames whose unit is the most frequent one of their phone. */
  readonly clusterPurity: number
  /** Phone-normalised mutual information: I(phone; unit) / H(phone). */
  readonly pnmi: number
}

/**
 * @param phones, units one label per frame each, at one frame rate
 * @throws TokenError for no frames or unequal numbers of them
 */
export function unitQuality(phones: ArrayLike<number | string>, units: ArrayLike<number>): UnitQuality {
  const frames = units.length
  if (frames === 0 || phones.length !== frames)
    throw new TokenError(
      `${phones.length} phone labels and ${frames} units; expected as many of each, one at least`,
    )
  const byUnit = new Map<number, Map<number | string, number>>()
  const byPhone = new Map<number | string, Map<number, number>>()
  for (let t = 0; t < frames; t++) {
    increment(byUnit, units[t], phones[t])
    increment(byPhone, phones[t], units[t])
  }
  const purity = (table: Map<unknown, Map<unknown, number>>) =>
    [...table.values()].reduce((sum, row) => sum + Math.max(...row.values()), 0) / frames
  const unitTotals = new Map([...byUnit].map(([unit, row]) => [unit, total(row)]))
  let information = 0
  let entropy = 0
  for (const row of byPhone.values()) {
    const phoneTotal = total(row)
    entropy -= (phoneTotal / frames) * Math.log2(phoneTotal / frames)
    for (const [unit, count] of row)
      information += (count / frames) * Math.log2((count * frames) / (phoneTotal * unitTotals.get(unit)!))
  }
  return { phonePurity: purity(byUnit), clusterPurity: purity(byPhone), pnmi: information / entropy }
}

function increment<A, B>(table: Map<A, Map<B, number>>, row: A, column: B): void {
  const counts = table.get(row) ?? new Map<B, number>()
  table.set(row, counts)
  counts.set(column, (counts.get(column) ?? 0) + 1)
}

function total(row: Map<unknown, number>): number {
  return [...row.values()].reduce((sum, count) => sum + count, 0)
}
