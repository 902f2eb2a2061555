// `encode --format webdataset|jsonl|parquet`: what shards hold, and that a run which is killed again and again ends the same.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parquetReadObjects } from 'hyparquet'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeWav, encodeWav } from '../../src/audio/index.js'
import { inOrder } from '../../src/cli/in_order.js'
import { parseSize } from '../../src/cli/shards/formats.js'
import { decodeTokens } from '../../src/codes/index.js'
import { AudioTokens } from '../../src/index.js'
import { type Bench, HOP, withBench } from './harness.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const speech = decodeWav(readFileSync(new URL('../fixtures/speech.wav', import.meta.url))).channels[0]

/** WAV files of different lengths, one of which is none. */
function clips(bench: Bench, count: number, broken?: number): void {
  for (let i = 0; i < count; i++)
    if (i === broken) bench.write(`in/clip-${i}.wav`, 'RIFF, but no more')
    else bench.wav(`in/${i % 2 ? 'odd/' : ''}clip-${i}.wav`, (3 + i) * HOP)
}

const shardsOf = (bench: Bench) => bench.files.filter(name => name.startsWith('out/'))

/** Name and bytes of every entry of a tar file. */
function entries(tar: Buffer): [name: string, bytes: Buffer][] {
  const found: [string, Buffer][] = []
  const text = (at: number, length: number) => tar.toString('utf8', at, at + length).replace(/\0.*$/s, '')
  for (let at = 0; tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8)
    const prefix = text(at + 345, 155)
    found.push([
      prefix ? `${prefix}/${text(at, 100)}` : text(at, 100),
      tar.subarray(at + 512, at + 512 + size),
    ])
    at += 512 + Math.ceil(size / 512) * 512
  }
  return found
}

test(
  'WebDataset: codes as npy and what they are as json, in shards of the size asked for; a broken file is listed',
  withBench(async bench => {
    clips(bench, 9, 4)
    assert.is(await bench.run('encode', '@in', '-o', '@out', '--format', 'webdataset', '--shard', '5KB'), 1)
    assert.match(bench.stderr.text, /clip-4\.wav/)
    assert.match(bench.stdout.text, /8 clips in 4 shards .*1 of 9 failed/)
    const names = shardsOf(bench)
    assert.equal(names.filter(name => name.endsWith('.tar')).length, 4)
    assert.not(names.some(name => /spool|tmp/.test(name)))
    const all = names.filter(name => name.endsWith('.tar')).flatMap(name => entries(bench.read(name)))
    const keys = all.map(([name]) => name)
    assert.equal(keys.slice(0, 2), ['clip-0.json', 'clip-0.npy'])
    assert.ok(keys.includes('odd/clip-7.npy'))
    const { key, path, frames, frameRate, codebookSizes, audioSeconds } = JSON.parse(String(all[0][1]))
    assert.equal(
      [key, path, frames, frameRate, codebookSizes],
      ['clip-0', bench.path('in/clip-0.wav'), 3, 75, [4096]],
    )
    assert.is(audioSeconds, (3 * HOP) / 24_000)
    const [codes] = decodeTokens(all[1][1]).codes
    assert.is(codes.length, 3)
    const [failed] = String(bench.read('out/failed.jsonl')).trim().split('\n')
    assert.is(JSON.parse(failed).input, bench.path('in/clip-4.wav'))
    const tar = spawnSync('tar', ['tf', bench.path(names.find(name => name.endsWith('.tar'))!)], {
      encoding: 'utf8',
    })
    if (!tar.error) assert.equal(tar.stdout.trim().split('\n')[0], 'clip-0.json')
  }),
)

test(
  'names that are too long for ustar travel in extended headers',
  withBench(async bench => {
    const deep = `${'d'.repeat(120)}/${'e'.repeat(120)}/${'f'.repeat(90)}`
    bench.wav(`in/${deep}.wav`)
    assert.is(await bench.run('encode', '@in', '-o', '@out', '--format', 'webdataset'), 0)
    const [[pax, record], [, json]] = entries(bench.read('out/shard-000000.tar'))
    assert.is(pax, 'PaxHeader')
    assert.match(String(record), new RegExp(`^\\d+ path=${deep}\\.json\\n$`))
    assert.is(JSON.parse(String(json)).key, deep)
    const tar = spawnSync('tar', ['tf', bench.path('out/shard-000000.tar')], { encoding: 'utf8' })
    if (!tar.error) assert.equal(tar.stdout.trim().split('\n'), [`${deep}.json`, `${deep}.npy`])
  }),
)

test(
  'JSON lines and Parquet hold the same',
  withBench(async bench => {
    clips(bench, 5)
    for (const format of ['jsonl', 'parquet'])
      assert.is(await bench.run('encode', '@in', '-o', `@${format}`, '--format', format), 0)
    const lines = String(bench.read('jsonl/shard-000000.jsonl'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    const file = bench.read('parquet/shard-000000.parquet')
    const rows = await parquetReadObjects({
      file: file.buffer.slice(file.byteOffset, file.byteOffset + file.length) as ArrayBuffer,
    })
    assert.is(rows.length, 5)
    for (const [i, { codes, ...about }] of lines.entries()) {
      assert.equal([rows[i].key, rows[i].frames, rows[i].codes], [about.key, about.frames, codes])
      assert.equal(rows[i].about, about)
    }
  }),
)

test(
  'codebooks of several rates are files of their own',
  withBench(async bench => {
    bench.wav('in/a.wav')
    const format = {
      codebookSizes: [8, 8, 8],
      strides: [4, 2, 1],
      frameRate: 40,
      sampleRate: 24_000,
      model: 'snac',
    }
    bench.tokenizer.encode = async () => new AudioTokens([[1], [2, 3], [4, 5, 6, 7]], format)
    assert.is(await bench.run('encode', '@in', '-o', '@out', '--format', 'webdataset'), 0)
    const found = entries(bench.read('out/shard-000000.tar'))
    assert.equal(
      found.map(([name]) => name),
      ['a.json', 'a.0.npy', 'a.1.npy', 'a.2.npy'],
    )
    assert.equal([...decodeTokens(found[3][1]).codes[0]], [4, 5, 6, 7])
  }),
)

test(
  'the same command does nothing more; other models, sizes and inputs are refused; --force begins again',
  withBench(async bench => {
    clips(bench, 4)
    const command = ['encode', '@in', '-o', '@out', '--format', 'jsonl', '--shard', '300']
    assert.is(await bench.run(...command), 0)
    const before = shardsOf(bench).map(name => String(bench.read(name)))
    const { calls } = bench.tokenizer
    assert.is(await bench.run(...command), 0)
    assert.is(bench.tokenizer.calls, calls)
    assert.equal(
      shardsOf(bench).map(name => String(bench.read(name))),
      before,
    )
    assert.is(await bench.run(...command.slice(0, -1), '400'), 2)
    assert.match(bench.stderr.text, /another model, format or size/)
    bench.wav('in/a-new-one.wav')
    assert.is(await bench.run(...command), 2)
    assert.match(bench.stderr.text, /other inputs/)
    assert.is(await bench.run(...command, '--force'), 0)
    assert.is(bench.tokenizer.calls, calls + 5)
  }),
)

test(
  'an interrupted run goes on where it ended, whatever was cut',
  withBench(async bench => {
    clips(bench, 12, 5)
    const command = ['encode', '@in', '--format', 'webdataset', '--shard', '6KB']
    assert.is(await bench.run(...command, '-o', '@whole'), 1)
    const whole = bench.files
      .filter(name => name.startsWith('whole/'))
      .map(name => [name.slice(6), String(bench.read(name))])
    let failsAt = 3
    bench.tokenizer.onCall = () => {
      if (--failsAt < 0) bench.interrupt.abort('SIGTERM')
    }
    assert.is(await bench.run(...command, '-o', '@out'), 143)
    assert.not(existsSync(bench.path('out/failed.jsonl')))
    const spool = bench.path('out/wavtok-spool.jsonl')
    if (existsSync(spool)) truncateSync(spool, Math.max(0, readFileSync(spool).length - 7))
    writeFileSync(bench.path('out/wavtok-journal.jsonl'), '{"shard": "shard-0000', { flag: 'a' })
    writeFileSync(bench.path('out/.wavtok-shard-000001.tar.tmp'), 'half of one')
    bench.tokenizer.onCall = () => {}
    Object.assign(bench, { interrupt: new AbortController() })
    assert.is(await bench.run(...command, '-o', '@out'), 1)
    assert.equal(
      bench.files
        .filter(name => name.startsWith('out/'))
        .map(name => [name.slice(4), String(bench.read(name))]),
      whole,
    )
  }),
)

test('results keep the order of their inputs, and no more calls run than were allowed', async () => {
  let running = 0
  let most = 0
  const results: number[] = []
  const slow = async (item: number) => {
    most = Math.max(most, ++running)
    await wait((item * 7) % 5)
    running--
    return item
  }
  const items = Array.from({ length: 20 }, (_, i) => i)
  for await (const result of inOrder(items, 3, slow)) results.push(result)
  assert.equal(results, items)
  assert.is(most, 3)
})

test('sizes', () => {
  assert.equal(['1GB', '250M', '12kb', '1.5K', '77'].map(parseSize), [1e9, 250e6, 12_000, 1500, 77])
  for (const text of ['', 'x', '-1', '0', '1TB', '1e3']) assert.is(parseSize(text), undefined, text)
})

test(
  'options that make no sense are refused',
  withBench(async bench => {
    bench.wav('in/a.wav')
    for (const [args, message] of [
      [['@in', '--format', 'webdataset'], /into the folder that -o names/],
      [['-', '-o', '@out', '--format', 'jsonl'], /reads files/],
      [['@in', '-o', '@out', '--format', 'jsonl', '--shard', 'big'], /--shard is 'big'/],
      [['@in', '-o', '@out', '--format', 'jsonl', '--jobs', '0'], /--jobs is '0'/],
      [['@in', '-o', '@out', '--jobs', '2'], /--jobs and --shard go with/],
    ] as const) {
      assert.is(await bench.run('encode', ...args), 2)
      assert.match(bench.stderr.text, message)
    }
  }),
)

test('killed ten times with two threads, the shards are those of one undisturbed run', async () => {
  const root = mkdtempSync(join(tmpdir(), 'wavtok-shards-'))
  try {
    const count = 40
    for (let i = 0; i < count; i++) {
      const samples = speech.subarray(1000 * i, 1000 * i + 12_000 + 100 * i)
      const { bytes } = encodeWav(samples, 24_000)
      writeFileSync(
        join(root, `clip-${String(i).padStart(2, '0')}.wav`),
        i === 17 ? bytes.subarray(0, 20) : bytes,
      )
    }
    const run = (out: string, jobs: number) =>
      spawn(
        process.execPath,
        [
          main,
          'encode',
          root,
          '-o',
          out,
          '--format',
          'webdataset',
          '--shard',
          '9KB',
          '--jobs',
          String(jobs),
          '-q',
        ],
        { stdio: 'ignore' },
      )
    const ended = (child: ReturnType<typeof run>) =>
      new Promise<number | null>(resolve => child.on('exit', resolve))
    const outs = mkdtempSync(join(tmpdir(), 'wavtok-shards-out-'))
    assert.is(await ended(run(join(outs, 'whole'), 1)), 1)
    let kills = 0
    let code: number | null = null
    for (let turn = 0; code === null; turn++) {
      const child = run(join(outs, 'killed'), 2)
      const exit = ended(child)
      if (kills < 10) {
        const spool = join(outs, 'killed', 'wavtok-spool.jsonl')
        const begun = () => existsSync(spool)
        while (!begun() && child.exitCode === null) await wait(2) // until it works, then some milliseconds more
        await wait((turn * 37) % 90)
        child.kill('SIGKILL')
        kills++
      }
      code = await exit
    }
    assert.is(code, 1) // one file is broken
    assert.is(kills, 10)
    const tree = (name: string) =>
      readdirSync(join(outs, name))
        .sort()
        .map(file => [
          file,
          createHash('sha256')
            .update(readFileSync(join(outs, name, file)))
            .digest('hex'),
        ])
    assert.equal(tree('killed'), tree('whole'))
    const tars = readdirSync(join(outs, 'whole')).filter(name => name.endsWith('.tar'))
    assert.ok(tars.length > 5)
    const keys = tars.flatMap(name => entries(readFileSync(join(outs, 'whole', name)))).map(([name]) => name)
    assert.is(new Set(keys).size, 2 * (count - 1))
    rmSync(outs, { recursive: true })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})

test.run()
