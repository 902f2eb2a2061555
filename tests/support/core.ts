import { instantiateKernels } from '../../bindings/load.js'
import { Heap, Region } from '../../bindings/memory.js'

/** A fresh baseline core: kernels, heap, and one region for the test's allocations. */
export async function freshCore() {
  const { kernels } = await instantiateKernels(true)
  const heap = new Heap(kernels)
  return { kernels, heap, region: new Region(heap) }
}
