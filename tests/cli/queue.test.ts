// `wavtok queue` on a Redis of its own; without redis-server (Debian: apt-get install redis-server) only what needs none is checked.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeWav, encodeWav } from '../../src/audio/index.js'
import { connectionOf } from '../../src/cli/queue/bullmq.js'
import { withBench } from './harness.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const speech = decodeWav(readFileSync(new URL('../fixtures/speech.wav', import.meta.url))).channels[0]
const hasRedis = !spawnSync('redis-server', ['--version']).error

test('addresses of Redis', () => {
  const { maxRetriesPerRequest: _, ...plain } = connectionOf(undefined)
  assert.equal(plain, { host: '127.0.0.1', port: 6379 })
  const full = connectionOf('rediss://me:s%40fe@[::1]:7000/3')
  assert.equal(
    [full.host, full.port, full.username, full.password, full.db, full.tls],
    ['::1', 7000, 'me', 's@fe', 3, {}],
  )
  for (const wrong of ['', 'localhost:6379', 'http://x'])
    assert.throws(() => connectionOf(wrong), /--redis is/)
})

test(
  'command lines that make no sense are refused',
  withBench(async bench => {
    bench.wav('a.wav')
    for (const [args, message] of [
      [['sub'], /'sub' is nothing that queue does/],
      [['add', '@a.wav'], /the folder that -o names/],
      [['work', '@a.wav'], /takes no files/],
      [['work', '--lock', '0'], /--lock is '0'/],
    ] as const) {
      assert.is(await bench.run('queue', ...args), 2)
      assert.match(bench.stderr.text, message)
    }
  }),
)

/** A Redis on a port of its own that keeps nothing. */
async function openRedis() {
  const probe = createServer().listen(0)
  await new Promise(resolve => probe.once('listening', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise(resolve => probe.close(resolve))
  const server = spawn('redis-server', ['--port', String(port), '--save', '', '--appendonly', 'no'], {
    stdio: 'pipe',
  })
  let log = ''
  for await (const text of server.stdout) {
    log += text
    if (/Ready to accept connections/.test(log)) break
  }
  return { url: `redis://127.0.0.1:${port}`, close: () => server.kill('SIGKILL') }
}

function wavtok(...args: string[]): {
  child: ChildProcess
  ended: Promise<{ code: number | null; out: string }>
} {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  child.stdout?.on('data', text => (out += text))
  child.stderr?.on('data', text => (out += text))
  return { child, ended: new Promise(resolve => child.on('close', code => resolve({ code, out }))) }
}

if (hasRedis)
  test('workers that are killed lose nothing: every output once, equal to encode’s; a broken file is a dead letter', async () => {
    const root = mkdtempSync(join(tmpdir(), 'wavtok-queue-'))
    const redis = await openRedis()
    try {
      const [recordings, out] = [join(root, 'in'), join(root, 'out')]
      spawnSync('mkdir', [recordings])
      for (let i = 0; i < 30; i++)
        writeFileSync(
          join(recordings, `clip-${i}.wav`),
          encodeWav(speech.subarray(900 * i, 900 * i + 24_000), 24_000).bytes,
        )
      writeFileSync(join(recordings, 'broken.wav'), 'RIFF, but no more')
      const at = ['--redis', redis.url]
      const added = await wavtok('queue', 'add', recordings, '-o', out, '--json', ...at).ended
      assert.is(JSON.parse(added.out).added, 31)
      const again = await wavtok('queue', 'add', recordings, '-o', out, '--json', ...at).ended
      assert.is(JSON.parse(again.out).added, 0)

      const outputs = () => (existsSync(out) ? readdirSync(out).filter(name => name.endsWith('.wtok')) : [])
      for (let kill = 1; kill <= 3; kill++) {
        const { child, ended } = wavtok('queue', 'work', '--lock', '1', '-q', ...at)
        while (outputs().length < 4 * kill && child.exitCode === null) await wait(3)
        child.kill('SIGKILL')
        await ended
      }
      assert.ok(outputs().length < 30, 'there is work left')
      const workers = [0, 1].map(() => wavtok('queue', 'work', '--lock', '1', '--until-empty', ...at).ended)
      const ends = await Promise.all(workers)
      assert.ok(
        ends.every(({ code }) => code === 0 || code === 1),
        ends.map(({ out }) => out).join('\n'),
      )
      assert.is(outputs().length, 30)
      assert.not(readdirSync(out).some(name => name.endsWith('.wtok.tmp')))
      const alone = join(root, 'alone')
      assert.is((await wavtok('encode', recordings, '-o', alone, '-q').ended).code, 1)
      for (const name of outputs())
        assert.equal(readFileSync(join(out, name)), readFileSync(join(alone, name)), name)

      const state = JSON.parse((await wavtok('queue', 'status', '--json', ...at).ended).out)
      assert.equal([state.waiting, state.active, state.failed], [0, 0, 1])
      assert.match(state.letters[0].input, /broken\.wav$/)
      assert.match((await wavtok('queue', 'status', ...at).ended).out, /failed +1[\s\S]*broken\.wav: /)
      writeFileSync(join(recordings, 'broken.wav'), encodeWav(speech.subarray(0, 9000), 24_000).bytes)
      assert.match((await wavtok('queue', 'retry', ...at).ended).out, /1 file back in the queue/)
      assert.is((await wavtok('queue', 'work', '--until-empty', '-q', ...at).ended).code, 0)
      assert.is(outputs().length, 31)

      const clip = join(out, 'clip-0.wtok')
      writeFileSync(clip, 'spoilt')
      await wavtok('queue', 'add', join(recordings, 'clip-0.wav'), '-o', out, '--force', ...at).ended
      assert.is((await wavtok('queue', 'work', '--until-empty', '-q', ...at).ended).code, 0)
      assert.equal(readFileSync(clip), readFileSync(join(alone, 'clip-0.wtok')), '--force makes it again')
    } finally {
      redis.close()
      rmSync(root, { recursive: true, force: true })
    }
  })
else console.log('queue: redis-server is not installed; killed workers and dead letters are not checked here')

test('without Redis the command says so and ends', async () => {
  const { code, out } = await wavtok('queue', 'status', '--redis', 'redis://127.0.0.1:9').ended
  assert.is(code, 1)
  assert.match(out, /wavtok: .*(ECONNREFUSED|Connection is closed|max retries)/i)
})

test.run()
