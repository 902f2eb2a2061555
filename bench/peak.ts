import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'

const ROUNDS = 2_000_000
const FLOP = ROUNDS * 12 * 4 * 2
const READ_AT = 1 << 16
/** As many bytes as the recurrent weights of one LSTM layer of WavTokenizer; and a part that stays in L2. */
const LARGE = 4 * 512 * 512 * 4
const SMALL = 1 << 19
const READ = 1 << 28

/** What this machine can do at most in WebAssembly, one thread: the best of several interleaved readings. */
export class Peak {
  /** Four-lane multiply, add. */
  gflops = 0
  /** int16 products, added in pairs. */
  integerGops = 0
  /** Reading 4 MiB again and again: L3, or what of it does not fit into L2. */
  largeGBs = 0
  /** Reading 512 KiB again and again. */
  smallGBs = 0
  private readonly core: Record<'peak' | 'peakInteger' | 'read', (...args: number[]) => number>

  constructor() {
    mkdirSync('build', { recursive: true })
    const flags = ['--enable', 'simd', '-O3', '--runtime', 'stub', '--noAssert', '-o', 'build/peak.wasm']
    execFileSync('node_modules/.bin/asc', ['bench/assembly/peak.ts', ...flags], { stdio: 'inherit' })
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync('build/peak.wasm')))
    const memory = exports.memory as WebAssembly.Memory
    memory.grow(Math.ceil((READ_AT + LARGE - memory.buffer.byteLength) / (1 << 16)))
    this.core = exports as unknown as Peak['core']
    this.core.peak(1000)
    this.core.peakInteger(1000)
    this.core.read(READ_AT, SMALL, 1)
  }

  measure(): void {
    const { peak, peakInteger, read } = this.core
    for (let i = 0; i < 5; i++) {
      this.gflops = Math.max(this.gflops, FLOP / nanoseconds(() => peak(ROUNDS)))
      this.integerGops = Math.max(this.integerGops, (2 * FLOP) / nanoseconds(() => peakInteger(ROUNDS)))
      this.largeGBs = Math.max(this.largeGBs, READ / nanoseconds(() => read(READ_AT, LARGE, READ / LARGE)))
      this.smallGBs = Math.max(this.smallGBs, READ / nanoseconds(() => read(READ_AT, SMALL, READ / SMALL)))
    }
  }
}

function nanoseconds(run: () => void): number {
  const start = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(start)
  return (user + system) * 1000
}
