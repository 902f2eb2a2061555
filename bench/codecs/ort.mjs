// onnxruntime-web on the exported graphs: node ort.mjs --model mimi --task encode|decode --runs 5
import { runEngine } from '../peers/runner.mjs'
import { audioAt } from '../peers/spectrum.mjs'
import { cached, codes, description, features, middle, speech } from './inputs.mjs'

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
  const feeds = { [session.inputNames[0]]: input(task, about) }
  return {
    version: ort.env.versions.web,
    run: () => session.run(feeds),
    evidence: outputs =>
      task === 'encode' ? { codes: Array.from(outputs.output.data, Number) } : { hop: heard(outputs, about) },
  }
})

function input(task, about) {
  if (task === 'encode') {
    const channels = speech(about)
    const samples = Float32Array.from(
      { length: about.channels * about.samples },
      (_, i) => channels[Math.floor(i / about.samples)][i % about.samples],
    )
    return new ort.Tensor('float32', samples, [1, about.channels, about.samples])
  }
  if (about.dim) return new ort.Tensor('float32', byChannel(features(about), about), about.codes)
  const values = codes(about).flatMap(row => Array.from(row, BigInt))
  return new ort.Tensor('int64', BigInt64Array.from(values), about.codes)
}

function byChannel(rows, { frames, dim }) {
  return Float32Array.from(
    { length: rows.length },
    (_, i) => rows[(i % frames) * dim + Math.floor(i / frames)],
  )
}

/** A vocoder's graph ends in spectra. */
function heard({ output, real, imag }, about) {
  const { start, count } = middle(about)
  if (real) return audioAt(real, imag, { ...about, start, count })
  return Array.from(output.data.subarray(start, start + count))
}
