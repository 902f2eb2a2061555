// Compares residual codecs of the published sizes with PyTorch. Run by `npm run parity:codecs`.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { snr } from './support/compare.js'
import { decode, encode, openModel } from './support/model.js'
import { residualComparison } from './support/parity.js'
import { vectors } from './support/vectors.js'

const SNR_DB = 80
const [folder, ...names] = process.argv.slice(2)
let failures = 0

for (const name of names.length ? names : ['mimi', 'encodec', 'dmcodec']) {
  const checkpoint = join(folder, `${name}.safetensors`)
  if (!existsSync(checkpoint))
    throw new Error(`${checkpoint} is missing; run tests/vectors/full_codecs.py first`)
  const { region, model } = await openModel(checkpoint)
  const codebooks = model.info.codebookSizes.length
  console.log(`\n${name}: ${(model.info.parameters / 1e6).toFixed(1)} M parameters, ${codebooks} codebooks`)
  for (const file of readdirSync(join(folder, name))) {
    const expected = vectors(pathToFileURL(join(folder, name, file)))
    const codes = encode(region, model, expected.get('input')!.data)
    const found = residualComparison(expected, codes, codebooks)
    const audio = snr(decode(region, model, expected.get('codes')!.integers), expected.get('audio')!.data)
    const { total, different, nearTies, behind } = found
    console.log(
      `${file.replace('.safetensors', '')}: ${total - different} of ${total} codes equal; where a frame first differs: ` +
        `${nearTies} near-ties, ${different - nearTies - behind} others; ${behind} codes behind those; audio ${audio.toFixed(1)} dB`,
    )
    if (!(audio >= SNR_DB) || different > nearTies + behind) failures++
  }
}
console.log(failures ? `\n${failures} cases failed` : '\nall cases equal PyTorch')
process.exitCode = failures ? 1 : 0
