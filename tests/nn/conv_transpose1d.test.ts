// Trimmed transposed convolutions against PyTorch (tests/vectors/make_transposed.py), whole and cut into any chunks.
import { test } from 'uvu'
import { ConvTranspose1d } from '../../src/nn/conv_transpose1d.js'
import { near } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { runBothWays } from '../support/layers.js'
import { cases, vectors } from '../support/vectors.js'

const { region } = await freshCore()
const expected = vectors('transposed.safetensors')
const tensor = (name: string) => expected.get(name)!.data

for (const { name, about } of cases('transposed.safetensors', 'transposed'))
  test(`ConvTranspose1d: ${name}`, () => {
    const { inputs, outputs, k: kernel, stride, trim, missing } = about
    const [x, w, b] = ['x', 'w', 'b'].map(part => tensor(`${name}.${part}`))
    const layer = new ConvTranspose1d(region, w, b, { inputs, outputs, kernel, stride, trim, missing })
    near(runBothWays(region, layer, { inputs, outputs }, x), tensor(`${name}.y`), 3e-6)
  })

test.run()
