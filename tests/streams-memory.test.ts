// Streams and tokenizers of any number and length take no more memory than the first.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { AudioTokenizer, loadTokenizer } from '../src/index.js'
import { openModel, testFile } from './support/model.js'
import { randomArray } from './support/random.js'
import { cut, GLOBAL, open, STREAMING, speech } from './support/streams.js'

test('an hour of audio, both ways: memory stays where it was after a minute', async () => {
  const { tokenizer, heap } = await open(STREAMING)
  const second = randomArray(24_000, 1, 0.3)
  const hour = function* () {
    for (let i = 0; i < 3600; i++) yield second
  }
  let early: [peak: number, capacity: number] | undefined
  let samples = 0
  for await (const audio of tokenizer.decodeStream(tokenizer.encodeStream(hour()))) {
    samples += audio.samples.length
    if (samples > 24_000 * 60) early ??= [heap.peak, heap.capacity]
  }
  assert.is(samples, 24_000 * 3600)
  assert.equal([heap.peak, heap.capacity], early)
})

test('ten minutes by windows: memory stays where it was after one', async () => {
  const { tokenizer, heap } = await open(GLOBAL)
  const codes = Uint16Array.from(randomArray(45_000, 2, 31), value => value + 32)
  let early: [peak: number, capacity: number] | undefined
  let samples = 0
  for await (const audio of tokenizer.decodeStream(cut(codes, () => 100))) {
    samples += audio.samples.length
    if (samples > 24_000 * 60) early ??= [heap.peak, heap.capacity]
  }
  assert.is(samples, 24_000 * 600)
  assert.equal([heap.peak, heap.capacity], early)
})

test('200 times load, use, dispose: nothing is left', async () => {
  const file = 'vectors/wavtokenizer/micro-folded.safetensors'
  const bytes = readFileSync(testFile(file))
  const clip = speech.subarray(0, 4800)
  const use = async (tokenizer: AudioTokenizer) => {
    await tokenizer.decode((await tokenizer.encode(clip)).slice(0, 20))
    for await (const _ of tokenizer.encodeStream([clip, clip])) break
    for await (const _ of tokenizer.decodeStream([[1, 2, 3]])) break
    tokenizer.dispose()
  }
  const sizes: number[] = []
  for (let i = 0; i < 200; i++) {
    await use(await loadTokenizer(bytes))
    const { region, heap, model } = await openModel(file)
    assert.ok(heap.used > 0)
    await use(new AudioTokenizer(region, model, 'baseline'))
    await new Promise(resolve => setTimeout(resolve))
    assert.is(heap.used, 0)
    sizes.push(process.memoryUsage().rss)
  }
  const middle = Math.max(...sizes.slice(80, 140))
  const late = Math.max(...sizes.slice(140))
  assert.ok(late < middle * 1.25, `${middle >> 20} MiB up to cycle 140, ${late >> 20} MiB after`)
})

test.run()
