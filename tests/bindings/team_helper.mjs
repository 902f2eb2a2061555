// The helper of team.test.ts: notes that it did a task.
import { parentPort, workerData } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { help } = await tsImport('../../bindings/team.ts', import.meta.url)
const { memory, mailbox, done, fails } = workerData
const counts = new Int32Array(memory.buffer, done)

parentPort.postMessage('ready')
help(memory, mailbox, (job, task) => {
  if (fails) throw new Error('as asked')
  Atomics.add(counts, job[1] + task, 1 << 16)
})
