import type { Kernels } from '../bindings/kernels.js'
import type { Probe } from '../src/nn/rows.js'

/** CPU time and arithmetic of one stage or kernel, summed over a run. */
export interface Cost {
  microseconds: number
  flop: number
}

type KernelName = Exclude<keyof Kernels, 'memory' | 'heapBase' | 'scratch'>

/** Multiplications and additions of one call, for the kernels that are counted; the others are judged by their share of time. */
const FLOP: { [name in KernelName]?: (...call: Parameters<Kernels[name]>) => number } = {
  matmulInteger: (...[, , , , , , , , rows, k, columns]) => 2 * rows * k * columns,
  matmulF32: (...[, , , , , , , rows, k, columns]) => 2 * rows * k * columns,
  lstmF32: (...[, , , , , , steps, hidden]) => 8 * steps * hidden * hidden,
  depthwiseF32: (...[, , , , rows, channels, taps]) => 2 * rows * channels * taps,
}

/**
 * Attributes CPU time and arithmetic to stages or, with `byKernel`, to kernels. A stage computes right before its rows reach the
 * probe, so what passed since the last event is its own. Asking for the time of every call adds 1.5 us to it: not in the runs that
 * time stages.
 */
export class Profile {
  readonly stages = new Map<string, Cost>()
  readonly calls = new Map<string, Cost>()
  readonly kernels: Kernels
  byKernel = false
  private flop = 0
  private since = cpuMicroseconds()

  constructor(kernels: Kernels) {
    const wrapped = Object.entries(kernels).map(([name, value]) =>
      typeof value === 'function' ? [name, this.counted(name as KernelName, value)] : [name, value],
    )
    this.kernels = Object.fromEntries(wrapped)
  }

  readonly probe: Probe = name => {
    add(this.stages, name, cpuMicroseconds() - this.since, this.flop)
    this.flop = 0
    this.since = cpuMicroseconds()
  }

  /** Forgets what was measured and starts the clock. */
  reset(): void {
    this.stages.clear()
    this.calls.clear()
    this.flop = 0
    this.since = cpuMicroseconds()
  }

  private counted(name: KernelName, kernel: (...call: number[]) => unknown) {
    const count = FLOP[name] as ((...call: number[]) => number) | undefined
    return (...call: number[]) => {
      const flop = count ? count(...call) : 0
      this.flop += flop
      if (!this.byKernel) return kernel(...call)
      const start = cpuMicroseconds()
      const result = kernel(...call)
      add(this.calls, name, cpuMicroseconds() - start, flop)
      return result
    }
  }
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

function add(costs: Map<string, Cost>, name: string, microseconds: number, flop: number): void {
  const cost = costs.get(name) ?? { microseconds: 0, flop: 0 }
  costs.set(name, cost)
  cost.microseconds += microseconds
  cost.flop += flop
}
