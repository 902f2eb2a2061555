// onnxruntime-web on the exported graphs: node ort.mjs --task encode|decode --seconds 10 --threads 1 --runs 5
import ort from 'onnxruntime-web'
import { codes, HOP_LENGTH, MODELS, requireModel, speech } from './inputs.mjs'
import { runEngine } from './runner.mjs'
import { audioAt } from './spectrum.mjs'

// Tried on Node 20 and 24, 10 s, one thread. Memory arena, memory pattern, fixed dimensions, denormals as zero and a level of
// "all" at load change a run by less than its noise of 3 %. Graphs optimised ahead (export_onnx.py), not optimised again at load,
// weights in a second file: first second of audio after 1.1 s of CPU time instead of 1.9 (encode) and 1.7 instead of 2.5 (decode),
// heap 443 MB instead of 634 (decode). The ORT format starts later than that and holds the weights twice.
const SESSION = { executionProviders: ['wasm'], graphOptimizationLevel: 'disabled' }

await runEngine('onnxruntime-web', async ({ model, task, dtype, seconds, threads }) => {
  ort.env.wasm.numThreads = threads
  const { graph, weights } = MODELS[model][dtype === 'q8' ? `${task} int8` : task]
  const session = await ort.InferenceSession.create(requireModel(graph), {
    ...SESSION,
    externalData: [{ path: weights.slice(weights.lastIndexOf('/') + 1), data: requireModel(weights) }],
  })
  const feeds = { [session.inputNames[0]]: task === 'encode' ? wave(seconds) : codeTensor(seconds) }
  return {
    version: ort.env.versions.web,
    run: () => session.run(feeds),
    evidence: outputs =>
      task === 'encode'
        ? { codes: Array.from(outputs.codes.data, Number) }
        : { hop: Array.from(middleHop(outputs.real, outputs.imag), Math.fround) },
  }
})

function wave(seconds) {
  const samples = speech(seconds)
  return new ort.Tensor('float32', samples, [1, samples.length])
}

function codeTensor(seconds) {
  const values = BigInt64Array.from(codes(seconds), BigInt)
  return new ort.Tensor('int64', values, [1, values.length])
}

function middleHop(real, imag) {
  const start = (real.dims[2] >> 1) * HOP_LENGTH
  return audioAt(real, imag, { hop: HOP_LENGTH, start, count: HOP_LENGTH })
}
