import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeWav } from '../../src/audio/index.js'
import { decodeTokens, encodeTokens } from '../../src/codes/index.js'
import { AudioTokens } from '../../src/index.js'
import { HOP, withBench } from './harness.js'

const FORMAT = { codebookSizes: [4096], frameRate: 75, sampleRate: 24000, model: 'fake' }
const TOKENS = new AudioTokens([Array.from({ length: 60 }, (_, i) => (i * i) % 4096)], FORMAT)

/** Three blocks of 20 frames, the last of them damaged. */
function damaged(): Uint8Array {
  const file = encodeTokens(TOKENS, 'wtok', { blockFrames: 20 })
  file[file.length - 12] ^= 1
  return file
}

test(
  'encode writes .wtok with the hash of the weights; decode says when others are used',
  withBench(async bench => {
    bench.wav('a.wav')
    bench.write('one.safetensors', 'weights')
    bench.write('other.safetensors', 'others')
    assert.is(await bench.run('encode', '@a.wav', '--model', '@one.safetensors'), 0)
    const { fileFormat, modelHash, model } = decodeTokens(bench.read('a.wtok'))
    // sha256sum of 'weights'
    assert.equal([fileFormat, modelHash, model], ['wtok', '9a129038d9a00aed', 'fake'])
    assert.is(await bench.run('decode', '@a.wtok', '-o', '@b.wav', '--model', '@one.safetensors'), 0)
    assert.not.match(bench.stderr.text, /weights/)
    assert.is(await bench.run('decode', '@a.wtok', '-o', '@b.wav', '--model', '@other.safetensors'), 0)
    assert.match(bench.stderr.text, /made with weights 9a129038d9a00aed; these are [0-9a-f]{16}/)
    assert.is(await bench.run('info', '@a.wtok'), 0)
    assert.match(bench.stdout.text, /token file \(wtok\)(.*\n)*.*model {3}fake \(9a129038d9a00aed\)/)
  }),
)

test(
  'a damaged file names its byte; --recover takes what lies before it',
  withBench(async bench => {
    bench.write('t.wtok', damaged())
    assert.is(await bench.run('decode', '@t.wtok', '-o', '@t.wav'), 1)
    assert.match(
      bench.stderr.text,
      /t\.wtok: .*damaged: a block with a wrong checksum after 40 frames \(at byte \d+\)/,
    )
    assert.not(bench.files.includes('t.wav'))
    assert.is(await bench.run('decode', '@t.wtok', '-o', '@t.wav', '--recover'), 0)
    assert.match(bench.stderr.text, /\(at byte \d+\); 40 frames before that were recovered/)
    assert.is(decodeWav(bench.read('t.wav')).channels[0].length, 40 * HOP)
    assert.is(await bench.run('info', '@t.wtok'), 1)
    assert.is(await bench.run('info', '@t.wtok', '--recover', '--json'), 0)
    assert.equal([bench.json[0].frames, typeof bench.json[0].damagedAt], [40, 'number'])
  }),
)

test.run()
