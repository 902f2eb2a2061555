// Streams pushed by hand: equal to whole clips, and saved and restored at any point without a trace.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type AudioTokenizer, type AudioTokens, ConfigError, TokenError } from '../src/index.js'
import { identical } from './support/compare.js'
import { concat } from './support/model.js'
import { random } from './support/random.js'
import { rejects } from './support/rejects.js'
import { GLOBAL, open, STREAMING, speech } from './support/streams.js'

const MIMI = 'vectors/mimi/tiny.safetensors'
const ENCODEC = 'vectors/encodec/own.th'
const SECONDS_16K = speech.subarray(0, 40_000)

/** Pushes pieces through sessions, each of which hands over to the next, in another core, after every `per` pieces. */
async function relayed<Piece, Result>(
  opened: () => Promise<Awaited<ReturnType<AudioTokenizer['encodeSession']>>> | Promise<unknown>,
  pieces: readonly Piece[],
  per: number,
): Promise<Result[]> {
  type Any = {
    push(piece: Piece): Promise<Result | undefined>
    end(): Promise<Result | undefined>
    save(): Promise<Uint8Array>
    restore(saved: Uint8Array): Promise<void>
    close(): Promise<void>
  }
  let session = (await opened()) as Any
  const results: (Result | undefined)[] = []
  for (const [i, piece] of pieces.entries()) {
    if (i % per === per - 1) {
      const saved = await session.save()
      await session.close()
      session = (await opened()) as Any
      await session.restore(saved)
      assert.equal(await session.save(), saved, 'restored and saved again')
    }
    results.push(await session.push(piece))
  }
  results.push(await session.end())
  await session.close()
  return results.filter(result => result !== undefined)
}

const tokensOf = ([first, ...others]: AudioTokens[]) => first.concat(...others)

function pieces(samples: Float32Array, most: number, seed: number): Float32Array[] {
  const next = random(seed)
  const result: Float32Array[] = []
  for (let at = 0; at < samples.length; ) {
    const count = 1 + Math.floor(((next() + 1) / 2) * most)
    result.push(samples.subarray(at, at + count))
    at += count
  }
  return result
}

for (const [name, sampleRate, codebooks] of [
  [MIMI, 24_000, undefined],
  [MIMI, 24_000, 2],
  [MIMI, 16_000, undefined],
  [ENCODEC, 24_000, undefined],
  [STREAMING, 24_000, undefined],
  [STREAMING, 16_000, undefined],
  [GLOBAL, 24_000, undefined],
] as const)
  test(`${name}, ${sampleRate} Hz, ${codebooks ?? 'all'} codebooks: an encoder's state moves between cores`, async () => {
    const options = { sampleRate, codebooks }
    const offline = await (await open(name)).tokenizer.encode(SECONDS_16K, options)
    for (const [most, per] of [
      [2 * 1920, 3],
      [700, 9],
    ] as const) {
      const parts = await relayed<Float32Array, AudioTokens>(
        async () => (await open(name)).tokenizer.encodeSession(options),
        pieces(SECONDS_16K, most, most),
        per,
      )
      assert.equal(tokensOf(parts).codes, offline.codes)
    }
  })

for (const name of [MIMI, ENCODEC, STREAMING])
  test(`${name}: a decoder's state moves between cores`, async () => {
    const { tokenizer } = await open(name)
    const tokens = await tokenizer.encode(SECONDS_16K)
    const frames = Array.from({ length: tokens.frames }, (_, i) => tokens.slice(i, i + 1))
    const parts = await relayed<AudioTokens, { samples: Float32Array }>(
      async () => (await open(name)).tokenizer.decodeSession(),
      frames,
      5,
    )
    identical(concat(parts.map(part => part.samples)), (await tokenizer.decode(tokens)).samples)
  })

test('a push of any length, in any accepted shape, gives one result', async () => {
  const { tokenizer } = await open(MIMI)
  const encoder = await tokenizer.encodeSession()
  const tokens = (await encoder.push(speech))!
  assert.equal(
    tokens.codes,
    (await tokenizer.encode(speech)).codes.map(row => row.slice(0, tokens.frames)),
  )
  assert.is(await encoder.push(new Float32Array()), undefined)
  await encoder.close()
  const decoder = await tokenizer.decodeSession()
  const audio = (await decoder.push(tokens.codes))!
  identical(audio.samples, (await tokenizer.decode(tokens)).samples)
  await rejects(() => decoder.push([[0], [99]]), TokenError, /99/)
  await decoder.close()
})

test('the size of a state does not grow with the stream', async () => {
  const { tokenizer } = await open(MIMI)
  const session = await tokenizer.encodeSession()
  const frames = speech.subarray(0, 36 * 1920)
  await session.push(frames)
  const { length } = await session.save()
  for (let i = 0; i < 3; i++) await session.push(frames)
  assert.is((await session.save()).length, length)
  await session.close()
})

test('what cannot be saved or restored says so', async () => {
  const { tokenizer } = await open(MIMI)
  const session = await tokenizer.encodeSession()
  const untouched = await session.save()
  await session.push(speech)
  const saved = await session.save()
  const fresh = () => tokenizer.encodeSession()
  await rejects(() => session.restore(saved), ConfigError, /before anything is pushed/)
  for (let length = 0; length < saved.length; length += 997)
    await rejects(
      async () => (await fresh()).restore(saved.slice(0, length)),
      ConfigError,
      /no saved stream|damaged/,
    )
  for (let at = 0; at < saved.length; at += 997) {
    const changed = saved.slice()
    changed[at] ^= 64
    await rejects(async () => (await fresh()).restore(changed), ConfigError, /no saved stream|damaged/)
  }
  await rejects(async () => (await fresh()).restore('state' as never), ConfigError, /no saved stream/)
  await rejects(
    async () => (await tokenizer.decodeSession()).restore(saved),
    ConfigError,
    /another model, kind/,
  )
  await rejects(
    async () => (await tokenizer.encodeSession({ codebooks: 2 })).restore(saved),
    ConfigError,
    /another model/,
  )
  await rejects(
    async () => (await (await open(STREAMING)).tokenizer.encodeSession()).restore(saved),
    ConfigError,
    /another model/,
  )
  await session.end()
  await rejects(() => session.save(), ConfigError, /has ended/)
  await rejects(() => session.push(speech), Error, /ended/)
  const windows = await (await open(GLOBAL)).tokenizer.decodeSession()
  await rejects(() => windows.save(), ConfigError, /whole clips/)
  const again = await fresh()
  await again.restore(untouched)
  assert.equal(
    (await again.push(speech))!.codes[0].slice(0, 3),
    (await tokenizer.encode(speech)).codes[0].slice(0, 3),
  )
})

test.run()
