// wavtok, as built in dist/: node wavtok.mjs --model mimi --task encode|decode --dtype f32|q8 --runs 5
import { readFileSync } from 'node:fs'
import { runEngine } from '../peers/runner.mjs'
import { cached, codes, description, features, middle, speech } from './inputs.mjs'

await runEngine('wavtok', async ({ model, task, dtype, threads }) => {
  const about = description(model)
  const { loadTokenizer } = await import('../../dist/index.js')
  const tokenizer = await loadTokenizer(cached(`${model}.safetensors`), {
    parts: task === 'encode' ? 'encoder' : 'decoder', // as the peer, which has a graph for each
    dtype,
    encoderDtype: dtype,
    threads,
  })
  const run = task === 'encode' ? encoding(tokenizer, about) : decoding(tokenizer, about)
  const { start, count } = middle(about)
  return {
    version: JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version,
    run,
    evidence: result =>
      task === 'encode'
        ? { codes: result.codes.flatMap(row => Array.from(row)) }
        : { hop: Array.from(result.samples.subarray(start, start + count)) },
  }
})

function encoding(tokenizer, about) {
  const channels = speech(about)
  return () => tokenizer.encode(channels)
}

function decoding(tokenizer, about) {
  if (about.dim) {
    const rows = features(about)
    return () => tokenizer.synthesize(rows)
  }
  const tokens = codes(about)
  return () => tokenizer.decode(tokens)
}
