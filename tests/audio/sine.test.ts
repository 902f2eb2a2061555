import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cosPi, sinPi } from '../../src/audio/sine.js'

test('sinPi and cosPi are within 2e-16 of the true value on [-13, 13]', () => {
  for (let i = -130_000; i <= 130_000; i++) {
    const x = i / 9999.5
    // Math.sin of a reduced argument: multiplying by pi first would lose digits for larger x.
    const remainder = x - 2 * Math.round(x / 2)
    const folded = Math.abs(remainder) > 0.5 ? Math.sign(remainder) - remainder : remainder
    assert.ok(Math.abs(sinPi(x) - Math.sin(Math.PI * folded)) < 2.3e-16, `sinPi(${x})`)
    assert.ok(Math.abs(cosPi(x) - Math.sin(Math.PI * (0.5 - Math.abs(remainder)))) < 2.3e-16, `cosPi(${x})`)
  }
})

test('multiples of a half are exact', () => {
  for (let k = -12; k <= 12; k++) {
    assert.is(Math.abs(sinPi(k)), 0)
    assert.is(Math.abs(cosPi(k + 0.5)), 0)
    assert.is(cosPi(k), k % 2 === 0 ? 1 : -1)
  }
})

test.run()
