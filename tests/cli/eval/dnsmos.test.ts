import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeWav } from '../../../src/audio/index.js'
import { metricsOf } from '../../../src/cli/eval/dnsmos.js'
import type { ClipMetric } from '../../../src/metrics/index.js'

interface Case {
  readonly times: number
  readonly windows: readonly { length: number; ends: [number, number]; sum: number; raw: number[] }[]
  readonly scores: readonly number[]
}

const vectors = new URL('../../vectors/metrics/dnsmos.json', import.meta.url)
const { cases }: { cases: Case[] } = JSON.parse(readFileSync(vectors, 'utf8'))
const speech = decodeWav(readFileSync(new URL('../../fixtures/speech-16k.wav', import.meta.url))).channels[0]

for (const { times, windows, scores } of cases)
  test(`the windows and scores of speechmos, the clip ${times} times over`, async () => {
    const clip = new Float32Array(times * speech.length)
    for (let i = 0; i < times; i++) clip.set(speech, i * speech.length)
    const seen: Float32Array[] = []
    const metrics = metricsOf(async window => {
      seen.push(window)
      return windows[seen.length - 1].raw
    })
    for (const [index, { measure, sampleRate }] of metrics.entries()) {
      assert.is(sampleRate, 16000)
      const score = await (measure as ClipMetric)(clip, 16000)
      assert.ok(Math.abs(score - scores[index]) < 1e-6, `${score}, ${scores[index]}`)
    }
    assert.is(seen.length, windows.length, 'the network ran once for all three scores')
    seen.forEach((window, index) => {
      const { length, ends, sum } = windows[index]
      assert.is(window.length, length)
      assert.equal([window[0], window[length - 1]], ends)
      assert.ok(Math.abs(window.reduce((all, x) => all + x, 0) - sum) < 1e-3)
    })
  })

test('a clip beyond full scale is clipped; one without samples has no score', async () => {
  let highest = 0
  const [signal] = metricsOf(async window => {
    highest = window.reduce((most, x) => Math.max(most, Math.abs(x)), highest)
    return [1, 1, 1]
  })
  const clip = new Float32Array(16000).fill(1.5)
  assert.ok(Number.isFinite(await (signal.measure as ClipMetric)(clip, 16000)))
  assert.is(highest, 1)
  assert.ok(Number.isNaN(await (signal.measure as ClipMetric)(new Float32Array(0), 16000)))
})

test.run()
