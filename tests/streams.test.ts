// Streams: the same tokens and samples as whole clips for any chunking, back-pressure, abort, and memory on every way out.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AbortError,
  AudioError,
  type AudioTokens,
  ConfigError,
  type DecodedAudio,
  DisposedError,
  type StreamSource,
  TokenError,
} from '../src/index.js'
import { CrossFade, WindowPlan } from '../src/windows.js'
import { identical, snr } from './support/compare.js'
import { concat } from './support/model.js'
import { random, randomArray } from './support/random.js'
import { rejects } from './support/rejects.js'
import { cut, GLOBAL, open, STREAMING, speech } from './support/streams.js'

async function codesOf(results: AsyncIterable<AudioTokens>): Promise<number[]> {
  const codes: number[] = []
  for await (const tokens of results) codes.push(...tokens.codes[0])
  return codes
}

async function samplesOf(results: AsyncIterable<DecodedAudio>): Promise<Float32Array> {
  const parts: Float32Array[] = []
  for await (const { samples, sampleRate } of results) {
    assert.is(sampleRate, 24_000)
    parts.push(samples)
  }
  return concat(parts)
}

/** Chunk sizes: 1 sample, odd ones with empty chunks between, 10 s, and random. */
function chunkings(seed: number): [name: string, size: () => number][] {
  const next = random(seed)
  const odd = [0, 1, 319, 320, 321, 0, 4096]
  let turn = 0
  return [
    ['odd', () => odd[turn++ % odd.length]],
    ['10 s', () => 240_000],
    ['random', () => Math.floor(2 ** (8 + 8 * next()))],
  ]
}

for (const name of [GLOBAL, STREAMING]) {
  test(`${name}: streamed tokens equal whole-clip tokens for any chunking and rate`, async () => {
    const { tokenizer, heap } = await open(name)
    const before = heap.used
    for (const [i, sampleRate] of [24_000, 16_000, 44_100, 48_000].entries()) {
      const expected = [...(await tokenizer.encode(speech, { sampleRate })).codes[0]]
      for (const [kind, size] of chunkings(i)) {
        const codes = await codesOf(tokenizer.encodeStream(cut(speech, size), { sampleRate }))
        assert.equal(codes, expected, `${kind} chunks at ${sampleRate} Hz`)
      }
    }
    assert.is(heap.used, before)
  })

  test(`${name}: one sample at a time, 16-bit, and a ReadableStream`, async () => {
    const { tokenizer, heap } = await open(name)
    const before = heap.used
    const short = Int16Array.from(speech.subarray(0, 6000), value => value * 32768)
    const expected = [...(await tokenizer.encode(short, { sampleRate: 16_000 })).codes[0]]
    const singly = tokenizer.encodeStream(
      cut(short, () => 1),
      { sampleRate: 16_000 },
    )
    assert.equal(await codesOf(singly), expected)
    const chunks = [...cut(short, () => 1000)]
    const stream = new ReadableStream<Int16Array>({
      pull: controller => (chunks.length ? controller.enqueue(chunks.shift()!) : controller.close()),
    })
    assert.equal(await codesOf(tokenizer.encodeStream(stream, { sampleRate: 16_000 })), expected)
    assert.is(heap.used, before)
  })
}

test('an exactly streaming decoder: samples equal the whole-clip decode for any chunking and kind of tokens', async () => {
  const { tokenizer, heap } = await open(STREAMING)
  const before = heap.used
  const tokens = await tokenizer.encode(speech)
  const { samples } = await tokenizer.decode(tokens)
  const [codes] = tokens.codes
  const next = random(3)
  const sources: StreamSource<AudioTokens | Uint16Array | readonly Uint16Array[]>[] = [
    [tokens],
    cut(codes, () => 1),
    [...cut(codes, () => 7)].map(row => [row]),
    cut(codes, () => Math.floor(20 + 20 * next())),
  ]
  for (const source of sources) identical(await samplesOf(tokenizer.decodeStream(source)), samples)
  identical((await tokenizer.decode(tokens, { chunkSeconds: 0.5 })).samples, samples)
  assert.is(heap.used, before)
})

test('a decoder that sees the whole clip: every sample comes once, the plan does not depend on the chunking', async () => {
  const { tokenizer, heap } = await open(GLOBAL)
  const before = heap.used
  const tokens = await tokenizer.encode(speech)
  const whole = (await tokenizer.decode(tokens)).samples
  const [codes] = tokens.codes
  for (const windowSeconds of [0.1, 0.5, 1]) {
    for (const contextSeconds of [0, 0.1, 1.5]) {
      const options = { windowSeconds, contextSeconds }
      const once = await samplesOf(tokenizer.decodeStream([tokens], options))
      assert.is(once.length, whole.length)
      const chunks = cut(codes, () => 11)
      identical(await samplesOf(tokenizer.decodeStream(chunks, options)), once, JSON.stringify(options))
    }
  }
  const asOne = await samplesOf(tokenizer.decodeStream([tokens], { windowSeconds: 2, contextSeconds: 1 }))
  identical(asOne, whole, 'a clip of one window and its context is decoded whole')
  const chunked = await tokenizer.decode(tokens, { chunkSeconds: 0.5 })
  identical(chunked.samples, await samplesOf(tokenizer.decodeStream([tokens], { windowSeconds: 0.5 })))
  assert.is(heap.used, before)
})

test('windows: more context is closer to the whole clip, and seams are as smooth as what is beside them', async () => {
  const { tokenizer } = await open(GLOBAL)
  const tokens = await tokenizer.encode(speech)
  const whole = (await tokenizer.decode(tokens)).samples
  const seams = [7680, 15_360, 23_040, 30_720, 38_400, 46_080, 53_760, 61_440]
  const energy = (samples: Float32Array, from: number, to: number) =>
    seams.reduce((sum, seam) => sum + roughness(samples, seam + from, seam + to), 0)
  const quality: number[] = []
  for (const contextSeconds of [0.1, 1, 2.5]) {
    const options = { windowSeconds: 0.32, contextSeconds }
    const samples = await samplesOf(tokenizer.decodeStream([tokens], options))
    quality.push(snr(samples, whole))
    const inside = energy(samples, -240, 240)
    const beside = (energy(samples, -720, -240) + energy(samples, 240, 720)) / 2
    const allowed = 1.05 * Math.max(beside, energy(whole, -240, 240))
    assert.ok(inside <= allowed, `context ${contextSeconds} s: ${inside} at the seams, ${beside} beside them`)
  }
  assert.ok(quality[0] < quality[1] && quality[1] < quality[2], quality.join(' < '))
})

test('windows that disagree meet without a click', () => {
  const wave = (phase: number) =>
    Float32Array.from({ length: 24_000 }, (_, i) => Math.sin((2 * Math.PI * 200 * i) / 24_000 + phase))
  for (const phase of [0.1, 1, Math.PI / 2, Math.PI]) {
    const plan = new WindowPlan({ windowSeconds: 0.5, contextSeconds: 0.25 }, 75, 320)
    const fade = new CrossFade(plan.fade)
    const parts: Float32Array[] = []
    for (let window = plan.take(75, true); window; window = plan.take(75, true)) {
      const samples = wave(parts.length * phase).subarray(window.first * 320, window.last * 320)
      parts.push(fade.join(samples.slice(), window))
    }
    assert.is(parts.length, 2)
    const joined = concat(parts)
    assert.is(joined.length, 24_000)
    const steps = joined.subarray(1).map((value, i) => Math.abs(value - joined[i]))
    const seam = steps.subarray(11_700, 12_300).reduce((a, b) => Math.max(a, b))
    const beside = steps.subarray(0, 11_700).reduce((a, b) => Math.max(a, b))
    assert.ok(seam <= beside * 1.1, `phase ${phase}: steps of ${seam}, beside ${beside}`)
  }
})

/** Energy of the first difference within [from, to). */
function roughness(samples: Float32Array, from: number, to: number): number {
  let energy = 0
  for (let i = from; i < Math.min(to, samples.length - 1); i++) energy += (samples[i + 1] - samples[i]) ** 2
  return energy
}

test('look-ahead: a token comes as soon as the samples that it needs, and not before it could', async () => {
  for (const name of [GLOBAL, STREAMING]) {
    const { tokenizer } = await open(name)
    const { encoderLookaheadMs, hopLength } = tokenizer.info
    const lookahead = Math.round(encoderLookaheadMs! * 24)
    let sent = 0
    let latest = 0
    let frames = 0
    const source = function* () {
      for (const chunk of cut(speech.subarray(0, 24_000), () => 1)) {
        sent++
        yield chunk
      }
    }
    for await (const tokens of tokenizer.encodeStream(source())) {
      if (sent === 24_000) break
      frames += tokens.frames
      latest = Math.max(latest, sent - frames * hopLength)
    }
    assert.is(latest, lookahead, name)
    assert.ok(frames > 50)
  }
})

test('look-ahead is real: later samples change no token, the last needed one does', async () => {
  for (const name of [GLOBAL, STREAMING]) {
    const { tokenizer } = await open(name)
    const { hopLength, encoderLookaheadMs } = tokenizer.info
    const frame = 20
    const end = (frame + 1) * hopLength + Math.round(encoderLookaheadMs! * 24)
    const features = (samples: Float32Array) => tokenizer.features(samples)
    const base = await features(speech)
    const dim = base.length / Math.ceil(speech.length / hopLength)
    const row = (values: Float32Array) => values.slice(frame * dim, (frame + 1) * dim)
    const after = speech.slice()
    after.set(randomArray(after.length - end, 5, 0.5), end)
    identical(row(await features(after)), row(base), `${name}: samples from ${end} on`)
    const last = speech.slice()
    for (let i = 1; i <= 32; i++) last[end - i] += 0.9
    assert.ok(snr(row(await features(last)), row(base)) < 200, `${name}: samples before ${end} count`)
  }
})

test('look-ahead of a streaming decoder: samples come decoderLookaheadMs behind their tokens', async () => {
  const { tokenizer } = await open(STREAMING)
  const { decoderLookaheadMs, hopLength } = tokenizer.info
  const tokens = await tokenizer.encode(speech)
  let sent = 0
  let made = 0
  let latest = 0
  const source = function* () {
    for (const code of tokens.codes[0]) {
      sent++
      yield [code]
    }
  }
  for await (const { samples } of tokenizer.decodeStream(source())) {
    if (sent === tokens.frames) break
    made += samples.length
    latest = Math.max(latest, sent * hopLength - made)
  }
  assert.ok(latest <= Math.ceil((decoderLookaheadMs! * 24) / hopLength) * hopLength, `${latest} samples`)
  assert.ok(latest > decoderLookaheadMs! * 24 - hopLength, `${latest} samples`)
})

test('several streams and calls interleave on one tokenizer', async () => {
  for (const name of [GLOBAL, STREAMING]) {
    const { tokenizer, heap } = await open(name)
    const before = heap.used
    const clips = [1, 2, 3].map(seed => randomArray(30_000 + 1000 * seed, seed, 0.3))
    const expected = await Promise.all(clips.map(async clip => [...(await tokenizer.encode(clip)).codes[0]]))
    const whole = await tokenizer.decode(expected[0])
    const sizes = [777, 3000, 12_345]
    const together = await Promise.all([
      ...clips.map((clip, i) => codesOf(tokenizer.encodeStream(cut(clip, () => sizes[i])))),
      tokenizer.encode(clips[1]).then(tokens => [...tokens.codes[0]]),
      tokenizer.decode(expected[0]),
    ])
    assert.equal(together.slice(0, 3), expected)
    assert.equal(together[3], expected[1])
    identical((together[4] as DecodedAudio).samples, whole.samples)
    assert.is(heap.used, before)
  }
})

test('transform streams: pipeThrough both ways, and back-pressure', async () => {
  const { tokenizer, heap } = await open(STREAMING)
  const before = heap.used
  const tokens = await tokenizer.encode(speech)
  const { samples } = await tokenizer.decode(tokens)
  let pulled = 0
  const source = new ReadableStream<Float32Array>(
    {
      pull(controller) {
        if (pulled * 2400 >= speech.length) controller.close()
        else controller.enqueue(speech.subarray(pulled * 2400, ++pulled * 2400))
      },
    },
    { highWaterMark: 0 },
  )
  const audio = source.pipeThrough(tokenizer.encoderStream()).pipeThrough(tokenizer.decoderStream())
  const reader = audio.getReader()
  const parts: Float32Array[] = []
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value.samples)
    await new Promise(resolve => setTimeout(resolve, 2))
    const made = parts.reduce((sum, part) => sum + part.length, 0)
    assert.ok(pulled * 2400 - made <= 5 * 2400, `${pulled} chunks pulled for ${made} samples`)
  }
  identical(concat(parts), samples)
  assert.is(heap.used, before)
})

test('memory is given back on every way out', async () => {
  for (const name of [GLOBAL, STREAMING]) {
    const { tokenizer, heap } = await open(name)
    const before = heap.used
    let cancelled = 0
    const endless = async function* () {
      try {
        for (;;) yield speech.subarray(0, 4800)
      } finally {
        cancelled++
      }
    }
    for await (const _ of tokenizer.encodeStream(endless())) break
    assert.is(heap.used, before, 'break')
    const unused = tokenizer.encodeStream(endless())
    await unused.return()
    assert.equal(await unused.next(), { done: true, value: undefined })
    const stop = new AbortController()
    const aborted = tokenizer.encodeStream(endless(), { signal: stop.signal })
    await aborted.next()
    stop.abort('enough')
    await rejects(() => aborted.next(), AbortError, /aborted/)
    assert.equal(await aborted.next(), { done: true, value: undefined })
    await rejects(
      () => tokenizer.encodeStream(endless(), { signal: AbortSignal.abort() }).next(),
      AbortError,
      /aborted/,
    )
    const failing = async function* () {
      yield speech.subarray(0, 4800)
      throw new Error('microphone unplugged')
    }
    await rejects(() => codesOf(tokenizer.encodeStream(failing())), Error, /unplugged/)
    const pair = tokenizer.encoderStream()
    const piping = readable(endless()).pipeTo(pair.writable)
    const reader = pair.readable.getReader()
    await reader.read()
    await reader.cancel()
    await piping.catch(() => {})
    const other = tokenizer.encoderStream()
    const writer = other.writable.getWriter()
    const reading = other.readable.getReader().read()
    writer.write(speech.subarray(0, 100)).catch(() => {})
    writer.abort(new Error('writer gone')).catch(() => {})
    await rejects(() => reading, Error, /writer gone/)
    assert.is(heap.used, before)
    assert.is(cancelled, 3, 'sources that were started are told to stop')
  }
})

test('a source that never answers: abort and return end the wait', async () => {
  const { tokenizer, heap } = await open(STREAMING)
  const before = heap.used
  const silent: AsyncIterable<Float32Array> = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
  }
  const stop = new AbortController()
  const aborted = tokenizer.encodeStream(silent, { signal: stop.signal }).next()
  setTimeout(() => stop.abort(), 5)
  await rejects(() => aborted, AbortError, /aborted/)
  const results = tokenizer.encodeStream(silent)
  const pending = results.next()
  await new Promise(resolve => setTimeout(resolve, 5))
  await results.return()
  assert.equal(await pending, { done: true, value: undefined })
  assert.is(heap.used, before)
})

test('bad input', async () => {
  const { tokenizer } = await open(GLOBAL)
  const bad = new Float32Array(500)
  bad[3] = Number.NaN
  const encode = (chunks: unknown[], options = {}) =>
    codesOf(tokenizer.encodeStream(chunks as Float32Array[], options))
  await rejects(() => encode([new Float32Array(1000), bad]), AudioError, /sample 1003 of the stream is NaN/)
  await rejects(() => encode([[0, 1]]), AudioError, /Float32Array or Int16Array chunks; got Array/)
  await rejects(() => encode([bad], { sampleRate: 0.5 }), AudioError, /sample rates/)
  await rejects(async () => tokenizer.encodeStream(5 as never), TypeError, /AsyncIterable/)
  assert.equal(await encode([]), [])
  assert.equal(await encode([new Float32Array(0)]), [])
  const decode = (chunks: unknown[], options = {}) =>
    samplesOf(tokenizer.decodeStream(chunks as Uint16Array[], options))
  await rejects(() => decode([[1], [64]]), TokenError, /code 64/)
  await rejects(() => decode([[1]], { windowSeconds: 0 }), ConfigError, /positive length/)
  await rejects(() => decode([[1]], { contextSeconds: -1 }), ConfigError, /0 or more/)
  assert.is((await decode([])).length, 0)
  assert.is((await decode([[], [5]])).length, 320)
})

test('a disposed tokenizer ends its streams', async () => {
  const { tokenizer, heap } = await open(STREAMING)
  const results = tokenizer.encodeStream(cut(speech, () => 2400))
  await results.next()
  tokenizer.dispose()
  await rejects(() => results.next(), DisposedError, /disposed/)
  assert.is(heap.used, 0, 'streams and weights are freed')
  await rejects(() => tokenizer.encodeStream([speech]).next(), DisposedError, /disposed/)
})

function readable<T>(source: AsyncGenerator<T>): ReadableStream<T> {
  return new ReadableStream<T>({
    async pull(controller) {
      controller.enqueue((await source.next()).value)
    },
    async cancel() {
      await source.return(undefined)
    },
  })
}

test.run()
