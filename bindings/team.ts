// Threads on one shared memory. The first thread posts a job of independent tasks; all of them, the first included, take tasks until
// none is left. A helper that comes late finds nothing to do, so that the first never waits for one to wake up, only for tasks that
// were taken. Which thread computes a task changes no result.
//
//   word 0  posts so far            1  tasks left           2  helpers at work      3  1: a task failed, 2: no more jobs
//   from byte 64: the job, as f64

const POSTS = 0
const LEFT = 1
const BUSY = 2
const STATE = 3
const FAILED = 1
const ENDED = 2

const JOB = 64
const MOST_NUMBERS = 24
/** Of a mailbox. */
export const MAILBOX_BYTES = JOB + 8 * MOST_NUMBERS

// Looks at a word this often, some 20 us, before sleeping: what lies between two products is mostly shorter, waking up takes 10 to 50.
const SPINS = 4000
// The longest tasks take milliseconds; a thread that is gone in the middle of one never ends it.
const PATIENCE_MS = 30_000

/** Does task `task` of the job. */
export type Work = (job: Float64Array, task: number) => void

function views(memory: WebAssembly.Memory, mailbox: number) {
  return {
    words: new Int32Array(memory.buffer, mailbox, 4),
    job: new Float64Array(memory.buffer, mailbox + JOB, MOST_NUMBERS),
  }
}

/** Tasks count down, so that one word tells how many are left and which is next: the job's first number is how many there are. */
function takeTasks(words: Int32Array, job: Float64Array, work: Work): void {
  for (;;) {
    const left = Atomics.sub(words, LEFT, 1)
    if (left <= 0) return
    work(job, job[0] - left)
  }
}

/** A helper's life: returns when the team is closed. */
export function help(memory: WebAssembly.Memory, mailbox: number, work: Work): void {
  const { words, job } = views(memory, mailbox)
  for (let seen = 0; ; ) {
    for (let i = 0; i < SPINS && Atomics.load(words, POSTS) === seen; i++);
    Atomics.wait(words, POSTS, seen)
    seen = Atomics.load(words, POSTS)
    if (Atomics.load(words, STATE) & ENDED) return
    Atomics.add(words, BUSY, 1)
    try {
      takeTasks(words, job, work)
    } catch (error) {
      Atomics.or(words, STATE, FAILED)
      throw error
    } finally {
      Atomics.sub(words, BUSY, 1)
      Atomics.notify(words, BUSY)
    }
  }
}

/** The first thread's side. */
export class Team {
  /** The first one included. */
  readonly threads: number
  /** Why the team can no longer be used. */
  lost: string | undefined
  private readonly words: Int32Array
  private readonly job: Float64Array
  private readonly end: () => void
  private readonly patienceMs: number
  private readonly canSleep: boolean

  /** mailbox: MAILBOX_BYTES of `memory`, zeros; `end` ends the helpers. */
  constructor(
    memory: WebAssembly.Memory,
    mailbox: number,
    threads: number,
    end: () => void,
    patienceMs = PATIENCE_MS,
  ) {
    const { words, job } = views(memory, mailbox)
    this.words = words
    this.job = job
    this.threads = threads
    this.end = end
    this.patienceMs = patienceMs
    this.canSleep = canSleep(words)
  }

  /** Does `tasks` tasks of a job, whose numbers begin with their count; returns when all are done. Throws Error where one was lost. */
  run(numbers: readonly number[], work: Work): void {
    const { words, job } = this
    if (this.lost) throw new Error(this.lost)
    job.set(numbers)
    Atomics.store(words, LEFT, numbers[0])
    Atomics.add(words, POSTS, 1)
    Atomics.notify(words, POSTS)
    takeTasks(words, job, work)
    this.join()
  }

  /** Ends the helpers. */
  close(): void {
    this.lost ??= 'its threads were ended'
    Atomics.or(this.words, STATE, ENDED)
    Atomics.add(this.words, POSTS, 1)
    Atomics.notify(this.words, POSTS)
    this.end()
  }

  /** Waits for the tasks that helpers took. */
  private join(): void {
    const { words } = this
    let deadline = 0
    for (;;) {
      for (let i = 0; i < SPINS && Atomics.load(words, BUSY) > 0; i++);
      const busy = Atomics.load(words, BUSY)
      if (busy === 0) break
      const now = performance.now()
      deadline ||= now + this.patienceMs
      if (now > deadline) this.lost = 'a thread took a task and did not finish it'
      if (this.lost) break
      if (this.canSleep) Atomics.wait(words, BUSY, busy, 100)
    }
    if (Atomics.load(words, STATE) & FAILED) this.lost ??= 'a thread failed at its task'
    if (this.lost) throw new Error(this.lost)
  }
}

/** A page's own thread may not. */
function canSleep(words: Int32Array): boolean {
  try {
    Atomics.wait(words, BUSY, 1, 0)
    return true
  } catch {
    return false
  }
}
