import type { Arguments } from './arguments.js'
import { type Environment, UsageError } from './environment.js'
import { add } from './queue/add.js'
import { retry, status } from './queue/status.js'
import { work } from './queue/work.js'
import type { Verb } from './verb.js'

const HELP = `wavtok queue add IN... -o OUT    files into a queue that many machines work off
wavtok queue work                a worker: encodes what is in the queue
wavtok queue status              how far it is, and what failed for good
wavtok queue retry               what failed for good goes back into the queue

The queue is one of BullMQ on Redis (npm install bullmq). Workers read the same paths: a shared disk, or one machine. A file is tried three
times, one that is no audio once; a file whose worker dies is done by another. Outputs appear whole, once, with the same bytes.

  --redis URL        default redis://127.0.0.1:6379
  --name NAME        of the queue (default wavtok)
  -o, --output OUT   add: the folder of the token files, as with encode
  --format FORMAT    add: wtok, json, npy, txt (default wtok)
  --codebooks N      add: the first N codebooks only
  --force            add: also files whose output exists
  --until-empty      work: end when there is nothing left to do
  --lock SECONDS     work: after how long without a sign of life a worker counts as dead (default 30)
  --model FILE       work: checkpoint instead of the default model; repeat for models in several files
  --config YAML      work: configuration that came with the checkpoint
  --json             one line of JSON per file
  -q, --quiet        no report

Examples
  wavtok queue add recordings/ -o tokens/ --redis redis://queue.example:6379
  wavtok queue work --redis redis://queue.example:6379      # on every machine, as often as it has cores
  wavtok queue status --redis redis://queue.example:6379 --json
`

export const queue: Verb = {
  summary: 'encode with many machines: a queue on Redis',
  help: HELP,
  options: [
    ...(['redis', 'name', 'output', 'format', 'codebooks', 'force'] as const),
    ...(['until-empty', 'lock', 'model', 'config'] as const),
  ],
  async run(args: Arguments, environment: Environment) {
    const [action, ...inputs] = args.inputs
    const known: Record<string, typeof add> = { add, work, status, retry }
    if (action === undefined || !Object.hasOwn(known, action))
      throw new UsageError(`'${action ?? ''}' is nothing that queue does; expected add, work, status, retry`)
    if (action !== 'add' && inputs.length > 0) throw new UsageError(`queue ${action} takes no files`)
    return known[action]({ ...args, inputs }, environment)
  },
}
