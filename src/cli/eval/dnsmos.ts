// DNSMOS P.835 (Reddy, Gopal, Cutler, ICASSP 2022), as the package speechmos 0.0.1.1 computes it: windows of 9.01 s, a second apart,
// and polynomials that map what the network says to mean opinion scores.
import { readFile } from 'node:fs/promises'
import type { NamedMetric, Samples } from '../../metrics/index.js'
import { UsageError } from '../environment.js'

const SAMPLE_RATE = 16_000
const WINDOW_SECONDS = 9.01
const WINDOW = Math.trunc(WINDOW_SECONDS * SAMPLE_RATE)

/** Polynomials, highest power first, in the order of the network's outputs. */
const SCALES = {
  'DNSMOS SIG': [-0.08397278, 1.22083953, 0.0052439],
  'DNSMOS BAK': [-0.13166888, 1.60915514, -0.39604546],
  'DNSMOS OVRL': [-0.06766283, 1.11546468, 0.04602535],
} as const

/** The network: samples of one window to signal, background and overall scores before the polynomials. */
export type DnsmosNetwork = (window: Float32Array) => Promise<ArrayLike<number>>

/** The three scores as metrics. @throws UsageError where onnxruntime-web is not installed or cannot read the file */
export async function dnsmosMetrics(path: string): Promise<NamedMetric[]> {
  return metricsOf(await loadNetwork(path))
}

export function metricsOf(network: DnsmosNetwork): NamedMetric[] {
  let last: { samples: Samples; scores: Promise<readonly number[]> } | undefined
  return Object.keys(SCALES).map((name, index) => ({
    name,
    higherIsBetter: true,
    sampleRate: SAMPLE_RATE,
    needs: 'clip',
    async measure(samples: Samples): Promise<number> {
      if (last?.samples !== samples) last = { samples, scores: scores(samples, network) }
      return (await last.scores)[index]
    },
  }))
}

async function scores(samples: Samples, network: DnsmosNetwork): Promise<readonly number[]> {
  const windows = windowsOf(samples)
  const sums = [0, 0, 0]
  for (const window of windows) {
    const raw = await network(window)
    Object.values(SCALES).forEach((scale, index) => {
      sums[index] += scale.reduce((sum, factor) => sum * raw[index] + factor, 0)
    })
  }
  return sums.map(sum => sum / windows.length)
}

/**
 * A clip that is too short is doubled until it is long enough; samples beyond full scale are clipped. A window whose end the package
 * rounds down is a sample short there, and left out.
 */
function windowsOf(samples: Samples): Float32Array[] {
  if (samples.length === 0) return []
  let length = samples.length
  while (length < WINDOW) length *= 2
  const count = Math.trunc(Math.floor(length / SAMPLE_RATE) - WINDOW_SECONDS) + 1
  const starts = Array.from({ length: count }, (_, second) => second).filter(
    second => Math.trunc((second + WINDOW_SECONDS) * SAMPLE_RATE) - second * SAMPLE_RATE === WINDOW,
  )
  return starts.map(second =>
    Float32Array.from({ length: WINDOW }, (_, i) =>
      Math.min(1, Math.max(-1, samples[(second * SAMPLE_RATE + i) % samples.length])),
    ),
  )
}

async function loadNetwork(path: string): Promise<DnsmosNetwork> {
  const ort = await import('onnxruntime-web').catch(cause => {
    throw new UsageError('--dnsmos needs a library: npm install onnxruntime-web', { cause })
  })
  ort.env.wasm.numThreads = 1
  const bytes = await readFile(path)
  const session = await ort.InferenceSession.create(bytes).catch((cause: Error) => {
    throw new UsageError(`${path} is no DNSMOS model that onnxruntime-web can read: ${cause.message}`, {
      cause,
    })
  })
  const [input] = session.inputNames
  return async window => {
    const output = await session.run({ [input]: new ort.Tensor('float32', window, [1, window.length]) })
    return Object.values(output)[0].data as Float32Array
  }
}
