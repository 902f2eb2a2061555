import { instantiateKernels } from '../bindings/load.js'
import { Heap, Region } from '../bindings/memory.js'
import type { TensorSource } from '../src/checkpoints/source.js'
import { loadModel } from '../src/models/registry.js'
import { startThreads } from '../src/threads.js'
import { decode, encode } from '../tests/support/model.js'
import { randomArray } from '../tests/support/random.js'

/** Real-time factors, wall clock, best of the rounds. */
export interface ThreadCost {
  threads: number
  encode: number
  decode: number
}

const SECONDS = 3 // shorter clips are noise: at 0.5 s two runs gave decode 1.48x and 1.88x

/** The same clip on one thread and on two, taking turns. Throws where they do not give the same bits. */
export async function threadCosts(source: TensorSource, rounds: number): Promise<ThreadCost[]> {
  const samples = randomArray(24_000 * SECONDS, 1, 0.3)
  const runs = await Promise.all(
    [1, 2].map(async threads => {
      const heap = await heapOf(threads)
      const region = new Region(heap)
      const model = await loadModel(region, source)
      return { threads, heap, region, model, encode: Infinity, decode: Infinity, result: '' }
    }),
  )
  for (let round = 0; round <= rounds; round++)
    for (const run of runs) {
      const start = performance.now()
      const codes = encode(run.region, run.model, samples, undefined, () => 6000)
      const middle = performance.now()
      const audio = decode(run.region, run.model, codes)
      run.encode = Math.min(run.encode, (middle - start) / 1000 / SECONDS)
      run.decode = Math.min(run.decode, (performance.now() - middle) / 1000 / SECONDS)
      run.result = `${codes} ${new Uint32Array(audio.buffer)}`
    }
  const [one, two] = runs
  if (one.result !== two.result) throw new Error('two threads give other results than one')
  two.heap.team?.close()
  return runs.map(({ threads, encode, decode }) => ({ threads, encode, decode }))
}

async function heapOf(threads: number): Promise<Heap> {
  if (threads === 1) return new Heap((await instantiateKernels(false)).kernels)
  const core = await startThreads(threads, false)
  if (!core) throw new Error('this runtime has no threads')
  return core.heap
}
