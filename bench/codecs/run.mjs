// Residual codecs, wavtok and onnxruntime-web side by side: the same weights, inputs and cores, taking turns.
import { statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { coresToPin, takeTurns } from '../peers/engines.mjs'
import { compareEvidence } from '../peers/report.mjs'
import { cached, description, exported } from './inputs.mjs'
import { environment, printCodec, saveCodec, summary } from './report.mjs'

const USAGE = `npm run bench:codecs -- [options] [NAME ...]
  NAME            as in tests/vectors/full_models.py (default: all that are exported)
  --rounds N      turns of each engine (5)
`
/** The first two in f32 must agree; q8 is held against the peer's f32 too. */
const ENGINES = [
  { name: 'wavtok', script: '../codecs/wavtok.mjs', dtype: 'f32' },
  { name: 'onnxruntime-web', script: '../codecs/ort.mjs', dtype: 'f32' },
  { name: 'wavtok', script: '../codecs/wavtok.mjs', dtype: 'q8' },
]
const THREADS = 1

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, help: { type: 'boolean', default: false } },
})
const rounds = Number(values.rounds)
if (values.help || !(Number.isInteger(rounds) && rounds > 0)) {
  process.stdout.write(USAGE)
  process.exit(values.help ? 0 : 2)
}
const machine = { node: process.execPath, cores: coresToPin(THREADS) }
try {
  for (const name of positionals.length ? positionals : exported()) {
    const about = description(name)
    const codec = { about, ...environment(machine.cores), rounds, files: await sizes(about) }
    for (const task of about.tasks) {
      process.stderr.write(`${name} ${task}: ${rounds} rounds\n`)
      codec[task] = await compare(name, task, about.samples / about.rate)
    }
    printCodec(codec)
    process.stderr.write(`written to ${saveCodec(codec)}\n`)
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}

async function compare(model, task, seconds) {
  const told = ({ dtype }) => ({ model, task, dtype, threads: THREADS })
  const results = await takeTurns(ENGINES, machine, rounds, told)
  return { agreement: compareEvidence({ task, dtype: 'f32' }, results), ...summary(results, seconds) }
}

/** Bytes of what is shipped: our file in f32 and q8, the peer's graphs with their weights. */
async function sizes({ name, tasks }) {
  const { convertCheckpoint } = await import('../../dist/index.js')
  const converted = async dtype => {
    let bytes = 0
    const options = { dtype, encoderDtype: dtype }
    for await (const part of convertCheckpoint(cached(`${name}.safetensors`), options)) bytes += part.length
    return bytes
  }
  const graphs = tasks.flatMap(task => [`${name}.${task}.onnx`, `${name}.${task}.data`])
  return {
    f32: await converted('f32'),
    q8: await converted('q8'),
    onnx: graphs.reduce((sum, file) => sum + statSync(cached(file)).size, 0),
  }
}
