import { Activation, type Pointer } from '../../bindings/kernels.js'
import type { Region } from '../../bindings/memory.js'
import { type PackedWeights, packLinear, product } from './linear.js'
import { type Layer, pointwise, type RowSink, windowed } from './rows.js'
import { exact } from './weights.js'

// Input products of this many steps are one matrix product; the recurrent ones cannot be.
const STEPS = 64

/** One layer's parameters in PyTorch's layout, gate order i, f, g, o. */
export interface LstmWeights {
  weightIh: Float32Array // (4H, inputs)
  weightHh: Float32Array // (4H, H)
  biasIh: Float32Array // (4H)
  biasHh: Float32Array // (4H)
}

interface LstmLayer {
  input: PackedWeights
  recurrent: PackedWeights
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
    this.layers = layers.map(({ weightIh, weightHh, biasIh, biasHh }) => {
      const bias = biasIh.map((value, i) => value + biasHh[i])
      return {
        input: packLinear(region, weightIh, bias, 4 * hidden, hidden),
        recurrent: packLinear(exact(region), weightHh, undefined, 4 * hidden, hidden),
      }
    })
  }

  open(region: Region, sink: RowSink): RowSink {
    const { hidden } = this
    const { kernels } = region
    const gates = region.alloc(STEPS * 4 * hidden)
    const scratch = region.alloc(Math.ceil(hidden / 4) * 16 + 16)
    const states = this.layers.map(() => region.copy(new Float32Array(2 * hidden)))
    const step = (layer: number, out: Pointer, input: Pointer, rows: number) => {
      const { input: inputWeights, recurrent } = this.layers[layer]
      const state = states[layer]
      product(region, gates, input, inputWeights, rows)
      kernels.lstmF32(out, gates, recurrent.weights, state, state + hidden * 4, scratch, rows, hidden)
    }
    const compute = (out: Pointer, input: Pointer, rows: number) => {
      this.layers.forEach((_, layer) => {
        step(layer, out, layer === 0 ? input : out, rows)
      })
      kernels.addF32(out, input, rows * hidden)
      if (this.activation) kernels.activationF32(out, out, rows * hidden, this.activation)
    }
    return windowed(region, pointwise(hidden), STEPS, sink, compute, saved => {
      for (const state of states) saved.memory(state, 2 * hidden)
    })
  }
}
