import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MAILBOX_BYTES, Team } from '../../bindings/team.js'
import { testFile } from '../support/model.js'

const TASKS = 10
const JOBS = 2000
const DONE = 4096

/** A team with real threads, and how often this thread (1) and the others (65536) did each task. */
async function open(helpers: number, fails = false) {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true })
  assert.ok(MAILBOX_BYTES <= DONE)
  const workers = Array.from({ length: helpers }, () => {
    const workerData = { memory, mailbox: 0, done: DONE, fails }
    return new Worker(testFile('bindings/team_helper.mjs'), { workerData })
  })
  await Promise.all(workers.map(worker => once(worker, 'message')))
  const exits = workers.map(worker => new Promise(resolve => worker.once('exit', resolve)))
  const failures: unknown[] = []
  for (const worker of workers) worker.on('error', error => failures.push(error))
  const team = new Team(memory, 0, helpers + 1, () => {}, 500)
  return { team, counts: new Int32Array(memory.buffer, DONE), workers, exits, failures }
}

for (const helpers of [1, 3])
  test(`${helpers} helpers: every task of every job once, some by helpers`, async () => {
    const { team, counts, exits } = await open(helpers)
    const deadline = Date.now() + 20_000
    const taken = () => counts.some(count => count >= 1 << 16)
    for (let round = 0; round < 1 || (!taken() && Date.now() < deadline); round++) {
      counts.fill(0)
      for (let job = 0; job < JOBS; job++) {
        const start = job * TASKS
        team.run([TASKS, start], (_, task) => {
          Atomics.add(counts, start + task, 1)
          for (let i = 0; i < 200; i++) Atomics.load(counts, 0)
        })
        for (let i = start; i < start + TASKS; i++)
          assert.ok(counts[i] === 1 || counts[i] === 1 << 16, `task ${i} ${counts[i]}`)
      }
    }
    assert.ok(taken(), 'the helpers never took a task')
    assert.ok(counts.every((count, i) => count > 0 === i < JOBS * TASKS))
    team.close()
    await Promise.all(exits) // by themselves
  })

test('a task that fails in a helper', async () => {
  const { team, exits, failures } = await open(1, true)
  const run = () => {
    for (let job = 0; job < 1_000_000; job++) team.run([TASKS, 0], () => {})
  }
  assert.throws(run, /a thread failed at its task/)
  assert.throws(run, /a thread failed at its task/)
  await Promise.all(exits)
  assert.match(String(failures), /as asked/)
})

test('a task that a helper took and never ends', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const team = new Team(memory, 0, 2, () => {}, 50)
  Atomics.store(new Int32Array(memory.buffer), 2, 1) // a helper at work
  const run = () => team.run([1], () => {})
  assert.throws(run, /did not finish it/)
  assert.throws(run, /did not finish it/)
})

test('a closed team', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const team = new Team(memory, 0, 2, () => {})
  team.close()
  assert.throws(() => team.run([1], () => {}), /were ended/)
})

test.run()
