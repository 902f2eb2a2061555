// Compares the published size, 75 and 40 tokens/s, with PyTorch, stage by stage. Run by `npm run parity:full`.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { decode, encode, openModel, recorder } from './support/model.js'
import { stageComparison } from './support/parity.js'
import { vectors } from './support/vectors.js'

const SNR_DB = 80
const folder = process.argv[2]
let failures = 0

for (const variant of ['75', '40']) {
  const checkpoint = join(folder, `full-${variant}.ckpt`)
  if (!existsSync(checkpoint))
    throw new Error(`${checkpoint} is missing; run tests/vectors/full_parity.py first`)
  const { region, heap, model } = await openModel(checkpoint)
  const weights = heap.used
  console.log(
    `\n${variant} tokens/s: ${(model.info.parameters / 1e6).toFixed(2)} M parameters, weights ${mib(weights)} MiB`,
  )
  for (const file of readdirSync(join(folder, `full-${variant}`))) {
    const expected = vectors(pathToFileURL(join(folder, `full-${variant}`, file)))
    const { probe, names, stage } = recorder(region)
    heap.peak = heap.used
    const codes = encode(region, model, expected.get('input')!.data, probe)
    const encodePeak = heap.peak - weights
    const audio = decode(region, model, expected.get('codes')!.integers, probe)
    const result = stageComparison(expected, codes, audio, { names, stage })
    const stages = result.stages.map(({ name, snr }) => `${name} ${snr.toFixed(1)}`)
    console.log(
      `${file.replace('.safetensors', '')}: ${result.frames} frames, ${result.different} codes differ, ${result.nearTies} of them near-ties`,
    )
    console.log(`  SNR, dB: ${stages.join(', ')}`)
    console.log(
      `  audio SNR ${result.audio.toFixed(1)} dB; memory beyond weights: encode ${mib(encodePeak)} MiB`,
    )
    if (
      result.audio < SNR_DB ||
      result.different > result.nearTies ||
      result.stages.some(({ snr }) => snr < SNR_DB)
    )
      failures++
  }
}
console.log(failures ? `\n${failures} cases failed` : '\nall cases equal PyTorch')
process.exitCode = failures ? 1 : 0

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}
