import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spectralDistance } from '../../src/cli/spectral_distance.js'
import { randomArray } from '../support/random.js'

test('nothing between equals, gain in dB between copies, whatever their phase', () => {
  const noise = randomArray(8000, 3)
  assert.is(spectralDistance(noise, noise), 0)
  const quieter = noise.map(x => x * 0.1)
  assert.ok(Math.abs(spectralDistance(noise, quieter) - 20) < 1e-3)
  const tone = (phase: number) => Float32Array.from({ length: 8000 }, (_, i) => Math.sin(0.3 * i + phase))
  assert.ok(spectralDistance(tone(0), tone(1)) < 1, `${spectralDistance(tone(0), tone(1))}`)
  assert.ok(spectralDistance(noise, randomArray(8000, 4)) > 5)
  assert.is(spectralDistance(new Float32Array(100), new Float32Array(100)), 0)
})

test.run()
