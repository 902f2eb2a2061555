// wavtok, as built in dist/: node wavtok.mjs --model mimi --task encode|decode --dtype f32|q8 --runs 5
import { readFileSync } from 'node:fs'
import { runEngine } from '../peers/runner.mjs'
import { cached, codes, description, middle, speech } from './inputs.mjs'

await runEngine('wavtok', async ({ model, task, dtype, threads }) => {
  const about = description(model)
  const { loadTokenizer } = await import('../../dist/index.js')
  const tokenizer = await loadTokenizer(cached(`${model}.safetensors`), {
    parts: task === 'encode' ? 'encoder' : 'decoder', // as the peer, which has a graph for each
    dtype,
    encoderDtype: dtype,
    threads,
  })
  const input = task === 'encode' ? speech(about) : codes(about)
  return {
    version: JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version,
    run: () => (task === 'encode' ? tokenizer.encode(input) : tokenizer.decode(input)),
    evidence: result =>
      task === 'encode'
        ? { codes: result.codes.flatMap(row => Array.from(row)) }
        : { hop: middle(result.samples, about) },
  }
})
