// Every stage of the default family against PyTorch (training/dump_vectors.py), and exact streaming both ways.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Region } from '../../bindings/memory.js'
import { byteSource } from '../../src/checkpoints/bytes.js'
import { openCheckpoint } from '../../src/checkpoints/open.js'
import type { TensorSource } from '../../src/checkpoints/source.js'
import { loadMini } from '../../src/models/mini.js'
import { melPoints, shareMatrix, spreadMatrix, triangles, widenedMelPoints } from '../../src/nn/bands.js'
import { receiver } from '../../src/nn/clip.js'
import { Synthesizer } from '../../src/nn/synthesizer.js'
import { identical, near, snr } from '../support/compare.js'
import { freshCore } from '../support/core.js'
import { concat, decode, encode, push, recorder, testFile } from '../support/model.js'
import { random } from '../support/random.js'
import { vectors } from '../support/vectors.js'

const SNR_DB = 100 // measured: 123 dB and more
const file = vectors('mini/tiny.safetensors')
const expected = (name: string) => file.get(`vectors.${name}`)!.data
const source = withoutVectors(
  await openCheckpoint(await byteSource(testFile('vectors/mini/tiny.safetensors'))),
)
const { heap, region } = await freshCore()
const model = await loadMini(region, source)
const samples = expected('samples')
const codes = file.get('vectors.codes')!.integers

test('the encoder equals PyTorch at every stage', () => {
  const { probe, names, stage } = recorder(region)
  assert.equal(encode(region, model, samples, probe), [...codes])
  const { shift, scale } = model.info.config.front_end as { shift: number; scale: number }
  near(
    stage('log_mel').map(value => value / scale + shift),
    expected('log_mel').map(value => Math.max(value, Math.log(1e-3))),
    1e-4, // measured 6e-5, where a band is all but silent
    'log_mel',
  )
  for (const name of names().filter(one => one.startsWith('encoder.'))) {
    const quality = snr(stage(name), expected(name))
    assert.ok(quality >= SNR_DB, `${name}: SNR ${quality.toFixed(1)} dB`)
  }
  assert.is(names().filter(one => one.startsWith('encoder.')).length, 6)
})

test('the decoder equals PyTorch at every stage', () => {
  const { probe, names, stage } = recorder(region)
  const audio = decode(region, model, codes, probe)
  for (const name of names().filter(one => one.startsWith('decoder.'))) {
    const quality = snr(stage(name), expected(name))
    assert.ok(quality >= SNR_DB, `${name}: SNR ${quality.toFixed(1)} dB`)
  }
  assert.is(audio.length, codes.length * 320)
  const quality = snr(audio, expected('audio'))
  assert.ok(quality >= SNR_DB, `audio: SNR ${quality.toFixed(1)} dB`)
})

test('the synthesiser at its shipped size equals PyTorch', () => {
  const shipped = vectors('mini/synth.safetensors')
  const get = (name: string) => shipped.get(`vectors.${name}`)!.data
  const config = {
    n_fft: 1280,
    window: 800,
    bands: 80,
    min_width: 40,
    f_max: 12_000,
    harmonic_limit: 11_500,
    f0_min: 55,
    f0_max: 500,
    aperiodicity_hz: [0, 1000, 2000, 4000, 6000, 9000],
  }
  const local = region.child()
  const layer = new Synthesizer(local, config, 24_000, 320)
  const [bands, pitch, shares] = [get('log_bands'), get('f0'), get('share')]
  const rows = Array.from(pitch, (hz, t) => [
    ...bands.subarray(80 * t, 80 * t + 80).map(level => (level + 1) / 3),
    2 * Math.log(hz / 140),
    ...shares.subarray(5 * t, 5 * t + 5).map(share => Math.log(share / (1 - share))),
  ])
  const parts: Float32Array[] = []
  const stage = layer.open(
    local,
    receiver(local, 1, (at, count) => parts.push(local.heap.f32(at, count).slice())),
  )
  for (const row of rows) {
    heap.f32(stage.reserve(1), 86).set(row)
    stage.commit(1)
  }
  stage.end()
  const quality = snr(concat(parts), get('audio'))
  assert.ok(quality >= SNR_DB, `audio: SNR ${quality.toFixed(1)} dB`)
  local.free()
})

test('filter banks equal their definition', () => {
  const shipped = vectors('mini/synth.safetensors')
  const get = (name: string) => shipped.get(`vectors.${name}`)!.data
  const mel = triangles(melPoints(102, 12_000), 641, 24_000)
  near(rowSums(mel, 641), get('mel_filter_sums'), 1e-5, 'mel sums')
  near(mel.subarray(40 * 641, 41 * 641), get('mel_filter_40'), 1e-6, 'mel filter 40')
  const bands = triangles(widenedMelPoints(82, 12_000, 40), 641, 24_000)
  near(rowSums(bands, 641), get('band_filter_sums'), 1e-5, 'band sums')
  near(
    rowSums(
      spreadMatrix(bands, 80, 641).map(value => value * value),
      80,
    ),
    get('spread_row_sums_squared'),
    1e-5,
    'spread',
  )
  const shares = shareMatrix([0, 1000, 2000, 4000, 6000, 9000], 641, 24_000)
  const every40 = Array.from({ length: 17 }, (_, i) => [...shares.subarray(200 * i, 200 * i + 5)]).flat()
  near(every40, get('share_spread'), 1e-6, 'shares')
})

test('streamed tokens and audio equal offline ones, bit for bit, for any chunking', () => {
  const audio = decode(region, model, codes)
  const next = random(3)
  for (const [most, drain] of [
    [1, true],
    [400, true],
    [3000, false],
    [1 << 20, true],
  ] as const) {
    const size = () => 1 + Math.floor(((next() + 1) / 2) * most)
    assert.equal(encode(region, model, samples, undefined, size, drain), [...codes])
    const local = region.child()
    const parts: Float32Array[] = []
    const sink = receiver(local, 1, (at, count) => parts.push(heap.f32(at, count).slice()))
    push(
      local,
      model.decoder!(local, sink),
      codes,
      () => 1 + Math.floor(((next() + 1) / 2) * Math.min(most, 9)),
      drain,
    )
    identical(concat(parts), audio, `codes in chunks of up to ${Math.min(most, 9)}`)
    local.free()
  }
})

test('look-ahead is as stated: later samples and tokens change nothing', () => {
  const { hopLength: hop, encoderLookahead, decoderLookahead } = model.info
  const frame = 12
  const known = (frame + 1) * hop + encoderLookahead!
  const local = region.child()
  const seen: number[] = []
  const stage = model.encoder(
    local,
    receiver(local, 1, (at, count) => seen.push(...heap.i32(at, count))),
  )
  heap.f32(stage.reserve(known), known).set(samples.subarray(0, known))
  stage.commit(known)
  stage.drain()
  assert.equal(
    seen,
    [...codes].slice(0, frame + 1),
    'the token of a frame is out when its look-ahead is in, and no earlier',
  )
  let heard = 0
  const decoder = model.decoder!(
    local,
    receiver(local, 1, (_, count) => (heard += count)),
  )
  const frames = frame + 1 + decoderLookahead! / hop
  heap.i32(decoder.reserve(frames), frames).set(codes.subarray(0, frames))
  decoder.commit(frames)
  decoder.drain()
  assert.ok(heard >= (frame + 1) * hop, `${heard} samples of ${(frame + 1) * hop}`)
  assert.ok(heard < (frame + 2) * hop, `${heard} samples: the stated look-ahead is a frame too long`)
  local.free()
})

test('one token, one sample and none', () => {
  assert.is(decode(region, model, [5]).length, 320)
  assert.is(encode(region, model, new Float32Array(1)).length, 1)
  assert.is(encode(region, model, new Float32Array(0)).length, 0)
})

test('memory comes back', () => {
  const before = heap.used
  for (let i = 0; i < 5; i++) decode(region, model, encode(region, model, samples))
  assert.is(heap.used, before)
})

test('a file without a configuration is refused', async () => {
  const bare = { ...source, metadata: { family: 'mini' } }
  await loadMini(new Region(heap), bare).then(
    () => assert.unreachable(),
    error => assert.match(error.message, /configuration/),
  )
})

function rowSums(matrix: Float32Array, columns: number): number[] {
  return Array.from({ length: matrix.length / columns }, (_, row) =>
    matrix.subarray(row * columns, (row + 1) * columns).reduce((sum, value) => sum + value, 0),
  )
}

/** The model alone: the vectors travel in the same file. */
function withoutVectors(whole: TensorSource): TensorSource {
  return { ...whole, names: () => whole.names().filter(name => !name.startsWith('vectors.')) }
}

test.run()
