// onnxruntime-web on the exported graphs: node ort.mjs --task encode|decode --seconds 10 --threads 1 --runs 5
import ort from 'onnxruntime-web'
import { codes, HOP_LENGTH, MODELS, requireModel, speech } from './inputs.mjs'
import { runEngine } from './runner.mjs'

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

/**
 * The hop of audio in the middle of the clip, by the plain sum over bins of the four frames that overlap there:
 * proof that this spectrum is the audio of the other engine, outside the timing.
 */
function middleHop(real, imag) {
  const [, bins, frames] = real.dims
  const nFft = 2 * (bins - 1)
  const middle = frames >> 1
  const hop = new Float64Array(HOP_LENGTH)
  // "same" padding drops (nFft - hop) / 2 = 1.5 hops at the start, so that output hop m lies in frames m - 2 .. m + 2
  const dropped = (nFft - HOP_LENGTH) / 2
  for (let n = 0; n < HOP_LENGTH; n++) {
    const position = middle * HOP_LENGTH + dropped + n
    let sum = 0
    let envelope = 0
    for (let frame = 0; frame < frames; frame++) {
      const t = position - frame * HOP_LENGTH
      if (t < 0 || t >= nFft) continue
      const window = 0.5 * (1 - Math.cos((2 * Math.PI * t) / nFft))
      sum += window * inverseAt(real.data, imag.data, { frame, frames, bins, nFft, t })
      envelope += window * window
    }
    hop[n] = sum / envelope
  }
  return hop
}

function inverseAt(re, im, { frame, frames, bins, nFft, t }) {
  let sum = 0
  for (let bin = 0; bin < bins; bin++) {
    const angle = (2 * Math.PI * ((bin * t) % nFft)) / nFft
    const weight = bin === 0 || bin === bins - 1 ? 1 : 2
    const at = bin * frames + frame
    sum += weight * (re[at] * Math.cos(angle) - (weight === 1 ? 0 : im[at]) * Math.sin(angle))
  }
  return sum / nFft
}
