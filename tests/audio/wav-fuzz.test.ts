import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeWav } from '../../src/audio/wav.js'
import { encodeWav } from '../../src/audio/wav-write.js'
import { AudioError } from '../../src/errors.js'
import { random, randomArray } from '../support/random.js'
import { chunk, extensible, join, pcm16, riff, text } from './wav-bytes.js'

const SEEDS: Uint8Array<ArrayBuffer>[] = [
  encodeWav([randomArray(40, 1), randomArray(40, 2)], 44100).bytes,
  encodeWav(randomArray(40, 3), 8000, 'float32').bytes,
  riff(
    chunk('LIST', text('abcde')),
    chunk('fmt ', extensible({ bits: 24 }, 20)),
    chunk('data', pcm16(1, 2, 3)),
  ),
]
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff]

/** A few bytes overwritten (often with extremes), maybe cut short, maybe with a slice repeated. */
function mutate(seed: Uint8Array<ArrayBuffer>, next: () => number): Uint8Array {
  const below = (limit: number) => Math.floor(((next() + 1) / 2) * limit)
  let bytes = seed.slice()
  for (let edits = 1 + below(4); edits > 0; edits--) {
    const at = below(below(2) === 0 ? 60 : bytes.length) % bytes.length
    bytes[at] = below(2) === 0 ? EXTREMES[below(EXTREMES.length)] : below(256)
  }
  if (below(4) === 0) bytes = join(bytes.subarray(0, below(bytes.length)))
  if (below(4) === 0) bytes = join(bytes, bytes.subarray(below(bytes.length + 1)))
  return bytes
}

test('20000 mutated files: a well-formed result or an AudioError, nothing else', () => {
  const next = random(20261123)
  let read = 0
  for (let i = 0; i < 20_000; i++) {
    const bytes = mutate(SEEDS[i % SEEDS.length], next)
    try {
      const { channels, sampleRate } = decodeWav(bytes)
      read++
      const samples = channels.reduce((sum, channel) => sum + channel.length, 0)
      assert.ok(channels.every(channel => channel.length === channels[0].length))
      assert.ok(sampleRate > 0 && samples <= bytes.length, `${samples} samples out of ${bytes.length} bytes`)
    } catch (error) {
      if (!(error instanceof AudioError)) assert.unreachable(`file ${i}: ${(error as Error).stack}`)
    }
  }
  assert.ok(read > 5000 && read < 20_000, `${read} files could be read: the mutations test too little`)
})

test.run()
