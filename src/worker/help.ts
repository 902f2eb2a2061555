import { joinCore } from '../../bindings/load.js'
import { help } from '../../bindings/team.js'
import { computeShared } from '../nn/product.js'
import type { HelperOrders } from '../threads.js'

/** Spends this worker as a helper thread: `ready` is called, and then it never returns to its event loop. */
export function serveAsHelper(
  { module, memory, mailbox, scratch, thread }: HelperOrders,
  ready: () => void,
): void {
  const kernels = joinCore(module, memory, scratch)
  ready()
  help(memory, mailbox, (job, task) => computeShared(kernels, thread, job, task))
}
