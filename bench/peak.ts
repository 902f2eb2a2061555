import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'

const ROUNDS = 2_000_000
const FLOP = ROUNDS * 12 * 4 * 2

/** This machine's four-lane multiply-add limit in WebAssembly, one thread, GFLOP/s: the best of several interleaved readings. */
export class Peak {
  /** Best so far. */
  gflops = 0
  private readonly run: (rounds: number) => number

  constructor() {
    mkdirSync('build', { recursive: true })
    const flags = ['--enable', 'simd', '-O3', '--runtime', 'stub', '--noAssert', '-o', 'build/peak.wasm']
    execFileSync('node_modules/.bin/asc', ['bench/assembly/peak.ts', ...flags], { stdio: 'inherit' })
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync('build/peak.wasm')))
    this.run = exports.peak as (rounds: number) => number
    this.run(1000)
  }

  measure(): void {
    for (let i = 0; i < 5; i++) {
      const start = process.cpuUsage()
      this.run(ROUNDS)
      const { user, system } = process.cpuUsage(start)
      this.gflops = Math.max(this.gflops, FLOP / (user + system) / 1000)
    }
  }
}
