// onnxruntime-web on the exported graphs: node ort.mjs --model mimi --task encode|decode --runs 5
import { runEngine } from '../peers/runner.mjs'
import { cached, codes, description, middle, speech } from './inputs.mjs'

// installed beside the other peers
const { default: ort } = await import('../peers/node_modules/onnxruntime-web/dist/ort.node.min.mjs')

await runEngine('onnxruntime-web', async ({ model, task, threads }) => {
  ort.env.wasm.numThreads = threads
  const about = description(model)
  const weights = `${model}.${task}.data`
  const session = await ort.InferenceSession.create(cached(`${model}.${task}.onnx`), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'disabled', // export.py optimised it
    externalData: [{ path: weights, data: cached(weights) }],
  })
  const feeds = { [session.inputNames[0]]: task === 'encode' ? wave(about) : codeTensor(about) }
  return {
    version: ort.env.versions.web,
    run: () => session.run(feeds),
    evidence: outputs => {
      const { data } = outputs[session.outputNames[0]]
      return task === 'encode' ? { codes: Array.from(data, Number) } : { hop: middle(data, about) }
    },
  }
})

function wave(about) {
  const samples = speech(about)
  return new ort.Tensor('float32', samples, [1, 1, samples.length])
}

function codeTensor(about) {
  const values = codes(about).flatMap(row => Array.from(row, BigInt))
  return new ort.Tensor('int64', BigInt64Array.from(values), about.codes)
}
