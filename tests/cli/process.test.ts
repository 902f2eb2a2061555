// The command as a process, with a real (tiny, untrained) model: pipes, signals, exit codes.
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeWav } from '../../src/audio/index.js'
import { decodeTokens } from '../../src/codes/index.js'

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const MODEL = at('tests/vectors/wavtokenizer/tiny-75.ckpt')
const SPEECH = at('tests/fixtures/speech-16k.wav')
const folder = mkdtempSync(join(tmpdir(), 'wavtok-process-'))

function start(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', at('src/cli/main.ts'), ...args], { cwd: at('.') })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', part => stdout.push(part))
  child.stderr.on('data', part => stderr.push(part))
  child.stdin.on('error', () => {})
  const ended = new Promise<{ code: number | null; stdout: Buffer; stderr: string }>(resolve => {
    child.on('close', code =>
      resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }),
    )
  })
  return { child, ended }
}

test('roundtrip of real speech through a real model', async () => {
  const output = join(folder, 'out.wav')
  const { code, stdout, stderr } = await start(
    'roundtrip',
    SPEECH,
    '-o',
    output,
    '--model',
    MODEL,
    '--json',
    '-q',
  ).ended
  assert.is(stderr, '')
  assert.is(code, 0)
  const figures = JSON.parse(stdout.toString())
  assert.is(figures.frames, Math.ceil((60240 * 1.5) / 320))
  assert.is(figures.frameRate, 75)
  const { channels, sampleRate } = decodeWav(readFileSync(output))
  assert.is(sampleRate, 24000)
  assert.is(channels[0].length, 60240 * 1.5)
  assert.ok(channels[0].some(x => x !== 0))
  assert.equal(readdirSync(folder), ['out.wav'])
})

test('encode and decode as a pipe', async () => {
  const encoder = start('encode', '-', '--model', MODEL, '-q')
  encoder.child.stdin.end(readFileSync(SPEECH))
  const tokens = await encoder.ended
  assert.is(tokens.stderr, '')
  assert.is(decodeTokens(tokens.stdout).frameRate, 75)
  const decoder = start('decode', '-', '-o', '-', '--model', MODEL, '-q')
  decoder.child.stdin.end(tokens.stdout)
  const audio = await decoder.ended
  assert.is(decodeWav(audio.stdout).channels[0].length, decodeTokens(tokens.stdout).codes[0].length * 320)
})

test('a closed pipe ends the process quietly', async () => {
  const { child, ended } = start('decode', '-', '-o', '-', '--model', MODEL, '-q')
  child.stdout.destroy()
  child.stdin.end(`${'7 '.repeat(2000)}\n`)
  const { code, stderr } = await ended
  assert.is(code, 141)
  assert.is(stderr, '')
})

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} while waiting for input ends with ${expected}`, async () => {
    const { child, ended } = start('encode', '-', '-o', join(folder, 'never.json'), '--model', MODEL)
    // More than a pipe holds: once it is taken, the process is reading.
    child.stdin.write(Buffer.alloc(1 << 20), () => child.kill(signal))
    const { code, stderr } = await ended
    assert.is(code, expected)
    assert.is(stderr, '')
    assert.not(readdirSync(folder).includes('never.json'))
  })
}

test('info explains a checkpoint', async () => {
  const { code, stdout } = await start('info', MODEL, '--json').ended
  assert.is(code, 0)
  const { kind, family, formats, stored, frameRate } = JSON.parse(stdout.toString())
  assert.equal(
    { kind, family, formats, frameRate },
    { kind: 'checkpoint', family: 'wavtokenizer', formats: ['torch'], frameRate: 75 },
  )
  assert.ok(stored.tensors > 100)
})

test.after(() => rmSync(folder, { recursive: true, force: true }))
test.run()
