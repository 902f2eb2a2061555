import type { Kernels } from '../bindings/kernels.js'
import type { Probe } from '../src/nn/rows.js'

/** CPU time and arithmetic of one stage, summed over a run. */
export interface StageCost {
  microseconds: number
  flop: number
}

/**
 * Attributes CPU time and multiply-adds to stages. A stage computes right before its rows reach the probe, so what passed since
 * the last event is its own.
 */
export class Profile {
  readonly stages = new Map<string, StageCost>()
  readonly kernels: Kernels
  private flop = 0
  private since = process.hrtime.bigint()

  constructor(kernels: Kernels) {
    this.kernels = { ...kernels }
    this.kernels.matmulF32 = (...call) => {
      this.flop += 2 * call[7] * call[8] * call[9]
      kernels.matmulF32(...call)
    }
    this.kernels.lstmF32 = (...call) => {
      const [rows, hidden] = call.slice(-2)
      this.flop += 8 * rows * hidden * hidden
      kernels.lstmF32(...call)
    }
  }

  readonly probe: Probe = name => {
    const now = process.hrtime.bigint()
    const cost = this.stages.get(name) ?? { microseconds: 0, flop: 0 }
    this.stages.set(name, cost)
    cost.microseconds += Number(now - this.since) / 1000
    cost.flop += this.flop
    this.flop = 0
    this.since = process.hrtime.bigint()
  }

  /** Forgets what was measured and starts the clock. */
  reset(): void {
    this.stages.clear()
    this.flop = 0
    this.since = process.hrtime.bigint()
  }
}
