// Several clips in one call: each result is the one of its own single run.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AbortError,
  AudioError,
  DisposedError,
  loadTokenizer,
  type Progress,
  TokenError,
} from '../src/index.js'
import { identical } from './support/compare.js'
import { testFile } from './support/model.js'
import { rejects } from './support/rejects.js'
import { speech } from './support/streams.js'

const clips = [
  speech.subarray(0, 5000),
  speech.subarray(9000, 9001),
  [speech.subarray(0, 3000), speech.subarray(20_000, 23_000)],
  speech.subarray(30_000, 31_920),
]

for (const name of ['encodec/own.th', 'wavtokenizer/tiny-75.ckpt', 'dac/own.pth', 'snac/24k.bin']) {
  const tokenizer = await loadTokenizer(testFile(`vectors/${name}`), { deterministic: true })

  test(`${name}: every clip of a batch is as alone`, async () => {
    const batch = await tokenizer.encodeBatch(clips)
    assert.is(batch.length, clips.length)
    for (const [i, clip] of clips.entries())
      assert.equal(batch[i].codes, (await tokenizer.encode(clip)).codes)
    const decoded = await tokenizer.decodeBatch(batch)
    for (const [i, tokens] of batch.entries())
      identical(decoded[i].samples, (await tokenizer.decode(tokens)).samples, `clip ${i}`)
  })
}

test('options go to every clip; progress is that of the batch', async () => {
  const tokenizer = await loadTokenizer(testFile('vectors/encodec/own.th'))
  const seen: Progress[] = []
  const batch = await tokenizer.encodeBatch(new Set(clips), {
    codebooks: 2,
    sampleRate: 16_000,
    onProgress: progress => seen.push(progress),
  })
  assert.ok(batch.every(tokens => tokens.codebooks === 2))
  const shares = seen.map(({ loaded }) => loaded)
  assert.equal(
    shares,
    shares.toSorted((a, b) => a - b),
  )
  assert.is(shares.at(-1), 1)
  assert.equal(await tokenizer.encodeBatch([]), [])
})

test('an error says which clip; abort and disposal end the batch', async () => {
  const tokenizer = await loadTokenizer(testFile('vectors/encodec/own.th'))
  await rejects(() => tokenizer.encodeBatch([clips[0], new Float32Array(0)]), AudioError, /^clip 1: /)
  await rejects(() => tokenizer.decodeBatch([[[1]], [[64]]]), TokenError, /^clip 1: code 64/)
  const abort = new AbortController()
  const onProgress = () => abort.abort()
  await rejects(() => tokenizer.encodeBatch(clips, { signal: abort.signal, onProgress }), AbortError, /./)
  await rejects(() => tokenizer.encodeBatch([], { signal: abort.signal }), AbortError, /./)
  const pending = tokenizer.encodeBatch(clips)
  tokenizer.dispose()
  await rejects(() => pending, DisposedError, /./)
})

test.run()
