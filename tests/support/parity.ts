import { snr } from './compare.js'
import type { Vector } from './vectors.js'

/** Two best distances closer than this, relatively, are a near-tie: f32 sums in another order may pick either. */
const NEAR_TIE = 1e-4

/** What a recorder saw. */
interface Recorded {
  names(): string[]
  stage(name: string): Float32Array
}

export interface Comparison {
  frames: number
  /** Frames whose codes differ, and those of them that are near-ties. */
  different: number
  nearTies: number
  /** SNR of every stage against PyTorch, dB. */
  stages: { name: string; snr: number }[]
  /** SNR of the audio, dB. */
  audio: number
}

/** Holds codes, stages and audio against upstream's (tests/vectors/stages.py names them). Throws where a stage is missing. */
export function stageComparison(
  expected: ReadonlyMap<string, Vector>,
  codes: ArrayLike<number>,
  audio: Float32Array,
  recorded: Recorded,
): Comparison {
  const reference = expected.get('codes')!.integers
  if (codes.length !== reference.length)
    throw new Error(`${codes.length} frames, expected ${reference.length}`)
  const distances = expected.get('distances')!.data
  let different = 0
  let nearTies = 0
  for (let frame = 0; frame < reference.length; frame++) {
    if (codes[frame] === reference[frame]) continue
    different++
    if (isNearTie(distances, frame)) nearTies++
  }
  const stages: Comparison['stages'] = []
  for (const [name, { data }] of expected) {
    const [ours, values] = counterpart(name, data) ?? []
    if (!ours || !values) continue
    if (!recorded.names().includes(ours))
      throw new Error(`no stage ${ours}; there are ${recorded.names().join(', ')}`)
    stages.push({ name, snr: snr(recorded.stage(ours), values) })
  }
  const full = expected.get('audio')
  return {
    frames: reference.length,
    different,
    nearTies,
    stages,
    audio: full ? snr(audio, full.data) : Number.NaN,
  }
}

/**
 * Codes by frame of residual codebooks against upstream's. The first of a frame that differs must be a near-tie; those behind it see
 * another rest and cannot be compared.
 */
export function residualComparison(
  expected: ReadonlyMap<string, Vector>,
  codes: ArrayLike<number>,
  codebooks: number,
) {
  const reference = expected.get('codes')!.integers
  if (codes.length !== reference.length)
    throw new Error(`${codes.length} codes, expected ${reference.length}`)
  const distances = expected.get('distances')!.data
  const counts = { total: reference.length, different: 0, nearTies: 0, behind: 0 }
  for (let frame = 0; frame < reference.length; frame += codebooks) {
    let isFirst = true
    for (let i = frame; i < frame + codebooks; i++) {
      if (codes[i] === reference[i]) continue
      counts.different++
      if (!isFirst) counts.behind++
      else if (isNearTie(distances, i)) counts.nearTies++
      isFirst = false
    }
  }
  return counts
}

function isNearTie(distances: Float32Array, at: number): boolean {
  return distances[2 * at + 1] - distances[2 * at] < NEAR_TIE * distances[2 * at + 1]
}

/** Where our graph shows a stage of upstream's, and what it shows there: ELUs are fused into the layer before them. */
function counterpart(stage: string, data: Float32Array): [name: string, expected: Float32Array] | undefined {
  const fused = stage.match(/^encoder\.model\.(1|4|7|10|13)$/)
  if (fused) return [`encoder.model.${Number(fused[1]) + 1}`, data.map(x => (x > 0 ? x : Math.expm1(x)))]
  if (stage === 'features') return ['encoder.model.15', data]
  return /^(encoder|backbone|head)\.|^quantized$/.test(stage) ? [stage, data] : undefined
}
