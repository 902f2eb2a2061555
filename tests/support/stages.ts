import * as assert from 'uvu/assert'
import { snr } from './compare.js'
import type { recorder } from './model.js'
import type { Vector } from './vectors.js'

const VALUES = 1000

/**
 * Every layer's output against `<case>.stage.<name>` of make_dac.py, which keeps every k-th row so that at most 1000 values are left.
 *
 * @param ours stages that the reference has no name for
 */
export function sameStages(
  recorded: ReturnType<typeof recorder>,
  expected: ReadonlyMap<string, Vector>,
  { one, least, ours }: { one: string; least: number; ours: readonly string[] },
): void {
  const prefix = `${one}.stage.`
  const names = [...expected.keys()].filter(name => name.startsWith(prefix))
  assert.equal(
    names.map(name => name.slice(prefix.length)).sort(),
    recorded
      .names()
      .filter(name => !ours.includes(name))
      .sort(),
  )
  for (const name of names) {
    const { data, shape } = expected.get(name)!
    const channels = shape[1]
    const all = recorded.stage(name.slice(prefix.length))
    const step = Math.ceil(all.length / VALUES)
    const rows = Float32Array.from(
      data,
      (_, i) => all[Math.floor(i / channels) * step * channels + (i % channels)],
    )
    const quality = snr(rows, data)
    assert.ok(quality >= least, `${name}: ${quality.toFixed(1)} dB`)
  }
}
