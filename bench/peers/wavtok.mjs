// wavtok, as built in dist/, on the same weights: node wavtok.mjs --task encode|decode --seconds 10 --threads 1 --runs 5
// Its decode ends in audio, the peer's in the spectrum: the inverse STFT is counted against wavtok.
import { readFileSync } from 'node:fs'
import { codes, HOP_LENGTH, MODELS, requireModel, speech } from './inputs.mjs'
import { runEngine } from './runner.mjs'

await runEngine('wavtok', async ({ model, task, dtype, seconds, threads }) => {
  const { loadTokenizer } = await import('../../dist/index.js')
  const { wavtok } = MODELS[model]
  const parts = task === 'encode' ? 'encoder' : 'decoder' // as the peer, which has a graph for each
  const tokenizer = await loadTokenizer(wavtok && requireModel(wavtok), {
    parts,
    dtype,
    threads,
  })
  const input = task === 'encode' ? speech(seconds) : codes(seconds)
  return {
    version: JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version,
    run: () => (task === 'encode' ? tokenizer.encode(input) : tokenizer.decode(input)),
    evidence: result =>
      task === 'encode'
        ? { codes: Array.from(result.codes[0]) }
        : { hop: Array.from(middleHop(result.samples)) },
  }
})

function middleHop(samples) {
  const start = ((samples.length / HOP_LENGTH) >> 1) * HOP_LENGTH
  return samples.subarray(start, start + HOP_LENGTH)
}
