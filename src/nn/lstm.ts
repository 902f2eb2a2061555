import { Activation, type Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { type PackedWeights, packLinear, product } from './linear.js'
import { type Layer, pointwise, type RowSink, windowed } from './rows.js'
import { exact } from './weights.js'

/** Input products of this many steps are one matrix product; the recurrent ones cannot be. */
export const STEPS = 64

/** One layer's parameters in PyTorch's layout, gate order i, f, g, o. */
export interface LstmWeights {
  weightIh: Float32Array // (4H, inputs)
  weightHh: Float32Array // (4H, H)
  biasIh: Float32Array // (4H)
  biasHh: Float32Array // (4H)
}

/** The same, as the kernels read it. */
export interface LstmLayer {
  readonly input: PackedWeights
  readonly recurrent: PackedWeights
}

/** The input product may be held in less than f32; the recurrent one, which adds up its errors, is not. */
export function packLstm(region: Region, weights: LstmWeights): LstmLayer {
  const { weightIh, weightHh, biasIh, biasHh } = weights
  const gates = biasIh.length
  const bias = biasIh.map((value, i) => value + biasHh[i])
  return {
    input: packLinear(region, weightIh, bias, gates, weightIh.length / gates),
    recurrent: packLinear(exact(region), weightHh, undefined, gates, gates / 4),
  }
}

/** Steps through layers of `hidden` channels, at most STEPS rows a call; the same memory serves all of them. */
export function stepper(region: Region, hidden: number) {
  const { kernels } = region
  const gates = region.alloc(STEPS * 4 * hidden)
  const scratch = region.alloc(Math.ceil(hidden / 4) * 16 + 16)
  /** out[rows][hidden] of input[rows][inputs]; `state`: [2][hidden], h and c, moved on. */
  return (layer: LstmLayer, state: Pointer, out: Pointer, input: Pointer, rows: number) => {
    product(region, gates, input, layer.input, rows)
    kernels.lstmF32(out, gates, layer.recurrent.weights, state, state + hidden * 4, scratch, rows, hidden)
  }
}

/** Stacked one-directional LSTM with a skip connection around all layers (EnCodec modules/lstm.py, SLSTM). */
export class SkipLstm implements Layer {
  private readonly hidden: number
  private readonly layers: readonly LstmLayer[]
  private readonly activation: Activation

  constructor(
    region: Region,
    hidden: number,
    layers: readonly LstmWeights[],
    activation: Activation = Activation.none,
  ) {
    this.hidden = hidden
    this.activation = activation
    this.layers = layers.map(weights => packLstm(region, weights))
  }

  open(region: Region, sink: RowSink): RowSink {
    const { hidden } = this
    const { kernels } = region
    const step = stepper(region, hidden)
    const states = this.layers.map(() => region.copy(new Float32Array(2 * hidden)))
    const compute = (out: Pointer, input: Pointer, rows: number) => {
      this.layers.forEach((layer, index) => {
        step(layer, states[index], out, index === 0 ? input : out, rows)
      })
      kernels.addF32(out, input, rows * hidden)
      if (this.activation) kernels.activationF32(out, out, rows * hidden, this.activation)
    }
    return windowed(region, pointwise(hidden), STEPS, sink, compute, saved => {
      for (const state of states) saved.memory(state, 2 * hidden)
    })
  }
}
