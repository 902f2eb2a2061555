#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { createWorkerTokenizer, loadTokenizer } from '../index.js'
import { type Output, PipeClosed } from './environment.js'
import { run } from './run.js'

const interrupt = new AbortController()
// Once each: a second Ctrl-C ends the program at once.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort(name))

function output(stream: NodeJS.WriteStream): Output {
  stream.on('error', () => {}) // told to the writer below
  return {
    isTerminal: stream.isTTY === true,
    columns: stream.columns ?? 80,
    write: data =>
      new Promise((resolve, reject) => {
        stream.write(data, error => {
          if (!error) resolve()
          else reject((error as NodeJS.ErrnoException).code === 'EPIPE' ? new PipeClosed() : error)
        })
      }),
  }
}

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const code = await run(process.argv.slice(2), {
  version: manifest.version,
  stdin: process.stdin,
  stdout: output(process.stdout),
  stderr: output(process.stderr),
  signal: interrupt.signal,
  now: () => performance.now(),
  loadTokenizer,
  loadWorker: createWorkerTokenizer,
  evaluatorThread: new URL('./eval.thread.js', import.meta.url),
})
// Every write was awaited; an open stdin must not keep the process.
process.exit(code)
